//! Somebody who pays by the tick: a channel, its deposit, and vouchers over a running total.

use agent::LeaseConfig;
use alloy_primitives::{B256, Bytes, U256, aliases::U96};
use chain::calls::x402;
use chain::{Account, Channels, Erc20};
use market::{JobId, PerHour, Seconds};
use testkit::{TestMarketConfig, eventually};
use wire::link::{LeaseAsk, LeaseReply, LeaseState};
use wire::x402::{ChannelConfig, ChannelStateJson, VoucherFields, typed};
use wire::{JobSpec, Terms};

use crate::stage::{LIMIT, PRICE, Stage};

/// Seconds of a tick here.
pub(crate) const TICK: u32 = 3;
/// What opening costs here.
pub(crate) const SETUP: u128 = 500;

/// A payer with one channel to the stage's provider.
pub(crate) struct Payer<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) account: &'a Account,
    pub(crate) config: ChannelConfig,
    pub(crate) channel: B256,
    pub(crate) channels: Channels,
    separator: B256,
    /// What was charged so far.
    pub(crate) charged: u128,
}

/// A stage whose agent sells by the tick, `at_once` leases at a time.
pub(crate) async fn shop(at_once: usize) -> Stage {
    let mut stage = Stage::with(TestMarketConfig { x402: true, ..TestMarketConfig::default() }).await;
    let deployment = &stage.town.deployment;
    let contracts = deployment.x402.unwrap();
    stage.config.leases = Some(LeaseConfig {
        setup: SETUP,
        tick_s: TICK,
        leases_max: at_once,
        watch_every: std::time::Duration::from_millis(200),
        close_after: std::time::Duration::from_secs(3600),
        ..LeaseConfig::new(contracts.channels, deployment.tills)
    });
    stage
}

impl<'a> Payer<'a> {
    /// With `amount` in the channel.
    pub(crate) async fn with(stage: &'a Stage, amount: u128) -> Self {
        let offer = eventually(LIMIT, async || stage.gateway.lease_offer()).await;
        let (town, account) = (&stage.town, &stage.town.renter);
        let config = ChannelConfig {
            payer: account.address(),
            payer_authorizer: account.address(),
            receiver: offer.receiver,
            receiver_authorizer: town.agent.address(),
            token: offer.token,
            withdraw_delay: offer.withdraw_delay,
            salt: B256::ZERO,
        };
        let at = town.deployment.x402.unwrap().channels;
        let separator = typed::batch_domain(town.chain.id(), at).separator();
        let channels = Channels::open(town.chain.clone(), at).await.unwrap();
        let channel = config.id(&separator);
        assert_eq!(channels.id(&config.typed()).await.unwrap(), channel, "the contract has the same id");
        let payer = Self { stage, account, config, channel, channels, separator, charged: 0 };
        payer.deposit(amount).await;
        payer
    }

    /// Puts money into the channel, as anybody may who has the payer's signature.
    pub(crate) async fn deposit(&self, amount: u128) {
        let contracts = self.stage.town.deployment.x402.unwrap();
        let token = Erc20::open(self.stage.town.chain.clone(), self.config.token).await.unwrap();
        let (salt, until) = (U256::from(self.account.address().as_slice()[0]) + U256::from(amount), U256::MAX);
        let statement = typed::ReceiveWithAuthorization {
            from: self.config.payer,
            to: contracts.erc3009_collector,
            value: U256::from(amount),
            validAfter: U256::ZERO,
            validBefore: until,
            nonce: typed::deposit_nonce(self.channel, salt),
        };
        let digest = token.signing_hash(&statement).unwrap();
        let signature = self.account.wallet().sign_digest(digest).unwrap();
        let data = x402::erc3009_data(U256::ZERO, until, salt, Bytes::copy_from_slice(&signature.0));
        let (at, collector) = (contracts.channels, contracts.erc3009_collector);
        let call = x402::deposit(at, &self.config.typed(), amount, collector, data);
        self.stage.town.stranger.execute(&call).await.unwrap();
    }

    pub(crate) fn voucher(&self, max: u128) -> VoucherFields {
        self.voucher_by(self.account.wallet(), max)
    }

    pub(crate) fn voucher_by(&self, wallet: &chain::Wallet, max: u128) -> VoucherFields {
        let signature = wallet.sign_digest(typed::voucher_digest(&self.separator, &self.channel, max)).unwrap();
        VoucherFields { channel_id: self.channel, max_claimable_amount: max, signature }
    }

    /// Terms of a lease of `spec`, different by their salt.
    pub(crate) fn terms(&self, spec: &JobSpec, salt: u64) -> Terms {
        Terms {
            controller: self.config.payer_authorizer,
            specDigest: self.stage.publish(spec),
            pricePerHour: U96::from(PRICE.0),
            salt,
            ..self.stage.town.terms(self.stage.gateway.resource(), PRICE)
        }
    }

    pub(crate) fn opening(&self, terms: &Terms) -> LeaseAsk {
        LeaseAsk::Open {
            terms: terms.into(),
            config: self.config.clone(),
            voucher: self.voucher(self.charged + SETUP),
            charge: SETUP,
            capability: B256::repeat_byte(7),
        }
    }

    /// Opens a lease; its id.
    pub(crate) async fn open(&mut self, terms: &Terms) -> B256 {
        let (state, _) = taken(self.ask(self.opening(terms)).await);
        self.charged += SETUP;
        assert_eq!((state.charged, state.paid_s), (SETUP, 0));
        B256::from(self.stage.town.market.job_id(terms).0)
    }

    /// The payment of the next `seconds` of a lease that has paid for `paid`.
    pub(crate) fn ticking(&self, lease: B256, paid: u64, seconds: u32) -> LeaseAsk {
        let charge = cost(paid + u64::from(seconds)) - cost(paid);
        LeaseAsk::Tick { lease, seconds, charge, voucher: self.voucher(self.charged + charge) }
    }

    /// Pays for the next `seconds`.
    pub(crate) async fn tick(&mut self, lease: B256, paid: u64, seconds: u32) -> LeaseState {
        let ask = self.ticking(lease, paid, seconds);
        let LeaseAsk::Tick { charge, .. } = &ask else { unreachable!() };
        let charge = *charge;
        let (state, channel) = taken(self.ask(ask).await);
        self.charged += charge;
        assert_eq!(state.paid_s, paid + u64::from(seconds));
        assert_eq!(channel.charged_cumulative_amount, Some(self.charged));
        state
    }

    /// Asks and waits for the answer.
    pub(crate) async fn ask(&self, ask: LeaseAsk) -> LeaseReply {
        let call = self.stage.gateway.ask(ask);
        eventually(LIMIT, async || self.stage.gateway.answer(call)).await
    }

    /// Where a lease is now.
    pub(crate) async fn look(&self, lease: B256) -> LeaseState {
        taken(self.ask(LeaseAsk::Look { lease }).await).0
    }

    /// Waits until a lease is in a phase.
    pub(crate) async fn until(&self, lease: B256, phase: wire::http::LeasePhase) -> LeaseState {
        eventually(LIMIT, async || {
            let state = self.look(lease).await;
            (state.phase == phase).then_some(state)
        })
        .await
    }

    /// Asks for the rest of the channel.
    pub(crate) async fn refund(&self) -> LeaseReply {
        self.ask(LeaseAsk::Refund { config: self.config.clone(), voucher: self.voucher(self.charged) }).await
    }

    /// What the payer has.
    pub(crate) async fn balance(&self) -> u128 {
        self.stage.town.market.token_balance(self.config.payer).await.unwrap().0
    }

    /// What the provider's till has.
    pub(crate) async fn till(&self) -> u128 {
        self.stage.town.market.token_balance(self.config.receiver).await.unwrap().0
    }
}

pub(crate) fn taken(reply: LeaseReply) -> (LeaseState, ChannelStateJson) {
    match reply {
        LeaseReply::Taken { state, channel, .. } => (state, channel),
        other => panic!("it was not taken: {other:?}"),
    }
}

/// The code of a refusal.
pub(crate) fn refused(reply: LeaseReply) -> String {
    match reply {
        LeaseReply::Refused { code, .. } => code,
        other => panic!("it was not refused: {other:?}"),
    }
}

pub(crate) fn cost(seconds: u64) -> u128 {
    PerHour(PRICE.0).cost(Seconds(seconds)).0
}

pub(crate) fn job(lease: B256) -> JobId {
    JobId(lease.0)
}
