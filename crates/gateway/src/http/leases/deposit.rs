//! Deposits into channels, sent for their payers within a budget of gas.

use alloy_primitives::{Address, B256, U256};
use chain::{Account, ChainError, Erc20, X402, calls::x402};
use wire::x402::{ChannelConfig, Deposit, DepositAuthorization, reason, typed};

use super::pay::Sale;
use crate::{
    GatewayError,
    state::{Shared, now},
};

/// Gas that one payer's deposits may cost in a day: eight of them. Each deposit comes with a set-up that pays for two.
const GAS_A_DAY: u64 = 1_000_000;
/// What a deposit costs at most.
const DEPOSIT_GAS: u64 = 125_000;
const DAY_S: u64 = 24 * 3600;

/// Why there is no deposit.
pub(super) enum Refused {
    /// The client can do better; a code of [`reason`].
    Code(&'static str),
    /// It cannot, or nobody knows what became of it.
    Error(GatewayError),
}

impl From<GatewayError> for Refused {
    fn from(error: GatewayError) -> Self {
        Self::Error(error)
    }
}

/// The token that channels hold, read once.
pub(super) async fn token(shared: &Shared) -> Result<&Erc20, GatewayError> {
    let open = || Erc20::open(shared.market.chain().clone(), shared.market.token());
    let chain = |error: ChainError| GatewayError::Chain { reason: error.to_string() };
    shared.leases.token.get_or_try_init(open).await.map_err(chain)
}

/// Sends a deposit, unless it was sent before. Gives its transaction.
pub(super) async fn send(
    shared: &Shared,
    contracts: &X402,
    sale: &Sale,
    (id, config, deposit): (B256, &ChannelConfig, &Deposit),
) -> Result<Option<B256>, Refused> {
    let least = wire::x402::BatchOffer::of_extra(&sale.requirements.extra).and_then(|offer| offer.min_deposit);
    if least.is_some_and(|least| deposit.amount < least) {
        return Err(Refused::Code(reason::BATCH_MIN_DEPOSIT));
    }
    let DepositAuthorization::Erc3009Authorization(given) = &deposit.authorization else {
        return Err(Refused::Code(reason::BATCH_ERC3009));
    };
    if given.valid_before <= u128::from(now()) {
        return Err(Refused::Code(reason::BATCH_VALID_BEFORE));
    }
    let token = token(shared).await?;
    let chain = |error: ChainError| Refused::Error(GatewayError::Chain { reason: error.to_string() });
    // Whoever sent it: the money is in this channel, for the nonce names it.
    let nonce = typed::deposit_nonce(id, given.salt);
    if token.authorization_used(config.payer, nonce).await.map_err(chain)? {
        return Ok(None);
    }
    let key = gas(shared)?;
    let (day, most) = (now() / DAY_S, GAS_A_DAY);
    if !shared.store.spend_gas(config.payer, day, DEPOSIT_GAS, most).await.map_err(GatewayError::from)? {
        let what =
            "this payer's deposits cost as much gas as this gateway pays in a day; send the deposit yourself".into();
        return Err(GatewayError::Conflict { what }.into());
    }
    let data = x402::erc3009_data(
        U256::from(given.valid_after),
        U256::from(given.valid_before),
        given.salt,
        given.signature.clone(),
    );
    let (collector, at) = (contracts.erc3009_collector, contracts.channels);
    let call = x402::deposit(at, &config.typed(), deposit.amount, collector, data);
    match key.execute(&call).await {
        Ok(mined) => Ok(Some(mined.tx)),
        Err(error) if error.revert().is_some() => {
            // Somebody else may have sent it at this very moment.
            match token.authorization_used(config.payer, nonce).await.map_err(chain)? {
                true => Ok(None),
                false => Err(Refused::Code(reason::BATCH_DEPOSIT_SIMULATION)),
            }
        }
        Err(error @ ChainError::Unreachable { .. }) => Err(chain(error)),
        Err(error) => Err(GatewayError::Unknown {
            what: format!("it is not known yet whether the deposit is in ({error}): send the same payment again, it is put in once"),
        }
        .into()),
    }
}

/// The key that pays gas.
fn gas(shared: &Shared) -> Result<Account, GatewayError> {
    let what = "this gateway pays no gas: put the deposit in yourself and pay with a voucher";
    shared.watcher.clone().ok_or_else(|| GatewayError::NotHere { what: what.into() })
}

/// Whose money a channel holds.
pub(super) fn payer(config: &ChannelConfig) -> Address {
    config.payer
}
