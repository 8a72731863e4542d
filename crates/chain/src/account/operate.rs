//! What the platform's roles may do.

use alloy::primitives::{Address, U256};
use market::{Amount, BasisPoints};

use super::{Account, Mined};
use crate::{
    ChainError,
    bindings::{market::Market as contract, token::GPUToken as token},
};

impl Account {
    /// Blocks new jobs and listings, and nothing else.
    pub async fn pause_market(&self) -> Result<Mined, ChainError> {
        self.send(&contract::pauseCall {}).await
    }

    /// Lets new jobs and listings come again.
    pub async fn unpause_market(&self) -> Result<Mined, ChainError> {
        self.send(&contract::unpauseCall {}).await
    }

    /// Sets the platform's share for jobs created from now on.
    pub async fn set_fee(&self, fee: BasisPoints) -> Result<Mined, ChainError> {
        self.send(&contract::setFeeCall::from((fee.0,))).await
    }

    /// Lets `watcher` report silence in jobs that it controls, or no longer.
    pub async fn set_watcher(&self, watcher: Address, registered: bool) -> Result<Mined, ChainError> {
        self.send(&contract::setWatcherCall { watcher, registered }).await
    }

    /// Lets `oracle` report silence in any job, or no longer.
    pub async fn set_oracle(&self, oracle: Address, registered: bool) -> Result<Mined, ChainError> {
        self.send(&contract::setOracleCall { oracle, registered }).await
    }

    /// Takes the fees booked so far.
    pub async fn withdraw_fees(&self, to: Address) -> Result<Mined, ChainError> {
        self.send(&contract::withdrawFeesCall { to }).await
    }

    /// Creates settlement tokens, on chains where the token is ours.
    pub async fn mint(&self, to: Address, amount: Amount) -> Result<Mined, ChainError> {
        self.send_to(self.market().token(), &token::mintCall { to, amount: U256::from(amount.0) }).await
    }
}
