//! What it may cost to serve others.

use std::collections::HashMap;

use alloy_primitives::Address;
use chain::{Chain, ChainError};

use super::{DEPOSIT_GAS, EXACT_GAS};
use crate::assets::is_testnet;

/// A set-up charge covers the deposit's gas so many times at least.
pub const SET_UP_GAS_MULTIPLE: u128 = 2;
/// A deposit is worth its gas so many times at least.
pub const MIN_DEPOSIT_GAS_MULTIPLE: u128 = 50;
/// Official clients deposit five dollars at most, in smallest units: where more is needed, channels are not offered.
pub const MIN_DEPOSIT_MAX: u128 = 5_000_000;

/// What is moved at somebody else's gas is worth the gas so many times at least: who moves dust only burns gas.
pub const WORTH_GAS_MULTIPLE: u128 = 2;
/// Gas that `transferWithAuthorization` takes; [`EXACT_GAS`] is granted.
pub const EXACT_GAS_TAKEN: u64 = 90_000;

/// What a coin is taken to be worth unless the operator says otherwise: more than most have been, in smallest units of a
/// dollar token with six decimal places. Too much only raises the least amounts.
const COIN_DEAR: u128 = 5_000_000_000;
/// The same for chains whose gas is paid in a cheap coin, which have high prices of gas instead.
const COIN_CHEAP: u128 = 2_000_000;
/// Polygon and Avalanche.
const CHEAP: &[(u64, u128)] = &[(137, COIN_CHEAP), (43_114, 100_000_000)];

/// Wei in one coin.
const WEI: u128 = 1_000_000_000_000_000_000;

/// What gas costs, in money.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GasPrice {
    /// Wei for a unit of gas.
    pub wei: u128,
    /// Smallest units of the token for one whole coin of the chain.
    pub coin: u128,
}

impl GasPrice {
    /// What `gas` costs in smallest units of the token, rounded up.
    #[must_use]
    pub fn cost(self, gas: u64) -> u128 {
        u128::from(gas).saturating_mul(self.wei).saturating_mul(self.coin).div_ceil(WEI)
    }

    /// The least that is moved where that takes `gas`, in smallest units of the token; never nothing.
    #[must_use]
    pub fn least(self, gas: u64) -> u128 {
        self.cost(gas).saturating_mul(WORTH_GAS_MULTIPLE).max(1)
    }

    /// The least that setting up a channel is charged: twice the deposit's gas.
    #[must_use]
    pub fn set_up_charge(self) -> u128 {
        self.cost(DEPOSIT_GAS).saturating_mul(SET_UP_GAS_MULTIPLE)
    }

    /// The least deposit for something that costs `hourly` an hour: an hour of it, and fifty times the deposit's gas.
    /// Nothing where that is more than official clients deposit: then channels are not offered.
    #[must_use]
    pub fn min_deposit(self, hourly: u128) -> Option<u128> {
        let least = hourly.max(self.cost(DEPOSIT_GAS).saturating_mul(MIN_DEPOSIT_GAS_MULTIPLE));
        (least <= MIN_DEPOSIT_MAX).then_some(least)
    }
}

/// How much gas is paid for whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Gas a day for each payer.
    pub gas_a_day: u64,
    /// Gas a day for those who have more or less.
    pub budgets: HashMap<Address, u64>,
    /// What one coin of the chain is worth, in smallest units of the token: it tells how little is not worth its gas. Not
    /// told, it is nothing on networks for tests, and on others more than most coins have been worth.
    pub coin: Option<u128>,
}

impl Default for Limits {
    /// Enough for twenty payments and four deposits a day.
    fn default() -> Self {
        Self { gas_a_day: 20 * EXACT_GAS + 4 * DEPOSIT_GAS, budgets: HashMap::new(), coin: None }
    }
}

impl Limits {
    /// Gas that is paid for `payer` in a day.
    #[must_use]
    pub fn gas_of(&self, payer: Address) -> u64 {
        self.budgets.get(&payer).copied().unwrap_or(self.gas_a_day)
    }

    /// What gas costs on `chain` now.
    pub async fn gas_price(&self, chain: &Chain) -> Result<GasPrice, ChainError> {
        let coin = self.coin_on(chain.id());
        let wei = if coin == 0 { 0 } else { chain.gas_price().await? };
        Ok(GasPrice { wei, coin })
    }

    fn coin_on(&self, chain_id: u64) -> u128 {
        let known = || CHEAP.iter().find(|(chain, _)| *chain == chain_id).map(|(_, coin)| *coin);
        self.coin.unwrap_or_else(|| match is_testnet(chain_id) {
            Some(true) => 0,
            _ => known().unwrap_or(COIN_DEAR),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn gas_is_money_rounded_up() {
        // One gwei, and a coin of 3000 dollars: 250,000 gas are 0.75 dollars.
        let price = GasPrice { wei: 1_000_000_000, coin: 3_000_000_000 };
        assert_eq!(price.cost(DEPOSIT_GAS), 750_000);
        assert_eq!(price.set_up_charge(), 1_500_000);
        assert_eq!(price.min_deposit(0), None, "37.5 dollars are more than clients deposit");
        assert_eq!(GasPrice { wei: 1, coin: 1 }.cost(1), 1);
        assert_eq!(GasPrice { wei: 0, coin: 1 }.cost(1), 0);
    }

    #[test]
    fn what_is_moved_is_worth_its_gas() {
        let price = GasPrice { wei: 5_000_000, coin: 5_000_000_000 };
        assert_eq!(price.least(EXACT_GAS_TAKEN), 4_500, "half a cent on a second layer");
        assert_eq!(GasPrice { wei: 0, coin: 0 }.least(EXACT_GAS_TAKEN), 1, "but never nothing");
        let check = |coin, chain, expected| assert_eq!(Limits { coin, ..Limits::default() }.coin_on(chain), expected);
        check(None, 84_532, 0);
        check(None, 8453, COIN_DEAR);
        check(None, 137, COIN_CHEAP);
        check(None, 999_999, COIN_DEAR);
        check(Some(7), 84_532, 7);
    }

    #[test]
    fn a_deposit_lasts_an_hour_and_is_worth_its_gas() {
        // A hundredth of a gwei, as second layers ask.
        let price = GasPrice { wei: 10_000_000, coin: 3_000_000_000 };
        let check = |hourly, expected| assert_eq!(price.min_deposit(hourly), expected, "{hourly}");
        check(0, Some(375_000));
        check(374_999, Some(375_000));
        check(2_000_000, Some(2_000_000));
        check(5_000_000, Some(5_000_000));
        check(5_000_001, None);
    }
}
