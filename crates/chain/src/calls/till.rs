//! Deposits into a market's wallet.

use alloy::{
    primitives::{Address, B256, U256},
    sol,
};
use market::Amount;

use crate::Call;

sol! {
    /// Moves tokens of the sender's, who has allowed it, to the treasury and says for whose account.
    function deposit(bytes32 account, uint256 amount) external;
}

/// Deposits for an account of the market's ledger, from a sender that has approved the till.
#[must_use]
pub fn deposit(till: Address, account: B256, amount: Amount) -> Call {
    Call::new(till, &depositCall { account, amount: U256::from(amount.0) })
}
