//! What was earned, and what could not be delivered.

use std::collections::BTreeMap;

use alloy_primitives::Address;
use market::{Amount, Timestamp};
use sea_orm::{ConnectionTrait, DbBackend, EntityTrait, TryGetable};

use crate::connect::Store;
use crate::entity::credit;
use crate::entity::stored::{Account, Decimal, Small, Whole};
use crate::error::StoreError;
use crate::rows::CreditRow;

/// Digits that are summed at once with SQLite, whose numbers have 64 bits: nine, so that a billion rows fit.
const LIMB: u128 = 1_000_000_000;
/// Limbs of the largest amount, which has 39 digits.
const LIMBS: usize = 5;
const _: () = assert!(LIMBS * 9 >= 39);

impl Store {
    /// What a provider earned on each day from `since` on, oldest first: days since 1970 and the sum. Days without any
    /// are left out.
    pub async fn earnings(&self, provider: u32, since: Timestamp) -> Result<Vec<(u64, Amount)>, StoreError> {
        self.earned(provider, since, "at / 86400").await
    }

    /// All that a provider ever earned.
    pub async fn earnings_total(&self, provider: u32) -> Result<Amount, StoreError> {
        let all = self.earned(provider, Timestamp(0), "0 * at").await?;
        Ok(all.first().map_or(Amount::ZERO, |(_, amount)| *amount))
    }

    /// What waits for this address.
    pub async fn credit(&self, account: Address) -> Result<Option<CreditRow>, StoreError> {
        Ok(credit::Entity::find_by_id(Account(account)).one(self.readers()).await?.map(Into::into))
    }

    /// Sums in the database, by `group`: a provider may have a million payments.
    async fn earned(&self, provider: u32, since: Timestamp, group: &str) -> Result<Vec<(u64, Amount)>, StoreError> {
        let sums = match self.engine() {
            DbBackend::Postgres => format!("CAST(LEAST(SUM(CAST(earned AS NUMERIC)), {}) AS TEXT)", u128::MAX),
            _ => {
                let limb = |limb: usize| format!("SUM(CAST(substr(earned, -{}, 9) AS INTEGER))", (limb + 1) * 9);
                (0..LIMBS).map(limb).collect::<Vec<_>>().join(", ")
            }
        };
        let sql = format!(
            "SELECT {group}, {sums} FROM events WHERE provider = $1 AND at >= $2 AND earned IS NOT NULL GROUP BY 1"
        );
        let ask = self.statement(&sql, [Small(provider).into(), Whole(since.0).into()]);
        let mut days = BTreeMap::new();
        for row in self.readers().query_all_raw(ask).await? {
            let day = Whole::try_get_by(&row, 0_usize).map_err(sea_orm::DbErr::from)?.0;
            let sum = if self.engine() == DbBackend::Postgres {
                Decimal::try_get_by(&row, 1_usize).map_err(sea_orm::DbErr::from)?.0
            } else {
                let limbs = (0..LIMBS).map(|limb| Whole::try_get_by(&row, limb + 1).map(|it| u128::from(it.0)));
                let limbs = limbs.collect::<Result<Vec<_>, _>>().map_err(sea_orm::DbErr::from)?;
                limbs.iter().rev().fold(0_u128, |sum, limb| sum.saturating_mul(LIMB).saturating_add(*limb))
            };
            days.insert(day, Amount(sum));
        }
        Ok(days.into_iter().collect())
    }
}
