//! How figures are shown to people.

use market::{Amount, JobId};

/// A token as it is shown.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    pub(crate) symbol: String,
    pub(crate) decimals: u8,
}

impl Token {
    pub(crate) fn of(market: &chain::Market) -> Self {
        Self { symbol: market.symbol().to_owned(), decimals: market.decimals() }
    }

    /// `1.5 GPU`.
    pub(crate) fn show(&self, amount: Amount) -> String {
        format!("{} {}", amount.in_tokens(self.decimals), self.symbol)
    }
}

/// An amount that somebody else wrote down, in whole tokens.
pub(crate) fn money(money: &wire::http::Money, token: &Token) -> String {
    money.amount.parse().map_or_else(|_| crate::ui::tame(&money.amount), |units| token.show(Amount(units)))
}

/// What pays for gas, from wei: never more than there is, in six digits after the point.
pub(crate) fn coin(wei: alloy_primitives::U256) -> String {
    let microns = wei / alloy_primitives::U256::from(1_000_000_000_000_u64);
    Amount(microns.try_into().unwrap_or(u128::MAX)).in_tokens(6)
}

/// `2027-01-01 00:00:01`, in UTC.
pub(crate) fn time(at: jiff::Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%S").to_string()
}

/// A block time as people read it, in UTC.
pub(crate) fn when(at: market::Timestamp) -> String {
    i64::try_from(at.0).ok().and_then(|at| jiff::Timestamp::from_second(at).ok()).map_or("never".into(), time)
}

/// Bytes in the unit that fits.
pub(crate) fn bytes(count: u64) -> String {
    indicatif::HumanBytes(count).to_string()
}

/// A transaction or hash, shortened for people.
pub(crate) fn short(hash: &impl ToString) -> String {
    let text = hash.to_string();
    match (text.get(..10), text.len() > 20) {
        (Some(head), true) => format!("{head}…"),
        _ => text,
    }
}

/// A job, shortened for people.
pub(crate) fn job(id: JobId) -> String {
    short(&id)
}

/// A job as it is typed: enough digits to be the only one.
pub(crate) fn handle(id: JobId) -> String {
    id.to_string().chars().take(10).collect()
}

/// Reads a job or receipt that was copied from a table, where its name may end in `…`.
pub(crate) fn typed(text: &str) -> Result<String, std::convert::Infallible> {
    Ok(text.trim().trim_end_matches('…').to_owned())
}

/// `1 block`, `2 blocks`.
pub(crate) fn count(number: u64, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

/// Entries that a person may ask for in one list.
const LISTED_MAX: usize = 10_000;

/// Reads how many entries are wanted.
pub(crate) fn limit(text: &str) -> Result<usize, String> {
    match text.parse() {
        Ok(limit) if (1..=LISTED_MAX).contains(&limit) => Ok(limit),
        _ => Err(format!("write a number from 1 to {LISTED_MAX}")),
    }
}
