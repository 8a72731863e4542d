//! What an operator takes, settles and keeps: payments over HTTP, and the market wallet with its treasury.

use std::{
    collections::HashSet,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use alloy_primitives::Address;
use chain::{Channels, Deposits, Erc20, Market, Teller, Tills, WalletTill, X402};
use gateway::{Funding, GasCaps, HttpPayments, MarketWallet, WalletAsset};
use market::{Amount, Timestamp};
use payments::{
    accounts::Accounts,
    assets::{self, AssetConfig},
    channel::Desk,
    exact::Exact,
    facilitator::{Batch, Facilitator, FollowConfig, Limits, Receivers, Sender},
    ledger::{Ledger, LedgerConfig},
    treasury::{Treasury, TreasuryConfig},
};
use store::Store;
use tokio_util::sync::CancellationToken;
use wire::MarketFile;

use crate::{failure::Failure, keys::OperatorKeys, settings};

/// Blocks after which a deposit counts where blocks may be taken back: two and a half minutes on the slowest chain
/// that this is meant for.
const CONFIRMATIONS: u64 = 12;
/// On a chain of this machine nobody takes a block back.
const CONFIRMATIONS_HERE: u64 = 2;
/// Whole tokens that go out in an hour unless it is said otherwise: what a thief of the process can take.
const HOURLY_TOKENS: u128 = 1000;
/// The least that is paid out at once is this part of a whole token: more than the gas is worth.
const LEAST_PART: u128 = 10;
/// Who is listed is read this often: a provider that has just registered waits so long for its first settlement.
const LISTED_EVERY: Duration = Duration::from_secs(5);
/// Providers of one read of the store.
const PAGE: u64 = 200;

/// How money is taken and kept.
#[derive(clap::Args, Clone, Debug, Default)]
pub(crate) struct MoneyArgs {
    /// A receiver whose payments over HTTP are settled at this gateway's gas, beside the providers that the market lists.
    /// Repeatable.
    #[arg(long, value_name = "ADDRESS")]
    settle_for: Vec<Address>,
    /// Whole tokens that the treasury pays out in an hour, at most [default: 1000].
    #[arg(long, value_name = "TOKENS")]
    hourly_withdrawals: Option<u32>,
    /// Blocks after which a deposit counts, its own included [default: 12, on a chain of this machine 2].
    #[arg(long, value_name = "BLOCKS")]
    confirmations: Option<u64>,
    /// The chain's money is free, where that is not known of it.
    #[arg(long)]
    testnet: bool,
}

/// Everything that moves money, opened and not yet running.
pub(super) struct Money {
    pub(super) x402: Option<HttpPayments>,
    pub(super) wallet: Option<MarketWallet>,
    treasury: Option<Treasury>,
    listed: Listed,
}

impl Money {
    /// Opens what the market has the contracts for.
    pub(super) async fn open(
        args: &MoneyArgs,
        (file, market): (&MarketFile, &Market),
        store: &Store,
        keys: &OperatorKeys,
        holder: &str,
    ) -> Result<Self, Failure> {
        let listed = Listed::new(market, file, store, &args.settle_for).await?;
        let confirmations = args.confirmations.unwrap_or(match settings::is_here(&file.rpc) {
            true => 1,
            false => CONFIRMATIONS,
        });
        let follow = FollowConfig { confirmations, ..FollowConfig::default() };
        let sender = Sender::new(Teller::new(market.chain().clone(), keys.gas.clone()), store.clone(), follow);
        let x402 = http_payments(file, market, store, (&sender, &listed)).await?;
        let (wallet, treasury) = match wallet(args, (file, market), store, (keys, &sender), holder).await? {
            Some((wallet, treasury)) => (Some(wallet), Some(treasury)),
            None => (None, None),
        };
        Ok(Self { x402, wallet, treasury, listed })
    }

    /// The parts that run by themselves until `shutdown`.
    pub(super) async fn run(self, shutdown: CancellationToken) {
        let Self { treasury, listed, .. } = self;
        let stop = shutdown.clone();
        let treasury = async move {
            if let Some(treasury) = treasury {
                treasury.run(now, stop).await;
            }
        };
        tokio::join!(treasury, listed.follow(&shutdown));
    }
}

/// The market wallet for the settlement token, where its till pays this operator's treasury.
async fn wallet(
    args: &MoneyArgs,
    (file, market): (&MarketFile, &Market),
    store: &Store,
    (keys, sender): (&OperatorKeys, &Sender),
    holder: &str,
) -> Result<Option<(MarketWallet, Treasury)>, Failure> {
    let Some(contracts) = file.contracts else { return Ok(None) };
    let chain = market.chain().clone();
    let till = WalletTill::open(chain.clone(), contracts.till).await?;
    let treasury = keys.treasury.address();
    if till.treasury() != treasury {
        tracing::warn!(
            till = %till.treasury(), %treasury,
            "the market's till pays another treasury than this gateway's key: it keeps no money for anybody; name its \
             key keys/treasury.json, or deploy with --treasury"
        );
        return Ok(None);
    }
    let testnet = assets::is_testnet(chain.id()).unwrap_or(args.testnet);
    let config = AssetConfig { chain_id: chain.id(), token: market.token(), testnet };
    let held = assets::open(store, &chain, &[config]).await?;
    let confirmations = args.confirmations.unwrap_or(match settings::is_here(&file.rpc) {
        true => CONFIRMATIONS_HERE,
        false => CONFIRMATIONS,
    });
    let whole = 10_u128.pow(market.decimals().into());
    let hourly = args.hourly_withdrawals.map_or(HOURLY_TOKENS, u128::from).saturating_mul(whole);
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    let config = TreasuryConfig {
        from_block: file.deployed_at,
        till: Some(contracts.till),
        own: vec![market.address()],
        ..TreasuryConfig::new(holder, confirmations, i64::try_from(hourly).unwrap_or(i64::MAX))
    };
    let asset = WalletAsset {
        chain_id: chain.id(),
        token: market.token(),
        treasury,
        till: Some(contracts.till),
        confirmations: confirmations.max(1),
        least_out: Amount(whole.div_ceil(LEAST_PART)),
        most_out: Amount(hourly),
    };
    let treasury = Treasury::new(config, Teller::new(chain, keys.treasury.clone()), held, ledger.clone());
    let funding = Some(Funding { signer: keys.treasury.clone(), sender: sender.clone() });
    let accounts = Accounts::new(ledger.clone()).await?;
    Ok(Some((MarketWallet { ledger, accounts, assets: vec![asset], funding }, treasury)))
}

/// What payments over HTTP are taken with: where the market has addresses that buy a job, and a token that takes
/// signatures. What was signed before the last stop goes out again.
async fn http_payments(
    file: &MarketFile,
    market: &Market,
    store: &Store,
    (sender, listed): (&Sender, &Listed),
) -> Result<Option<HttpPayments>, Failure> {
    let Some(contracts) = file.contracts else { return Ok(None) };
    let chain = market.chain().clone();
    let token = Erc20::open(chain.clone(), market.token()).await?;
    let Ok(exact) = Exact::new(token.clone(), sender.clone(), store.clone()) else { return Ok(None) };
    let deposits = Deposits::open(chain.clone(), contracts.deposits).await?;
    if let Err(error) = sender.resume().await {
        tracing::warn!(%error, "what was signed before the last stop is not sent again yet");
    }
    let batch = match X402::on(&chain).await? {
        Some(at) => {
            let channels = Channels::open(chain, at.channels).await?;
            let batch = Batch::new(channels, token, sender.clone())?;
            let desk = Desk::start(store.clone(), batch.separator());
            Some((batch, desk))
        }
        None => None,
    };
    let limits = Limits::default();
    let facilitator = Facilitator::new(exact.clone(), batch, store.clone(), limits.clone(), listed.receivers());
    let (sender, gas) = (sender.clone(), GasCaps::default());
    Ok(Some(HttpPayments { exact, deposits, sender, facilitator: Some(facilitator), gas, limits }))
}

/// Who may be paid at this gateway's gas: providers of the market, to their addresses and their tills, and who was named.
#[derive(Clone)]
struct Listed {
    store: Store,
    tills: Option<Tills>,
    named: Vec<Address>,
    found: Arc<RwLock<Found>>,
}

#[derive(Default)]
struct Found {
    /// Providers up to this one have their till among the receivers.
    known: u32,
    /// Where those sell time by the tick; no till ever moves.
    tills: Vec<Address>,
    receivers: HashSet<Address>,
}

impl Listed {
    async fn new(market: &Market, file: &MarketFile, store: &Store, named: &[Address]) -> Result<Self, Failure> {
        let tills = match file.contracts {
            Some(contracts) => Some(Tills::open(market.chain().clone(), contracts.tills).await?),
            None => None,
        };
        Ok(Self { store: store.clone(), tills, named: named.to_vec(), found: Arc::default() })
    }

    fn receivers(&self) -> Receivers {
        let (named, found) = (self.named.clone(), self.found.clone());
        Arc::new(move |address| {
            named.contains(&address)
                || found.read().unwrap_or_else(PoisonError::into_inner).receivers.contains(&address)
        })
    }

    async fn follow(&self, shutdown: &CancellationToken) {
        loop {
            if let Err(error) = self.read().await {
                tracing::warn!(%error, "who is listed cannot be read; those known before are settled for");
            }
            tokio::select! {
                () = shutdown.cancelled() => return,
                () = tokio::time::sleep(LISTED_EVERY) => {}
            }
        }
    }

    /// Reads all providers anew: an address that somebody no longer is paid at is his no longer.
    async fn read(&self) -> Result<(), Failure> {
        let (mut receivers, mut after, known) = (HashSet::new(), 0, self.known());
        let mut fresh = Vec::new();
        loop {
            let page = self.store.providers(after, PAGE).await?;
            let Some(last) = page.last().map(|row| row.id) else { break };
            for row in &page {
                receivers.extend([row.owner, row.payout]);
                if let Some(tills) = self.tills.as_ref().filter(|_| row.id > known) {
                    fresh.push(tills.till_of(row.id).await?);
                }
            }
            after = last;
        }
        let mut found = self.found.write().unwrap_or_else(PoisonError::into_inner);
        found.tills.extend(fresh);
        receivers.extend(found.tills.iter().copied());
        (found.known, found.receivers) = (after, receivers);
        Ok(())
    }

    fn known(&self) -> u32 {
        self.found.read().unwrap_or_else(PoisonError::into_inner).known
    }
}

/// The time of this machine.
fn now() -> Timestamp {
    Timestamp(jiff::Timestamp::now().as_second().try_into().unwrap_or(0))
}
