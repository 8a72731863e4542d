//! Deposits into channels, sent for their payers within a budget of gas.

use alloy_primitives::{Address, B256};
use chain::{ChainError, Channels, Erc20, X402};
use market::Timestamp;
use payments::{
    PaymentsError,
    facilitator::{Batch, DEPOSIT_GAS},
};
use wire::{
    link::{LeaseAsk, LeaseReply},
    x402::{ChannelConfig, Deposit, DepositAuthorization, VoucherFields, reason, typed},
};

use super::{
    ask,
    pay::{Sale, unexpected},
};
use crate::{
    GatewayError,
    state::{Shared, now},
};

/// Gas that one payer's deposits may cost in a day: eight of them. Each deposit comes with a set-up that pays for two.
const GAS_A_DAY: u64 = 8 * DEPOSIT_GAS;
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

/// Who checks and makes deposits: the key that sends nothing else, whose gas of a day is capped.
async fn batch(shared: &Shared, contracts: &X402) -> Result<Batch, GatewayError> {
    let what = "this gateway pays no gas: put the deposit in yourself and pay with a voucher";
    let payments = shared.x402.as_ref().ok_or_else(|| GatewayError::NotHere { what: what.into() })?;
    let token = token(shared).await?.clone();
    let open = Channels::open(shared.market.chain().clone(), contracts.channels).await;
    let channels = open.map_err(|error| GatewayError::Chain { reason: error.to_string() })?;
    Batch::new(channels, token, payments.sender.clone())
        .map_err(|error| GatewayError::Chain { reason: error.to_string() })
}

/// Sends a deposit, unless it was sent before. Gives its transaction. No gas is counted and nothing is sent before its
/// signatures are right, its first voucher pays what is due, and the contract would take it.
pub(super) async fn send(
    shared: &Shared,
    contracts: &X402,
    sale: &Sale,
    (config, voucher, deposit): (&ChannelConfig, &VoucherFields, &Deposit),
) -> Result<Option<B256>, Refused> {
    let DepositAuthorization::Erc3009Authorization(given) = &deposit.authorization else {
        return Err(Refused::Code(reason::BATCH_ERC3009));
    };
    let batch = batch(shared, contracts).await?;
    let chain = |error: ChainError| Refused::Error(GatewayError::Chain { reason: error.to_string() });
    // Whoever sent it: the money is in this channel, for the nonce names it.
    let nonce = typed::deposit_nonce(voucher.channel_id, given.salt);
    let used = || batch.token().authorization_used(config.payer, nonce);
    if used().await.map_err(chain)? {
        return Ok(None);
    }
    let (purpose, _) = batch.deposit_call(config, deposit).map_err(|refusal| Refused::Code(refusal.code))?;
    if !batch.sender().begun(&purpose).await.map_err(failed)? {
        let checked = batch.check_deposit(config, voucher, deposit, &sale.requirements, Timestamp(now()));
        checked.map_err(|refusal| Refused::Code(refusal.code))?;
        is_due(shared, sale, config, voucher).await?;
        batch.simulate_deposit(config, deposit).await.map_err(failed)?;
        let (day, most) = (now() / DAY_S, GAS_A_DAY);
        if !shared.store.spend_gas(config.payer, day, DEPOSIT_GAS, most).await.map_err(GatewayError::from)? {
            let what =
                "this payer's deposits cost as much gas as this gateway pays in a day; send the deposit yourself"
                    .into();
            return Err(GatewayError::Conflict { what }.into());
        }
    }
    match batch.deposit(config, deposit).await {
        Ok(tx) => Ok(Some(tx)),
        // Somebody else may have sent it at this very moment.
        Err(PaymentsError::Payment(_)) if used().await.map_err(chain)? => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A deposit is sent for who pays with it: the agent says what is due after what was charged, and that nothing leaves.
async fn is_due(shared: &Shared, sale: &Sale, config: &ChannelConfig, voucher: &VoucherFields) -> Result<(), Refused> {
    match ask(shared, sale.agent, LeaseAsk::Channel { config: config.clone() }).await? {
        LeaseReply::Channel { channel, .. } => {
            if channel.withdraw_requested_at > 0 {
                return Err(Refused::Code(reason::BATCH_WITHDRAWING));
            }
            let charged = channel.charged_cumulative_amount.unwrap_or_default();
            match charged.checked_add(sale.requirements.amount) == Some(voucher.max_claimable_amount) {
                true => Ok(()),
                false => Err(Refused::Code(reason::BATCH_CUMULATIVE)),
            }
        }
        LeaseReply::Refused { reason, .. } => Err(GatewayError::Conflict { what: reason }.into()),
        _ => Err(unexpected().into()),
    }
}

/// Why there is no deposit, or why nobody knows.
fn failed(error: PaymentsError) -> Refused {
    match error {
        PaymentsError::Payment(refusal) => Refused::Code(refusal.code),
        PaymentsError::Chain(error) => Refused::Error(GatewayError::Chain { reason: error.to_string() }),
        PaymentsError::GasSpent { .. } => Refused::Error(GatewayError::Conflict {
            what: "this gateway has spent its gas of the day; send the deposit yourself and pay with a voucher".into(),
        }),
        error => Refused::Error(GatewayError::Unknown {
            what: format!(
                "it is not known yet whether the deposit is in ({error}): send the same payment again, it is put in once"
            ),
        }),
    }
}

/// Whose money a channel holds.
pub(super) fn payer(config: &ChannelConfig) -> Address {
    config.payer
}
