//! Units that cannot be swapped unnoticed: token amounts, hourly prices, seconds, block times, sizes.

use std::fmt;

/// Token money in the smallest unit of the market's settlement token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Amount(pub u128);

impl Amount {
    /// No money.
    pub const ZERO: Self = Self(0);

    /// What is left after taking `other`, never below zero.
    #[must_use]
    pub fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }

    /// The sum, held at the largest amount.
    #[must_use]
    pub fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }

    /// The amount in whole tokens of `decimals` places, without trailing zeros: `1500000` with 6 is `1.5`.
    #[must_use]
    pub fn in_tokens(self, decimals: u8) -> String {
        let digits = format!("{:0>width$}", self.0, width = usize::from(decimals) + 1);
        let (whole, fraction) = digits.split_at(digits.len() - usize::from(decimals));
        match fraction.trim_end_matches('0') {
            "" => whole.to_owned(),
            fraction => format!("{whole}.{fraction}"),
        }
    }

    /// Reads whole tokens such as `1.5`; `None` when it is no plain decimal or has more places than the token.
    #[must_use]
    pub fn from_tokens(text: &str, decimals: u8) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() || !plain(whole) || !plain(fraction) || fraction.len() > usize::from(decimals) {
            return None;
        }
        format!("{whole}{fraction:0<width$}", width = usize::from(decimals)).parse().ok().map(Self)
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A price: smallest units for one hour. The contract stores it in 96 bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PerHour(pub u128);

impl PerHour {
    /// The largest price that the terms of a job can carry.
    pub const MAX: Self = Self((1 << 96) - 1);

    /// What `seconds` cost: ⌊price · seconds / 3600⌋, floored once.
    #[must_use]
    pub fn cost(self, seconds: Seconds) -> Amount {
        // Split so that the product fits: ⌊(3600q + r)·s / 3600⌋ = q·s + ⌊r·s / 3600⌋.
        let (hours, rest) = (self.0 / 3600, self.0 % 3600);
        let seconds = u128::from(seconds.0);
        Amount(hours * seconds + rest * seconds / 3600)
    }

    /// What stake must be tied to vouch for `seconds`: ⌈price · seconds / 3600⌉, so that it is never too little.
    #[must_use]
    pub fn tie(self, seconds: Seconds) -> Amount {
        let (hours, rest) = (self.0 / 3600, self.0 % 3600);
        let seconds = u128::from(seconds.0);
        Amount(hours * seconds + (rest * seconds).div_ceil(3600))
    }

    /// The most seconds, up to `most`, that `free` stake vouches for.
    #[must_use]
    pub fn vouched(self, free: Amount, most: Seconds) -> Seconds {
        if self.tie(most) <= free {
            return most;
        }
        // Here the price is above zero, and `free` is less than the cost of `most` seconds.
        let (hours, rest) = (free.0 / self.0, free.0 % self.0);
        let seconds = hours * 3600 + rest * 3600 / self.0;
        Seconds(u64::try_from(seconds).unwrap_or(u64::MAX)).min(most)
    }
}

/// A length of time in whole seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(pub u64);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 3600, self.0 / 60 % 60, self.0 % 60) {
            (0, 0, s) => write!(f, "{s} s"),
            (0, m, 0) => write!(f, "{m} min"),
            (0, m, s) => write!(f, "{m} min {s} s"),
            (h, 0, 0) => write!(f, "{h} h"),
            (h, m, _) => write!(f, "{h} h {m} min"),
        }
    }
}

/// A block time: seconds since 1970 UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(pub u64);

impl Timestamp {
    /// Seconds from `earlier` to here, zero when `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> Seconds {
        Seconds(self.0.saturating_sub(earlier.0))
    }

    /// The moment `seconds` later.
    #[must_use]
    pub fn after(self, seconds: Seconds) -> Self {
        Self(self.0.saturating_add(seconds.0))
    }
}

/// A size in MiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mebibytes(pub u64);

impl Mebibytes {
    /// The size in bytes.
    #[must_use]
    pub const fn bytes(self) -> u64 {
        self.0 << 20
    }
}

impl fmt::Display for Mebibytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 1024, self.0 % 1024 * 10 / 1024) {
            (0, _) => write!(f, "{} MiB", self.0),
            (whole, 0) => write!(f, "{whole} GiB"),
            (whole, tenths) => write!(f, "{whole}.{tenths} GiB"),
        }
    }
}

/// Hundredths of a percent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BasisPoints(pub u16);

impl BasisPoints {
    /// This share of `amount`, floored.
    #[must_use]
    pub fn of(self, amount: Amount) -> Amount {
        // Split so that no amount overflows: ⌊(10⁴q + r)·b / 10⁴⌋ = q·b + ⌊r·b / 10⁴⌋.
        let (whole, rest) = (amount.0 / 10_000, amount.0 % 10_000);
        Amount(whole * u128::from(self.0) + rest * u128::from(self.0) / 10_000)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_read_back_what_they_show() {
        for (units, shown) in
            [(0, "0"), (1, "0.000001"), (1_500_000, "1.5"), (2_000_000, "2"), (12_345_678, "12.345678")]
        {
            assert_eq!(Amount(units).in_tokens(6), shown);
            assert_eq!(Amount::from_tokens(shown, 6), Some(Amount(units)));
        }
        for bad in ["", ".", ".5", "-1", "1e3", "0.0000001", "1.2.3", "１"] {
            assert_eq!(Amount::from_tokens(bad, 6), None, "{bad}");
        }
        assert_eq!(Amount(7).in_tokens(0), "7");
    }

    #[test]
    fn cost_of_the_largest_price_does_not_overflow() {
        let month = Seconds(u64::from(u32::MAX) + (1 << 24));
        assert!(PerHour::MAX.cost(month) > PerHour::MAX.cost(Seconds(3600)));
        assert_eq!(PerHour::MAX.cost(Seconds(3600)), Amount(PerHour::MAX.0));
    }

    proptest! {
        #[test]
        fn stake_vouches_for_as_many_seconds_as_it_can_be_tied_for(price in 0..1_u128 << 96, free: u64, most in 0..=3600_u64) {
            let (price, free, most) = (PerHour(price), Amount(free.into()), Seconds(most));
            let seconds = price.vouched(free, most);
            prop_assert!(seconds <= most && price.tie(seconds) <= free);
            prop_assert!(seconds == most || price.tie(Seconds(seconds.0 + 1)) > free, "one more would not fit");
            let tie = price.tie(seconds).0 - price.cost(seconds).0;
            prop_assert!(tie <= 1, "rounded up once");
        }
    }
}
