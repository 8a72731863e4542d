//! The market wallet: what somebody has, how to deposit and to withdraw, what was spent.

pub(crate) mod analytics;
pub(crate) mod balance;
pub(crate) mod deposit;
pub(crate) mod suspense;
pub(crate) mod transactions;
pub(crate) mod withdraw;
