//! `GET /api/v1/payments/stream/{id}`: a job's money by the second.

use alloy_primitives::B256;
use axum::{Json, extract::State};
use market::{Amount, Seconds, Status, Stream, Timestamp};
use serde::Deserialize;
use store::{EventRow, JobRow};
use utoipa::IntoParams;
use wire::http::{Money, PaymentStreamJson, Payout, Runway, StreamPoint};

use crate::{
    GatewayError,
    http::{
        jobs::{found, status::stands, view},
        page::{Query, malformed},
        path::Id,
    },
    state::{Shared, now},
};

/// Seconds of a series when nothing is said.
const SERIES_S: u64 = 60;
/// The longest series: an hour, which is under 200 KiB.
const SERIES_S_MAX: u64 = 3600;
/// Digits after the point of the price of a second.
const DISPLAY_DIGITS: u128 = 1_000_000;
const HOUR_S: u128 = 3600;

/// How much of the past is wanted.
#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct Wish {
    /// Seconds of the clock in the series, 1 to 3600; 60 when left out.
    #[param(minimum = 1, maximum = 3600)]
    seconds: Option<u64>,
}

/// A job's money by the second: what is accrued, paid and left, how long it reaches, and the last seconds one by one.
#[utoipa::path(get, path = "/api/v1/payments/stream/{id}", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job."), Wish),
    responses((status = 200, description = "The stream as it stands.", body = PaymentStreamJson)),
)]
pub(crate) async fn stream(
    State(shared): State<Shared>,
    Id(id): Id,
    Query(wish): Query<Wish>,
) -> Result<Json<PaymentStreamJson>, GatewayError> {
    let wished = wish.seconds.unwrap_or(SERIES_S);
    if !(1..=SERIES_S_MAX).contains(&wished) {
        return Err(malformed("seconds", format!("a series has 1 to {SERIES_S_MAX} seconds")));
    }
    let row = found(&shared, id).await?;
    let stands = stands(&shared, &row).await?;
    let events = shared.store.job_events(row.id).await?;
    let head = shared.index.borrow().head.map(|head| head.at).unwrap_or_default();
    Ok(Json(shown(&row, &events, stands, head.max(Timestamp(now())), (wished, shared.market.token()))))
}

fn shown(
    row: &JobRow,
    events: &[EventRow],
    stands: Option<Timestamp>,
    now: Timestamp,
    (wished, token): (u64, alloy_primitives::Address),
) -> PaymentStreamJson {
    let status = view::status(row, stands, now, token);
    let stream = view::stream(row);
    let is_streaming = row.status == Status::Running && status.runway_s > 0;
    let price = row.terms.pricePerHour.to::<u128>();
    PaymentStreamJson {
        job_id: B256::from(row.id.0),
        status: status.status,
        is_streaming,
        at: status.at,
        price_per_hour: Money::new(Amount(price), token),
        per_second: per_second(price),
        locked: Money::new(row.locked, token),
        seconds: status.seconds,
        accrued: status.accrued,
        paid: status.paid,
        left: status.left,
        runway_s: status.runway_s,
        runway: Runway::of(status.runway_s),
        runs_out_at: is_streaming.then(|| view::moment(now.max(row.since).after(Seconds(status.runway_s)))),
        series: series(&stream, status.seconds, wished),
        payouts: events.iter().filter_map(|event| payout(event, token)).collect(),
    }
}

/// The last `wished` seconds up to `last`, each with what the clock had earned by then.
fn series(stream: &Stream, last: u64, wished: u64) -> Vec<StreamPoint> {
    let point = |second| StreamPoint { second, accrued: stream.earned(Seconds(second)).0.to_string() };
    (last.saturating_sub(wished - 1)..=last).map(point).collect()
}

fn payout(event: &EventRow, token: alloy_primitives::Address) -> Option<Payout> {
    let amount = event.earned.filter(|amount| *amount > Amount::ZERO)?;
    Some(Payout { at: view::moment(event.at), tx: event.tx, amount: Money::new(amount, token) })
}

/// Smallest units a second, as a decimal number that is floored after six digits.
fn per_second(price: u128) -> String {
    let rest = (price % HOUR_S) * DISPLAY_DIGITS / HOUR_S;
    format!("{}.{rest:06}", price / HOUR_S)
}

#[cfg(test)]
mod tests {
    use market::{BasisPoints, PerHour};

    use super::*;

    #[test]
    fn a_second_is_shown_with_six_digits() {
        let shown = [0, 1, 3599, 3600, 2_500_000].map(per_second);
        assert_eq!(shown, ["0.000000", "0.000277", "0.999722", "1.000000", "694.444444"]);
    }

    #[test]
    fn a_series_ends_where_the_clock_stands() {
        let stream =
            Stream { price: PerHour(3600), min_charge: Amount(5), duration: Seconds(100), fee: BasisPoints(0) };
        let points = |last, wished| {
            series(&stream, last, wished).into_iter().map(|point| (point.second, point.accrued)).collect::<Vec<_>>()
        };
        assert_eq!(points(0, 60), [(0, "0".into())], "before it runs");
        assert_eq!(points(7, 3), [(5, "5".into()), (6, "6".into()), (7, "7".into())]);
        assert_eq!(points(2, 60), [(0, "0".into()), (1, "5".into()), (2, "5".into())], "the least that is due");
        assert_eq!(points(100, 1), [(100, "100".into())]);
    }
}
