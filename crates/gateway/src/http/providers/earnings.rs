//! `GET /api/v1/providers/{id}/earnings`: what the chain paid it.

use axum::{Json, extract::State};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use market::Amount;
use wire::http::{EarningsJson, Money};

use crate::{
    GatewayError,
    http::{openapi::ProviderName, path::ProviderId},
    state::{Shared, now},
};

const DAY_S: u64 = 24 * 3600;
/// Days of the history.
const HISTORY_DAYS: u64 = 90;

/// Show a provider's earnings
///
/// Net of fees, by block time, days in UTC: what the chain says that it received.
#[utoipa::path(
    get,
    path = "/api/v1/providers/{id}/earnings",
    tag = "providers",
    params(("id" = ProviderName, Path, description = "Number, or address of owner or agent.")),
    responses((status = 200, description = "Sums and history.", body = EarningsJson))
)]
pub(crate) async fn earnings(State(shared): State<Shared>, id: ProviderId) -> Result<Json<EarningsJson>, GatewayError> {
    let provider = super::named(&shared, id).await?;
    let today = now() / DAY_S;
    let first = today.saturating_sub(HISTORY_DAYS - 1);
    let total = shared.store.earnings_total(provider.id).await?;
    let days = shared.store.earnings(provider.id, market::Timestamp(first * DAY_S)).await?;
    let money = |amount| Money::new(amount, shared.market.token());
    let last = |count: u64| money(sum(&days, (today + 1).saturating_sub(count)));
    Ok(Json(EarningsJson {
        total: money(total),
        today: last(1),
        week: last(7),
        month: last(30),
        history: days.iter().map(|(day, amount)| (date(*day), money(*amount))).collect(),
    }))
}

/// What came on `from` and later. Block time may be ahead of this machine's clock.
fn sum(days: &[(u64, Amount)], from: u64) -> Amount {
    let counted = days.iter().filter(|(day, _)| *day >= from);
    Amount(counted.fold(0, |sum: u128, (_, amount)| sum.saturating_add(amount.0)))
}

/// The day with this number since 1970.
fn date(day: u64) -> String {
    let at = i64::try_from(day.saturating_mul(DAY_S)).ok().and_then(|second| Timestamp::from_second(second).ok());
    at.map_or(Date::MAX, |at| at.to_zoned(TimeZone::UTC).date()).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_midnight_utc() {
        assert_eq!(date(0), "1970-01-01");
        assert_eq!(date(20_412), "2025-11-20");
        let days = [(5, Amount(1)), (6, Amount(20)), (7, Amount(300))];
        assert_eq!([8, 7, 6, 0].map(|from| sum(&days, from).0), [0, 300, 320, 321]);
    }
}
