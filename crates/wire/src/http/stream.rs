//! The payment stream of a job: what it costs by the second, what it has earned, when the money ends.

use alloy_primitives::B256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Money, StatusJson};

/// With so many seconds left a runway is called short: time to extend a job before it ends.
pub const RUNWAY_SHORT_S: u64 = 900;
/// With so few it is called ending.
pub const RUNWAY_ENDING_S: u64 = 120;

/// How far the money of a job reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Runway {
    /// There is enough for now.
    Enough,
    /// A quarter of an hour or less: extend it, or fetch what you need.
    Short,
    /// Two minutes or less.
    Ending,
    /// Nothing is left, or the job is over.
    Over,
}

impl Runway {
    /// What `left_s` seconds of clock are called.
    #[must_use]
    pub fn of(left_s: u64) -> Self {
        match left_s {
            0 => Self::Over,
            1..=RUNWAY_ENDING_S => Self::Ending,
            left if left <= RUNWAY_SHORT_S => Self::Short,
            _ => Self::Enough,
        }
    }
}

/// `GET /api/v1/payments/stream/{jobId}`. The clock counts whole seconds; money follows from them by one formula, floored
/// once from the total.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct PaymentStreamJson {
    /// The job.
    #[schema(value_type = crate::schema::Hash)]
    pub job_id: B256,
    /// Where it stands.
    pub status: StatusJson,
    /// The clock runs now: what is accrued grows each second.
    pub is_streaming: bool,
    /// The time that the figures are of.
    pub at: Timestamp,
    /// Price of an hour.
    pub price_per_hour: Money,
    /// Smallest units a second with six digits after the point, for display: nothing is reckoned from it.
    #[schema(example = "1000.000000")]
    pub per_second: String,
    /// Everything locked.
    pub locked: Money,
    /// Seconds on the clock.
    pub seconds: u64,
    /// What they cost, fee included.
    pub accrued: Money,
    /// What the provider has received.
    pub paid: Money,
    /// What of the lock is not used up; once the job is over, what went back to the renter.
    pub left: Money,
    /// Seconds of clock that are left; 0 once the job is over.
    pub runway_s: u64,
    /// What that is called.
    pub runway: Runway,
    /// When the money ends if the clock goes on; absent while it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runs_out_at: Option<Timestamp>,
    /// The last seconds of the clock, oldest first, one entry each.
    pub series: Vec<StreamPoint>,
    /// Payouts so far, oldest first.
    pub payouts: Vec<Payout>,
}

/// What one second of the clock had come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StreamPoint {
    /// Seconds on the clock.
    pub second: u64,
    /// What they cost, in smallest units.
    #[schema(example = "60000")]
    pub accrued: String,
}

/// Money that moved to the provider while the job ran or at its end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Payout {
    /// Block time.
    pub at: Timestamp,
    /// The transaction.
    #[schema(value_type = crate::schema::Hash)]
    pub tx: B256,
    /// What moved.
    pub amount: Money,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runway_has_a_name() {
        let names = [0, 1, 120, 121, 900, 901].map(Runway::of);
        use Runway::{Ending, Enough, Over, Short};
        assert_eq!(names, [Over, Ending, Ending, Short, Short, Enough]);
    }
}
