//! What people ask about their money: what they have, what they spent, how long it lasts.

use std::collections::BTreeMap;

use jiff::{Timestamp as Instant, civil::Date, tz::TimeZone};
use market::{PerHour, Seconds, Timestamp};
use store::{AccountId, Analytics, AssetId, AssetRow, HoldRow, Store};

use crate::PaymentsError;

/// Below so many seconds of money people are warned, a day: time to deposit more, whenever they look.
pub const RUNWAY_LOW: Seconds = Seconds(24 * 3600);
/// Below so many seconds the end is near: longer than a deposit takes to be deep enough on most chains.
pub const RUNWAY_CRITICAL: Seconds = Seconds(3600);
const _: () = assert!(RUNWAY_CRITICAL.0 < RUNWAY_LOW.0, "the first warning comes first");

/// What an account has of an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wallet {
    /// The asset.
    pub asset: AssetRow,
    /// What may be spent.
    pub available: i64,
    /// What is set aside for jobs and withdrawals.
    pub held: i64,
    /// What was deposited and is not deep enough yet.
    pub pending: i64,
    /// What is owed for a deposit that the chain took back.
    pub owed: i64,
}

/// What an account has: a wallet for each configured asset.
pub async fn wallets(store: &Store, account: AccountId) -> Result<Vec<Wallet>, PaymentsError> {
    let (balances, pending) = (store.balances(account).await?, store.pending(account).await?);
    let assets = store.assets().await?.into_iter().map(|asset| {
        let balance = balances.iter().find(|row| row.asset == asset.asset);
        let pending = pending.iter().find(|row| row.0 == asset.asset).map_or(0, |row| row.1);
        let (available, held, owed) = balance.map_or((0, 0, 0), |row| (row.available, row.held, row.owed));
        Wallet { asset, available, held, pending, owed }
    });
    Ok(assets.collect())
}

/// How long an account's money lasts at the rate of its running jobs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Runway {
    /// What the running jobs cost in an hour.
    pub per_hour: i64,
    /// For how long that can be paid.
    pub left: Seconds,
    /// Whether it is time to say so.
    pub warning: Option<RunwayWarning>,
}

/// How near the end of the money is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RunwayWarning {
    /// Less than [`RUNWAY_LOW`].
    Low,
    /// Less than [`RUNWAY_CRITICAL`].
    Critical,
    /// Nothing is left: jobs end, and what they made is kept for a day.
    Empty,
}

/// How long `available` and what is left of the holds pays for the jobs that run; nothing when none runs.
#[must_use]
pub fn runway(available: i64, holds: &[HoldRow], asset: AssetId, now: Timestamp) -> Option<Runway> {
    let mut per_hour: u128 = 0;
    let mut money = u128::try_from(available).unwrap_or(0);
    for hold in holds.iter().filter(|hold| hold.asset == asset && hold.price_per_hour > 0) {
        let Some(started) = hold.started_at.filter(|_| hold.ended_at.is_none()) else { continue };
        let price = PerHour(hold.price_per_hour.unsigned_abs().into());
        let cost = price.cost(Seconds(now.0.saturating_sub(started.0))).0;
        per_hour += price.0;
        money += u128::try_from(hold.amount).unwrap_or(0).saturating_sub(cost);
    }
    if per_hour == 0 {
        return None;
    }
    let left = Seconds(u64::try_from(money.saturating_mul(3600) / per_hour).unwrap_or(u64::MAX));
    let warning = match left {
        Seconds(0) => Some(RunwayWarning::Empty),
        left if left < RUNWAY_CRITICAL => Some(RunwayWarning::Critical),
        left if left < RUNWAY_LOW => Some(RunwayWarning::Low),
        _ => None,
    };
    Some(Runway { per_hour: i64::try_from(per_hour).unwrap_or(i64::MAX), left, warning })
}

/// Spans of time in which spending is added up, all in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    /// Days.
    Day,
    /// Weeks that begin on Monday.
    Week,
    /// Months.
    Month,
}

/// What was spent of an asset in a period.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spending {
    /// The asset.
    pub asset: AssetId,
    /// The first day of the period.
    pub from: Date,
    /// Jobs that were settled in it.
    pub jobs: u64,
    /// What they cost, fees included.
    pub spent: i64,
    /// What came back of what was locked.
    pub refunded: i64,
}

impl Spending {
    /// Adds daily lines up to periods, oldest first.
    #[must_use]
    pub fn by(period: Period, days: &[Analytics]) -> Vec<Self> {
        let mut sums: BTreeMap<(AssetId, Date), Self> = BTreeMap::new();
        for line in days {
            let Some(from) = line.day.and_then(|day| first_day(period, day)) else { continue };
            let none = Self { asset: line.asset, from, jobs: 0, spent: 0, refunded: 0 };
            let sum = sums.entry((line.asset, from)).or_insert(none);
            sum.jobs += line.jobs;
            sum.spent = sum.spent.saturating_add(line.spent);
            sum.refunded = sum.refunded.saturating_add(line.refunded);
        }
        sums.into_values().collect()
    }
}

/// The first day of the period in which the day lies that is so many days after 1970 began.
fn first_day(period: Period, day: u64) -> Option<Date> {
    let second = i64::try_from(day.checked_mul(86_400)?).ok()?;
    let date = Instant::from_second(second).ok()?.to_zoned(TimeZone::UTC).date();
    Some(match period {
        Period::Day => date,
        Period::Week => {
            let since_monday = i64::from(date.weekday().to_monday_zero_offset());
            date.checked_sub(jiff::Span::new().days(since_monday)).ok()?
        }
        Period::Month => date.first_of_month(),
    })
}
