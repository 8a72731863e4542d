//! Payments to receivers of what was claimed for them.

use alloy_primitives::{Address, B256};
use alloy_sol_types::sol;
use chain::Call;
use chain::calls::x402 as calls;
use wire::x402::reason;

use super::{Batch, tx_of};
use crate::{PaymentRefusal, PaymentsError};

sol! {
    event Settled(address indexed receiver, address indexed token, address indexed sender, uint128 amount);
}

impl Batch {
    /// Pays a receiver what was claimed for it.
    pub async fn settle(&self, receiver: Address, token: Address) -> Result<(B256, u128), PaymentsError> {
        let payout = self.payout(receiver, token).await?;
        if !payout.open {
            return Err(nothing_to_settle().into());
        }
        self.pay_out(&payout).await
    }

    /// The call that pays a receiver, and its purpose: once for each total that was claimed.
    pub async fn payout(&self, receiver: Address, token: Address) -> Result<Payout, PaymentsError> {
        let totals = self.channels.receiver(receiver, token).await?;
        let chain = self.token.chain().id();
        Ok(Payout {
            receiver,
            token,
            open: totals.claimed > totals.settled,
            purpose: format!("settle:{chain}:{receiver}:{token}:{}", totals.claimed.0),
            call: calls::settle(self.channels.address(), receiver, token),
        })
    }

    /// Pays a receiver once, and tells what moved.
    pub async fn pay_out(&self, payout: &Payout) -> Result<(B256, u128), PaymentsError> {
        let failed = reason::BATCH_SETTLE_FAILED;
        let receipt = self.send(&payout.purpose, &payout.call, failed, failed).await?;
        let ours = |log: &Settled| log.receiver == payout.receiver && log.token == payout.token;
        let paid = self.logged::<Settled>(&receipt).find(ours);
        let paid = paid.ok_or_else(|| PaymentRefusal::new(failed, "nothing was paid"))?;
        Ok((tx_of(&receipt), paid.amount))
    }
}

/// A payment to a receiver of what was claimed for it.
#[derive(Clone, Debug)]
pub struct Payout {
    /// Is paid.
    pub receiver: Address,
    /// The token.
    pub token: Address,
    /// Something was claimed that is not paid out.
    pub open: bool,
    /// Names it.
    pub purpose: String,
    /// Makes it.
    pub call: Call,
}

pub(in super::super) fn nothing_to_settle() -> PaymentRefusal {
    PaymentRefusal::new(reason::BATCH_NOTHING_TO_SETTLE, "nothing was claimed that is not paid out")
}
