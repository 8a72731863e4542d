//! What a payer signs: deposits and vouchers.

use alloy_primitives::{Bytes, U256};
use wire::x402::{ChannelConfig, Deposit, DepositAuthorization, Erc3009Deposit, VoucherFields, typed};

use super::LeaseClient;
use crate::{RenterError, client::unix_now};

/// A deposit may be put in for this long: an hour, in which a gateway that does not answer is asked again.
const DEPOSIT_FOR_S: u64 = 3600;

impl LeaseClient {
    /// The payer's leave to put `amount` into the channel, once.
    pub(super) fn sign_deposit(&self, config: &ChannelConfig, amount: u128) -> Result<Deposit, RenterError> {
        let (salt, valid_before) = (U256::from(rand::random::<u64>()), u128::from(unix_now() + DEPOSIT_FOR_S));
        let statement = typed::ReceiveWithAuthorization {
            from: config.payer,
            to: self.collector,
            value: U256::from(amount),
            validAfter: U256::ZERO,
            validBefore: U256::from(valid_before),
            nonce: typed::deposit_nonce(self.channel(config), salt),
        };
        let digest = self.token.signing_hash(&statement).ok_or(RenterError::Untrue {
            what: "the token",
            detail: "it takes no signatures, so nothing can be put into a channel for you".into(),
        })?;
        let signature = Bytes::copy_from_slice(&self.wallet.sign_digest(digest)?.0);
        let given = Erc3009Deposit { valid_after: 0, valid_before, salt, signature };
        Ok(Deposit { amount, authorization: DepositAuthorization::Erc3009Authorization(given) })
    }

    /// A voucher over the running total `max`.
    pub(super) fn sign_voucher(&self, config: &ChannelConfig, max: u128) -> Result<VoucherFields, RenterError> {
        let separator = typed::batch_domain(self.channels.chain().id(), self.channels.address()).separator();
        let channel_id = config.id(&separator);
        let signature = self.wallet.sign_digest(typed::voucher_digest(&separator, &channel_id, max))?;
        Ok(VoucherFields { channel_id, max_claimable_amount: max, signature })
    }
}
