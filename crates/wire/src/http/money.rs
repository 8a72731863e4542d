//! Money as every body writes it.

use alloy_primitives::Address;
use market::Amount;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::WireError;

/// An amount of a token. As answered, `amount` is a whole number of smallest units; as asked, a value with a point
/// means whole tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Money {
    /// Digits; with a point, whole tokens.
    #[schema(example = "2500000")]
    pub amount: String,
    /// The token's contract.
    #[schema(value_type = crate::schema::Account)]
    pub token: Address,
}

impl Money {
    /// An amount of smallest units.
    #[must_use]
    pub fn new(amount: Amount, token: Address) -> Self {
        Self { amount: amount.0.to_string(), token }
    }

    /// The amount in smallest units of the market's token, which has `decimals` places.
    pub fn amount(&self, token: Address, decimals: u8) -> Result<Amount, WireError> {
        if self.token != token {
            let reason = format!("this market settles in {token}, not in {}", self.token);
            return Err(WireError::field("token", reason));
        }
        if self.amount.contains('.') {
            return tokens("amount", &self.amount, decimals);
        }
        let reason =
            || format!("{:?} is neither a whole number of smallest units nor tokens with a point", self.amount);
        self.amount.parse().map(Amount).map_err(|_| WireError::field("amount", reason()))
    }
}

/// Reads whole tokens, written with a point. A bare integer could mean two things and is refused with both readings.
pub(crate) fn tokens(field: &str, text: &str, decimals: u8) -> Result<Amount, WireError> {
    let bad = || {
        let reason = format!("{text:?} is no amount: write digits, a point and at most {decimals} digits after it");
        WireError::field(field, reason)
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((whole, part)) = text.split_once('.') else {
        let units: u128 = if is_digits(text) { text.parse().map_err(|_| bad())? } else { return Err(bad()) };
        return Err(WireError::field(field, both_readings(units, decimals)));
    };
    if !is_digits(whole) || !is_digits(part) || part.len() > usize::from(decimals) {
        return Err(bad());
    }
    let digits = format!("{whole}{part:0<width$}", width = usize::from(decimals));
    digits.parse().map(Amount).map_err(|_| bad())
}

fn both_readings(units: u128, decimals: u8) -> String {
    let width = usize::from(decimals);
    let digits = format!("{units:0>width$}", width = width + 1);
    let (whole, part) = digits.split_at(digits.len() - width);
    let point = if width == 0 { "" } else { "." };
    format!(
        "{units} could mean two things: write \"{units}.0\" for {units} whole tokens, or \"{whole}{point}{part}\" for \
         {units} smallest units"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<u128>) {
        assert_eq!(tokens("maxPrice", text, 6).ok(), expected.map(Amount), "{text}");
    }

    #[test]
    fn a_bare_integer_is_answered_with_both_readings() {
        let said = tokens("maxPrice", "12", 6).unwrap_err().to_string();
        assert!(said.contains("\"12.0\" for 12 whole tokens, or \"0.000012\" for 12 smallest units"), "{said}");
        assert!(both_readings(12_345_678, 6).contains("\"12.345678\""));
        assert!(tokens("maxPrice", "-2", 6).unwrap_err().to_string().contains("is no amount"));
    }

    #[test]
    fn tokens_have_a_point_and_nothing_ambiguous_is_read() {
        check("2.5", Some(2_500_000));
        check("0.000001", Some(1));
        check("2.0", Some(2_000_000));
        check("2", None);
        check("2.", None);
        check(".5", None);
        check("-1.0", None);
        check("0.0000001", None);
        check("1e3.0", None);
        check("999999999999999999999999999999999999999.0", None);
    }
}
