//! Codes of refusals, as the official programs of version 2.27 write them: their clients act on some.
//!
//! The specification's text calls several otherwise; what is written here is what programs compare with.

/// The request carries no payment.
pub const PAYMENT_MISSING: &str = "PAYMENT-SIGNATURE header is required";
/// The payment is no object of the documented shape.
pub const INVALID_PAYLOAD: &str = "invalid_payload";
/// The offer is none.
pub const INVALID_REQUIREMENTS: &str = "invalid_payment_requirements";
/// The scheme is not served here.
pub const UNSUPPORTED_SCHEME: &str = "unsupported_scheme";
/// The chain is not served here.
pub const INVALID_NETWORK: &str = "invalid_network";
/// Something failed on this side before anything was sent.
pub const UNEXPECTED_VERIFY: &str = "unexpected_verify_error";
/// Something failed on this side.
pub const UNEXPECTED_SETTLE: &str = "unexpected_settle_error";
/// A transaction is on its way, and nobody knows yet what becomes of it.
pub const SETTLEMENT_PENDING: &str = "settlement_pending";

/// The receiver is nobody that this facilitator pays gas for. The official programs have no code for this.
pub const RECEIVER_UNKNOWN: &str = "receiver_not_served";
/// The gas that is paid for this payer today is used up. The official programs have no code for this.
pub const GAS_BUDGET: &str = "gas_budget_exhausted";

/// The payment names another scheme than the offer.
pub const EXACT_SCHEME: &str = "invalid_exact_evm_scheme";
/// The payment is for another chain.
pub const EXACT_NETWORK: &str = "invalid_exact_evm_network_mismatch";
/// The offer does not tell the token's domain.
pub const EXACT_DOMAIN: &str = "invalid_exact_evm_missing_eip712_domain";
/// The token has another name.
pub const EXACT_NAME: &str = "invalid_exact_evm_token_name_mismatch";
/// The token has another version.
pub const EXACT_VERSION: &str = "invalid_exact_evm_token_version_mismatch";
/// The payer did not sign this.
pub const EXACT_SIGNATURE: &str = "invalid_exact_evm_signature";
/// The payer has not so much.
pub const EXACT_BALANCE: &str = "invalid_exact_evm_insufficient_balance";
/// The authorization is over another amount.
pub const EXACT_VALUE: &str = "invalid_exact_evm_payload_authorization_value_mismatch";
/// The authorization pays somebody else.
pub const EXACT_RECIPIENT: &str = "invalid_exact_evm_recipient_mismatch";
/// The authorization is not valid yet.
pub const EXACT_VALID_AFTER: &str = "invalid_exact_evm_payload_authorization_valid_after";
/// The authorization is over, or too soon.
pub const EXACT_VALID_BEFORE: &str = "invalid_exact_evm_payload_authorization_valid_before";
/// The authorization was used.
pub const EXACT_NONCE_USED: &str = "invalid_exact_evm_nonce_already_used";
/// The token refuses the transfer.
pub const EXACT_SIMULATION: &str = "invalid_exact_evm_transaction_simulation_failed";
/// The transfer was mined and failed.
pub const EXACT_FAILED: &str = "invalid_exact_evm_transaction_failed";
/// The transaction succeeded and moved other money.
pub const EXACT_EVENT: &str = "invalid_exact_evm_transfer_event_mismatch";

/// The payment names another scheme than the offer.
pub const BATCH_SCHEME: &str = "invalid_batch_settlement_evm_scheme";
/// The payment is for another chain.
pub const BATCH_NETWORK: &str = "invalid_batch_settlement_evm_network_mismatch";
/// The payload is of a kind that does not belong here.
pub const BATCH_TYPE: &str = "invalid_batch_settlement_evm_payload_type";
/// The offer does not tell the token's domain.
pub const BATCH_DOMAIN: &str = "invalid_batch_settlement_evm_missing_eip712_domain";
/// Another request of the channel is at work.
pub const BATCH_BUSY: &str = "invalid_batch_settlement_evm_channel_busy";
/// The channel's id does not follow from its configuration.
pub const BATCH_CHANNEL_ID: &str = "invalid_batch_settlement_evm_channel_id_mismatch";
/// The contract has no such channel.
pub const BATCH_NOT_FOUND: &str = "invalid_batch_settlement_evm_channel_not_found";
/// The server has no such channel.
pub const BATCH_MISSING: &str = "invalid_batch_settlement_evm_missing_channel";
/// The running total is not what was charged and the price; clients recover from this one.
pub const BATCH_CUMULATIVE: &str = "invalid_batch_settlement_evm_cumulative_amount_mismatch";
/// The running total is below what was claimed; clients recover from this one too.
pub const BATCH_BELOW_CLAIMED: &str = "invalid_batch_settlement_evm_cumulative_below_claimed";
/// The running total is more than the channel holds.
pub const BATCH_EXCEEDS_BALANCE: &str = "invalid_batch_settlement_evm_cumulative_exceeds_balance";
/// The payer has not so much.
pub const BATCH_BALANCE: &str = "invalid_batch_settlement_evm_insufficient_balance";
/// The channel pays somebody else.
pub const BATCH_RECEIVER: &str = "invalid_batch_settlement_evm_receiver_mismatch";
/// The channel is claimed by somebody else.
pub const BATCH_RECEIVER_AUTHORIZER: &str = "invalid_batch_settlement_evm_receiver_authorizer_mismatch";
/// The channel is of another token.
pub const BATCH_TOKEN: &str = "invalid_batch_settlement_evm_token_mismatch";
/// The channel has another delay.
pub const BATCH_DELAY: &str = "invalid_batch_settlement_evm_withdraw_delay_mismatch";
/// No channel may have such a delay.
pub const BATCH_DELAY_RANGE: &str = "invalid_batch_settlement_evm_withdraw_delay_out_of_range";
/// The payer's authorizer did not sign this voucher.
pub const BATCH_VOUCHER_SIGNATURE: &str = "invalid_batch_settlement_evm_voucher_signature";
/// The payer did not sign this deposit.
pub const BATCH_DEPOSIT_SIGNATURE: &str = "invalid_batch_settlement_evm_receive_authorization_signature";
/// The deposit's authorization is not valid yet.
pub const BATCH_VALID_AFTER: &str = "invalid_batch_settlement_evm_payload_authorization_valid_after";
/// The deposit's authorization is over, or too soon.
pub const BATCH_VALID_BEFORE: &str = "invalid_batch_settlement_evm_payload_authorization_valid_before";
/// Deposits are taken by EIP-3009.
pub const BATCH_ERC3009: &str = "invalid_batch_settlement_evm_erc3009_authorization_required";
/// The deposit is below the least one.
pub const BATCH_MIN_DEPOSIT: &str = "invalid_batch_settlement_evm_deposit_below_min_deposit";
/// The contract refuses the deposit.
pub const BATCH_DEPOSIT_SIMULATION: &str = "invalid_batch_settlement_evm_deposit_simulation_failed";
/// The deposit was mined and failed, or brought no money.
pub const BATCH_DEPOSIT_FAILED: &str = "invalid_batch_settlement_evm_deposit_transaction_failed";
/// The contract refuses every row.
pub const BATCH_CLAIM_SIMULATION: &str = "invalid_batch_settlement_evm_claim_simulation_failed";
/// The claim was mined and failed, or claimed nothing.
pub const BATCH_CLAIM_FAILED: &str = "invalid_batch_settlement_evm_claim_transaction_failed";
/// Nothing was claimed that is not paid out.
pub const BATCH_NOTHING_TO_SETTLE: &str = "invalid_batch_settlement_evm_nothing_to_settle";
/// The settlement was mined and failed, or paid nothing.
pub const BATCH_SETTLE_FAILED: &str = "invalid_batch_settlement_evm_settle_transaction_failed";
/// The refund is malformed, or lacks the receiver's signature.
pub const BATCH_REFUND_PAYLOAD: &str = "invalid_batch_settlement_evm_refund_payload";
/// Nothing is left to give back.
pub const BATCH_REFUND_EMPTY: &str = "invalid_batch_settlement_evm_refund_no_balance";
/// More is asked back than is left.
pub const BATCH_REFUND_AMOUNT: &str = "invalid_batch_settlement_evm_refund_amount_invalid";
/// The contract refuses the refund.
pub const BATCH_REFUND_SIMULATION: &str = "invalid_batch_settlement_evm_refund_simulation_failed";
/// The refund was mined and failed, or gave nothing back.
pub const BATCH_REFUND_FAILED: &str = "invalid_batch_settlement_evm_refund_transaction_failed";
/// The payer asked to withdraw, and what he signs may never be claimed. The official programs have no code for this.
pub const BATCH_WITHDRAWING: &str = "invalid_batch_settlement_evm_withdrawal_pending";
/// The chain could not be asked.
pub const BATCH_RPC: &str = "invalid_batch_settlement_evm_rpc_read_failed";
/// What is known of the channel is too old, and the chain could not be asked.
pub const BATCH_STATE_UNAVAILABLE: &str = "invalid_batch_settlement_evm_verification_state_unavailable";
