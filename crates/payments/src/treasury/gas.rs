//! What a key may spend on gas in a day.

use alloy_primitives::Address;
use chain::Prepared;
use market::Timestamp;
use store::{GasDay, Store};

use crate::PaymentsError;

/// Seconds of a day.
const DAY_S: u64 = 24 * 3600;
/// Wei of the unit that days are added up in.
const GWEI: u128 = 1_000_000_000;
/// What a key may spend unless its operator says otherwise: a whole coin, some thousand transactions where gas is dear.
pub const GAS_A_DAY_WEI: u128 = 1_000_000_000 * GWEI;

/// A cap on the coin that a key spends on gas between two midnights of UTC: what somebody can make the market pay, or a
/// thief of the process take by fees. It is a row of the database, so that neither a new start nor a second gateway
/// brings more.
#[derive(Clone, Debug)]
pub struct GasBudget {
    store: Store,
    chain_id: u64,
    signer: Address,
    cap_gwei: u64,
}

impl GasBudget {
    /// The budget of this key on this chain.
    #[must_use]
    pub fn new(store: Store, chain_id: u64, signer: Address, cap_wei: u128) -> Self {
        let most = i64::MAX.unsigned_abs();
        Self { store, chain_id, signer, cap_gwei: u64::try_from(cap_wei / GWEI).unwrap_or(most).min(most) }
    }

    /// Takes the most that a transaction can cost out of today's budget, before anybody sees its bytes. Signed again for
    /// more it is taken again: the budget errs on the side of the key.
    pub async fn take(&self, signed: &Prepared, now: Timestamp) -> Result<(), PaymentsError> {
        self.take_below(signed, now, self.cap_gwei).await
    }

    /// The same for what must leave half of the day's budget to others.
    pub async fn take_spare(&self, signed: &Prepared, now: Timestamp) -> Result<(), PaymentsError> {
        self.take_below(signed, now, self.cap_gwei / 2).await
    }

    /// Takes what a transaction is reckoned to cost that this key signs elsewhere, where its bytes are not at hand.
    pub async fn take_wei(&self, wei: u128, now: Timestamp) -> Result<(), PaymentsError> {
        self.spend(wei, now, self.cap_gwei).await
    }

    async fn take_below(&self, signed: &Prepared, now: Timestamp, cap_gwei: u64) -> Result<(), PaymentsError> {
        self.spend(signed.most_wei()?, now, cap_gwei).await
    }

    async fn spend(&self, wei: u128, now: Timestamp, cap_gwei: u64) -> Result<(), PaymentsError> {
        let gwei = u64::try_from(wei.div_ceil(GWEI)).unwrap_or(u64::MAX);
        let day = GasDay { chain_id: self.chain_id, signer: self.signer, day: now.0 / DAY_S };
        match self.store.take_gas(day, gwei, cap_gwei).await? {
            true => Ok(()),
            false => Err(PaymentsError::GasSpent { signer: self.signer, cap_gwei }),
        }
    }
}
