//! What people ask about their money.

use market::{JobId, ResourceId, Timestamp};
use sea_orm::{
    ColumnTrait, ConnectionTrait, DbErr, EntityTrait, QueryFilter, QueryOrder, QueryResult, QuerySelect, TryGetable,
    sea_query::Expr,
};

use super::convert::{asset_id, job_column};
use super::rows::{AccountId, AssetId, AssetRow, BalanceRow, DepositState, HoldRow, HoldState};
use crate::connect::Store;
use crate::entity::stored::{Hash, Whole};
use crate::entity::{asset, balance, hold};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

/// Open jobs that the treasury pays for which one look reads: each is followed on chain.
pub const TREASURY_JOBS_MAX: u64 = 1000;
/// Lines of one analysis: the days of two years and more.
const LINES_MAX: u64 = 1000;

/// A posting as the account sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryRow {
    /// Number of the posting.
    pub posting: u64,
    /// The asset.
    pub asset: AssetId,
    /// Kind of the posting.
    pub why: String,
    /// What it is about.
    pub reference: String,
    /// When.
    pub at: Timestamp,
    /// Change of what may be spent.
    pub available: i64,
    /// Change of what is set aside.
    pub held: i64,
}

/// By what spending is added up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AnalyticsBy {
    /// Days since 1970.
    Day,
    /// Jobs.
    Job,
    /// Rented resources.
    Resource,
}

/// A line of an analysis.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Analytics {
    /// The asset.
    pub asset: AssetId,
    /// Days since 1970, where asked by day.
    pub day: Option<u64>,
    /// The job, where asked by job.
    pub job: Option<JobId>,
    /// The resource, where asked by resource.
    pub resource: Option<ResourceId>,
    /// Settled jobs.
    pub jobs: u64,
    /// What they cost, fees included.
    pub spent: i64,
    /// What came back of what was locked.
    pub refunded: i64,
}

impl Store {
    /// All assets, by number.
    pub async fn assets(&self) -> Result<Vec<AssetRow>, StoreError> {
        let rows = asset::Entity::find().order_by_asc(asset::Column::Asset).all(self.readers()).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// What an account has, of each asset that it ever had.
    pub async fn balances(&self, account: AccountId) -> Result<Vec<BalanceRow>, StoreError> {
        let find = balance::Entity::find().filter(balance::Column::Account.eq(Hash(account.0)));
        let rows = find.order_by_asc(balance::Column::Asset).all(self.readers()).await?;
        rows.into_iter().map(TryInto::try_into).collect()
    }

    /// What is on its way to an account and not deep enough, by asset.
    pub async fn pending(&self, account: AccountId) -> Result<Vec<(AssetId, i64)>, StoreError> {
        let sql = "SELECT asset, CAST(SUM(amount) AS BIGINT) FROM deposits WHERE account = $1 AND state = $2 \
                   GROUP BY asset ORDER BY asset";
        let ask = self.statement(sql, [Hash(account.0).into(), DepositState::Seen.name().into()]);
        let rows = self.readers().query_all_raw(ask).await?;
        rows.iter().map(|row| Ok((asset_id(get(row, 0)?)?, get(row, 1)?))).collect()
    }

    /// Postings that changed an account, newest first, those before the posting `before`; at most
    /// [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn history(
        &self,
        account: AccountId,
        before: Option<u64>,
        limit: u64,
    ) -> Result<Vec<HistoryRow>, StoreError> {
        let sql = "SELECT posting, asset, why, reference, at, available, held FROM postings \
                   WHERE account = $1 AND posting < $2 ORDER BY posting DESC LIMIT $3";
        let before = before.map_or(i64::MAX, |posting| i64::try_from(posting).unwrap_or(i64::MAX));
        let limit = i64::try_from(limit.min(PAGE_MAX)).unwrap_or(i64::MAX);
        let ask = self.statement(sql, [Hash(account.0).into(), before.into(), limit.into()]);
        let rows = self.readers().query_all_raw(ask).await?;
        let read = |row: &QueryResult| {
            Ok(HistoryRow {
                posting: get::<Whole>(row, 0)?.0,
                asset: asset_id(get(row, 1)?)?,
                why: get(row, 2)?,
                reference: get(row, 3)?,
                at: Timestamp(get::<Whole>(row, 4)?.0),
                available: get(row, 5)?,
                held: get(row, 6)?,
            })
        };
        rows.iter().map(read).collect()
    }

    /// What an account's jobs cost that were settled from `since` until before `until`, added up.
    pub async fn analytics(
        &self,
        account: AccountId,
        by: AnalyticsBy,
        since: Timestamp,
        until: Timestamp,
    ) -> Result<Vec<Analytics>, StoreError> {
        let group = match by {
            AnalyticsBy::Day => "ended_at / 86400",
            AnalyticsBy::Job => "job",
            AnalyticsBy::Resource => "resource",
        };
        let sql = format!(
            "SELECT asset, {group}, COUNT(*), CAST(SUM(spent + fee) AS BIGINT), CAST(SUM(refunded) AS BIGINT) \
             FROM holds WHERE account = $1 AND state = '{}' AND ended_at >= $2 AND ended_at < $3 \
             GROUP BY 1, 2 ORDER BY 1, 2 LIMIT {LINES_MAX}",
            HoldState::Settled.name()
        );
        let until = Whole(until.0.min(i64::MAX.cast_unsigned()));
        let ask = self.statement(&sql, [Hash(account.0).into(), Whole(since.0).into(), until.into()]);
        let rows = self.readers().query_all_raw(ask).await?;
        let read = |row: &QueryResult| {
            let (mut day, mut job, mut resource) = (None, None, None);
            match by {
                AnalyticsBy::Day => day = Some(get::<Whole>(row, 1)?.0),
                AnalyticsBy::Job => job = Some(JobId(get::<Hash>(row, 1)?.0.0)),
                AnalyticsBy::Resource => resource = get::<Option<Hash>>(row, 1)?.map(|id| ResourceId(id.0.0)),
            }
            let jobs = get::<Whole>(row, 2)?.0;
            let (asset, spent, refunded) = (asset_id(get(row, 0)?)?, get(row, 3)?, get(row, 4)?);
            Ok(Analytics { asset, day, job, resource, jobs, spent, refunded })
        };
        rows.iter().map(read).collect()
    }

    /// What is set aside for a job.
    pub async fn hold(&self, job: JobId) -> Result<Option<HoldRow>, StoreError> {
        hold::Entity::find_by_id(job_column(job)).one(self.readers()).await?.map(TryInto::try_into).transpose()
    }

    /// Holds of an account that are not over, oldest first; at most [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn open_holds(&self, account: AccountId) -> Result<Vec<HoldRow>, StoreError> {
        let find = hold::Entity::find()
            .filter(hold::Column::Account.eq(Hash(account.0)))
            .filter(hold::Column::State.eq(HoldState::Open.name()))
            .order_by_asc(hold::Column::CreatedAt)
            .order_by_asc(hold::Column::Job)
            .limit(PAGE_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// All holds that are not over, oldest first: jobs that the treasury pays for; at most [`TREASURY_JOBS_MAX`].
    pub async fn treasury_jobs(&self) -> Result<Vec<HoldRow>, StoreError> {
        // The word stands in the statement itself: no engine takes the index of the open ones for a word that comes later.
        let open = format!("state = '{}'", HoldState::Open.name());
        let find = hold::Entity::find()
            .filter(Expr::cust(open))
            .order_by_asc(hold::Column::CreatedAt)
            .order_by_asc(hold::Column::Job)
            .limit(TREASURY_JOBS_MAX);
        find.all(self.readers()).await?.into_iter().map(TryInto::try_into).collect()
    }

    /// Adds the whole ledger up and names what does not agree: postings that do not sum to zero, totals that differ from
    /// the postings or from the balances. Nothing, when all is well. Reads every posting.
    pub async fn audit_ledger(&self) -> Result<Vec<String>, StoreError> {
        let mut wrong = Vec::new();
        let sql = "SELECT posting FROM postings \
                   WHERE available + held + fees + suspense <> treasury + locks - withdrawing LIMIT 100";
        for row in self.readers().query_all_raw(self.statement(sql, [])).await? {
            wrong.push(format!("posting {} does not sum to zero", get::<Whole>(&row, 0)?.0));
        }
        for asset in self.assets().await? {
            let (id, totals) = (asset.asset, asset.totals);
            if !totals.agree() {
                wrong.push(format!("the totals of asset {} do not agree", id.0));
            }
            let buckets = totals.by_bucket().map(|(bucket, total)| (bucket.name(), total));
            for (column, total) in buckets.into_iter().chain([("shortfall", totals.shortfall)]) {
                let sql = format!("SELECT CAST(COALESCE(SUM({column}), 0) AS BIGINT) FROM postings WHERE asset = $1");
                let sum = self.sum(&sql, [i64::from(id.0).into()]).await?;
                if sum != total {
                    wrong.push(format!("{column} of asset {} is {total}, its postings say {sum}", id.0));
                }
            }
            for (column, total) in [("available", totals.available), ("held", totals.held), ("owed", totals.shortfall)]
            {
                let sql = format!("SELECT CAST(COALESCE(SUM({column}), 0) AS BIGINT) FROM balances WHERE asset = $1");
                let sum = self.sum(&sql, [i64::from(id.0).into()]).await?;
                if sum != total {
                    wrong.push(format!("{column} of asset {} is {total}, its accounts have {sum}", id.0));
                }
            }
        }
        Ok(wrong)
    }

    async fn sum(&self, sql: &str, values: impl IntoIterator<Item = sea_orm::Value>) -> Result<i64, StoreError> {
        let row = self.readers().query_one_raw(self.statement(sql, values)).await?;
        row.map_or(Ok(0), |row| get(&row, 0))
    }
}

fn get<T: TryGetable>(row: &QueryResult, column: usize) -> Result<T, StoreError> {
    T::try_get_by(row, column).map_err(|error| DbErr::from(error).into())
}
