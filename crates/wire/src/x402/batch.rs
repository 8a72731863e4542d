//! `batch-settlement` on EVM chains: a channel, its deposit, and vouchers over a running total.

use alloy_primitives::{Address, B256, Bytes, U256, aliases::U40};
use alloy_sol_types::SolStruct;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::{decimal, typed};
use crate::SignatureBytes;

/// The shortest time between a payer's wish to withdraw and the withdrawal, in seconds: the contract's own.
pub const WITHDRAW_DELAY_MIN_S: u64 = 900;
/// The longest, in seconds: the contract's own.
pub const WITHDRAW_DELAY_MAX_S: u64 = 2_592_000;

/// Both sides of a channel and its rules.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelConfig {
    /// Deposits, and gets back what is left.
    pub payer: Address,
    /// Signs vouchers: a key, or nobody when the payer is a contract that checks signatures itself.
    pub payer_authorizer: Address,
    /// Is paid.
    pub receiver: Address,
    /// Claims and refunds for the receiver.
    pub receiver_authorizer: Address,
    /// The token.
    pub token: Address,
    /// Seconds from the wish to withdraw to the withdrawal.
    pub withdraw_delay: u64,
    /// Tells channels between the same two apart.
    pub salt: B256,
}

impl ChannelConfig {
    /// As it is hashed.
    #[must_use]
    pub fn typed(&self) -> typed::ChannelConfig {
        typed::ChannelConfig {
            payer: self.payer,
            payerAuthorizer: self.payer_authorizer,
            receiver: self.receiver,
            receiverAuthorizer: self.receiver_authorizer,
            token: self.token,
            // No channel has such a delay, and none of these ids is that of a channel.
            withdrawDelay: U40::try_from(self.withdraw_delay).unwrap_or(U40::MAX),
            salt: self.salt,
        }
    }

    /// The channel's id under the contract whose domain has this separator.
    #[must_use]
    pub fn id(&self, separator: &B256) -> B256 {
        typed::digest(separator, &self.typed())
    }

    /// The channel's id at the contract `contract` of chain `chain_id`.
    #[must_use]
    pub fn id_at(&self, chain_id: u64, contract: Address) -> B256 {
        self.typed().eip712_signing_hash(&typed::batch_domain(chain_id, contract))
    }
}

/// A voucher as it travels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherFields {
    /// The channel.
    pub channel_id: B256,
    /// The running total that may be claimed.
    #[serde(with = "decimal")]
    pub max_claimable_amount: u128,
    /// By the payer's authorizer.
    pub signature: SignatureBytes,
}

/// Bytes of a voucher between programs that know each other: channel, running total, signature, big-endian.
pub const VOUCHER_FRAME_BYTES: usize = 32 + 16 + 65;

impl VoucherFields {
    /// The voucher as a frame: a twelfth of what its header takes.
    #[must_use]
    pub fn to_frame(&self) -> [u8; VOUCHER_FRAME_BYTES] {
        let mut frame = [0; VOUCHER_FRAME_BYTES];
        frame[..32].copy_from_slice(self.channel_id.as_slice());
        frame[32..48].copy_from_slice(&self.max_claimable_amount.to_be_bytes());
        frame[48..].copy_from_slice(&self.signature.0);
        frame
    }

    /// Reads a frame.
    #[must_use]
    pub fn of_frame(frame: &[u8; VOUCHER_FRAME_BYTES]) -> Self {
        let (mut total, mut signature) = ([0; 16], [0; 65]);
        total.copy_from_slice(&frame[32..48]);
        signature.copy_from_slice(&frame[48..]);
        Self {
            channel_id: B256::from_slice(&frame[..32]),
            max_claimable_amount: u128::from_be_bytes(total),
            signature: SignatureBytes(signature),
        }
    }
}

/// What `batch-settlement` carries: the first three from clients, the others from servers to their facilitator.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum BatchPayload {
    /// Puts money into the channel, and pays with its first voucher.
    Deposit {
        /// The channel.
        channel_config: ChannelConfig,
        /// Pays for this request.
        voucher: VoucherFields,
        /// The money.
        deposit: Deposit,
    },
    /// Pays out of what was deposited.
    Voucher {
        /// The channel.
        channel_config: ChannelConfig,
        /// Pays for this request.
        voucher: VoucherFields,
    },
    /// Asks for the rest of the channel, or for a part of it.
    Refund {
        /// The channel.
        channel_config: ChannelConfig,
        /// Over exactly what was charged.
        voucher: VoucherFields,
        /// How much to give back; everything that is left when absent.
        #[serde(default, with = "decimal::maybe", skip_serializing_if = "Option::is_none")]
        amount: Option<u128>,
        /// The contract's count of refunds, as the server read it.
        #[serde(default, with = "decimal::maybe", skip_serializing_if = "Option::is_none")]
        refund_nonce: Option<u128>,
        /// What is claimed before the rest goes back.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        claims: Vec<VoucherClaim>,
        /// By the receiver's authorizer, over the refund.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        refund_authorizer_signature: Option<SignatureBytes>,
        /// By the receiver's authorizer, over the claims.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim_authorizer_signature: Option<SignatureBytes>,
    },
    /// Claims what vouchers allow.
    Claim {
        /// One row a channel.
        claims: Vec<VoucherClaim>,
        /// By the receiver's authorizer, over all rows.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        claim_authorizer_signature: Option<SignatureBytes>,
    },
    /// Pays out what was claimed.
    Settle {
        /// Is paid.
        receiver: Address,
        /// The token.
        token: Address,
    },
}

/// The money of a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deposit {
    /// Smallest units.
    #[serde(with = "decimal")]
    pub amount: u128,
    /// The payer's leave to take it.
    pub authorization: DepositAuthorization,
}

/// The payer's leave to take a deposit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum DepositAuthorization {
    /// EIP-3009 `ReceiveWithAuthorization` to the collector.
    Erc3009Authorization(Erc3009Deposit),
    /// Permit2 with the channel as witness.
    Permit2Authorization(Permit2Deposit),
}

/// A deposit by EIP-3009. Its nonce follows from channel and salt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Erc3009Deposit {
    /// Valid later than this, Unix seconds.
    #[serde(with = "decimal")]
    pub valid_after: u128,
    /// Valid earlier than this, Unix seconds.
    #[serde(with = "decimal")]
    pub valid_before: u128,
    /// Tells deposits to one channel apart.
    pub salt: U256,
    /// The payer's.
    pub signature: Bytes,
}

/// A deposit by Permit2.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Permit2Deposit {
    /// Pays.
    pub from: Address,
    /// What may be taken.
    pub permitted: TokenPermissions,
    /// Who may take it: the collector.
    pub spender: Address,
    /// Permit2's unordered nonce.
    #[serde(with = "decimal")]
    pub nonce: u128,
    /// Valid until this, Unix seconds.
    #[serde(with = "decimal")]
    pub deadline: u128,
    /// What it is for.
    pub witness: Witness,
    /// The payer's.
    pub signature: Bytes,
}

/// What Permit2 may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPermissions {
    /// The token.
    pub token: Address,
    /// Smallest units.
    #[serde(with = "decimal")]
    pub amount: u128,
}

/// What a Permit2 deposit is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Witness {
    /// The channel.
    pub channel_id: B256,
}

/// A row of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherClaim {
    /// What the payer signed.
    pub voucher: VoucherOf,
    /// By the payer's authorizer.
    pub signature: SignatureBytes,
    /// The running total that is claimed.
    #[serde(with = "decimal")]
    pub total_claimed: u128,
}

/// A voucher with its channel spelled out.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherOf {
    /// The channel.
    pub channel: ChannelConfig,
    /// The running total that may be claimed.
    #[serde(with = "decimal")]
    pub max_claimable_amount: u128,
}

/// A channel as a server tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChannelStateJson {
    /// The channel.
    pub channel_id: B256,
    /// What was deposited in all and not given back.
    #[serde(with = "decimal")]
    pub balance: u128,
    /// What was claimed in all.
    #[serde(with = "decimal")]
    pub total_claimed: u128,
    /// When the payer asked to withdraw, Unix seconds; 0 when he did not.
    pub withdraw_requested_at: u64,
    /// How often money was given back.
    #[serde(with = "decimal")]
    pub refund_nonce: u128,
    /// What was charged in all.
    #[serde(default, with = "decimal::maybe", skip_serializing_if = "Option::is_none")]
    pub charged_cumulative_amount: Option<u128>,
}

/// The newest voucher that a server holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct VoucherStateJson {
    /// Its running total.
    #[serde(default, with = "decimal::maybe", skip_serializing_if = "Option::is_none")]
    pub signed_max_claimable: Option<u128>,
    /// Its signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<SignatureBytes>,
}

/// What an offer of `batch-settlement` says in `extra`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BatchOffer {
    /// Claims and refunds for the receiver.
    pub receiver_authorizer: Address,
    /// Seconds.
    pub withdraw_delay: u64,
    /// The token's EIP-712 name.
    pub name: String,
    /// The token's EIP-712 version.
    pub version: String,
    /// The least deposit; clients that heed it make none below.
    #[serde(default, with = "decimal::maybe", skip_serializing_if = "Option::is_none")]
    pub min_deposit: Option<u128>,
    /// Told when a voucher did not fit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channel_state: Option<ChannelStateJson>,
    /// Told when a voucher did not fit, so that the client can check that it signed what is claimed of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub voucher_state: Option<VoucherStateJson>,
}

impl BatchOffer {
    /// As it stands in an offer.
    #[must_use]
    pub fn to_extra(&self) -> Map<String, Value> {
        match json!(self) {
            Value::Object(extra) => extra,
            _ => Map::new(),
        }
    }

    /// Reads it from an offer.
    #[must_use]
    pub fn of_extra(extra: &Map<String, Value>) -> Option<Self> {
        serde_json::from_value(Value::Object(extra.clone())).ok()
    }
}
