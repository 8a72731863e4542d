//! A receiver of payments over HTTP on a chain of its own, and people who pay it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use alloy_primitives::{Address, B256, U256};
use chain::{Account, Channels, Erc20, SendConfig, Teller, Wallet, canonical};
use market::{Amount, Timestamp};
use payments::channel::{ChannelState, ClaimPolicy, Desk, Seen};
use payments::client::PayerChannel;
use payments::exact::Exact;
use payments::facilitator::{Batch, Claimer, Facilitator, FollowConfig, Limits, Sender};
use payments::layer::{ByChannel, Paid, Quote};
use store::{Store, StoreConfig};
use testkit::{TestDatabase, TestMarket, TestMarketConfig};
use wire::x402::{Payment, Requirements, ResourceInfo};

/// What everything costs: one cent.
pub(crate) const PRICE: u128 = 10_000;

/// Everything that a receiver has.
pub(crate) struct Shop {
    pub(crate) market: TestMarket,
    pub(crate) store: Store,
    pub(crate) token: Erc20,
    pub(crate) exact: Exact,
    pub(crate) batch: Batch,
    pub(crate) desk: Desk,
    /// Sends, and is the receiver's authorizer.
    pub(crate) key: Wallet,
    pub(crate) payer: Wallet,
    pub(crate) receiver: Address,
    database: TestDatabase,
    count: AtomicU64,
}

impl Shop {
    pub(crate) async fn open() -> Self {
        let market = TestMarket::with(TestMarketConfig { x402: true, ..TestMarketConfig::default() }).await.unwrap();
        let database = TestDatabase::sqlite();
        let store = Store::open(&StoreConfig::new(database.url())).await.unwrap();
        let token = Erc20::open(market.chain.clone(), market.market.token()).await.unwrap();
        let (key, payer) = (Wallet::random(), Wallet::random());
        for wallet in [&key, &payer] {
            market.dev.fund(wallet.address(), U256::from(10).pow(U256::from(18))).await.unwrap();
        }
        market.deployer.mint(payer.address(), Amount(100_000_000)).await.unwrap();
        let (exact, batch, desk) = parts(&market, &token, &store, &key, FollowConfig::default()).await;
        let receiver = Address::repeat_byte(0x77);
        Self { market, store, token, exact, batch, desk, key, payer, receiver, database, count: AtomicU64::new(1) }
    }

    /// The same as a new process finds it on disk.
    pub(crate) async fn again(&mut self, follow: FollowConfig) {
        (self.exact, self.batch, self.desk) = parts(&self.market, &self.token, &self.store, &self.key, follow).await;
    }

    /// The same when its connections were closed.
    pub(crate) async fn reopen(&mut self) {
        self.store = Store::open(&StoreConfig::new(self.database.url())).await.unwrap();
        self.again(FollowConfig::default()).await;
    }

    /// Follows transactions only for a moment.
    pub(crate) fn impatient() -> FollowConfig {
        FollowConfig { wait: Duration::from_millis(200), resend: Duration::from_millis(50), ..FollowConfig::default() }
    }

    pub(crate) async fn now(&self) -> Timestamp {
        self.market.now().await.unwrap()
    }

    pub(crate) fn offer(&self) -> Requirements {
        self.exact.offer(PRICE, self.receiver)
    }

    /// A payment by `exact` that nobody has seen.
    pub(crate) async fn signed(&self) -> Payment {
        let nonce = B256::from(U256::from(self.count.fetch_add(1, Ordering::Relaxed)));
        payments::client::exact(&self.payer, &self.offer(), PRICE, nonce, self.now().await).unwrap()
    }

    pub(crate) async fn received(&self) -> u128 {
        self.token.balance_of(self.receiver).await.unwrap().0
    }

    pub(crate) fn by_channel(&self, limits: Limits) -> ByChannel {
        ByChannel {
            batch: self.batch.clone(),
            desk: self.desk.clone(),
            receiver: self.receiver,
            withdraw_delay: 900,
            min_deposit: 10 * PRICE,
            limits,
        }
    }

    pub(crate) fn layer(&self, limits: Limits) -> Paid {
        let receiver = self.receiver;
        let quote = move |_: &axum::http::request::Parts| {
            let resource = ResourceInfo { url: "http://shop/sold".into(), ..ResourceInfo::default() };
            Some(Quote { amount: PRICE, pay_to: receiver, resource })
        };
        Paid::new(self.exact.clone(), Some(self.by_channel(limits)), self.store.clone(), Arc::new(quote))
    }

    /// What the shop asks for by channel.
    pub(crate) fn channel_offer(&self) -> Requirements {
        let told = wire::x402::BatchOffer {
            receiver_authorizer: self.key.address(),
            withdraw_delay: 900,
            name: "USDC".into(),
            version: "2".into(),
            min_deposit: Some(10 * PRICE),
            channel_state: None,
            voucher_state: None,
        };
        Requirements { scheme: wire::x402::BATCH_SETTLEMENT.into(), extra: told.to_extra(), ..self.offer() }
    }

    /// A channel of `payer`'s in which nothing is yet.
    pub(crate) fn channel_of(&self, payer: &Wallet, salt: u8) -> PayerChannel {
        let salt = B256::repeat_byte(salt);
        PayerChannel::new(payer.clone(), self.channel_offer(), salt, Seen::default(), 0).unwrap()
    }

    /// Fills a channel, and makes it known here.
    pub(crate) async fn fill(&self, channel: &PayerChannel, deposit: u128) -> ChannelState {
        let (payload, now) =
            (channel.deposit(deposit, PRICE, U256::from(1), self.now().await).unwrap(), self.now().await);
        let wire::x402::BatchPayload::Deposit { channel_config, deposit, .. } = payload.batch().unwrap() else {
            panic!("a deposit is no deposit");
        };
        self.batch.deposit(&channel_config, &deposit).await.unwrap();
        let seen = self.batch.look(channel.state().id).await.unwrap();
        self.desk.sync(channel.state(), seen, now.0).await.unwrap()
    }

    pub(crate) fn claimer(&self, policy: ClaimPolicy) -> Claimer {
        Claimer::new(self.batch.clone(), self.desk.clone(), self.store.clone(), policy)
    }

    pub(crate) fn facilitator(&self, limits: Limits) -> Facilitator {
        let receiver = self.receiver;
        let listed = Arc::new(move |address: Address| address == receiver);
        let batch = Some((self.batch.clone(), self.desk.clone()));
        Facilitator::new(self.exact.clone(), batch, self.store.clone(), limits, listed)
    }

    pub(crate) fn account(&self, wallet: &Wallet) -> Account {
        Account::new(self.market.market.clone(), wallet.clone(), SendConfig::default())
    }
}

async fn parts(
    market: &TestMarket,
    token: &Erc20,
    store: &Store,
    key: &Wallet,
    follow: FollowConfig,
) -> (Exact, Batch, Desk) {
    let sender = Sender::new(Teller::new(market.chain.clone(), key.clone()), store.clone(), follow);
    sender.resume().await.unwrap();
    let exact = Exact::new(token.clone(), sender.clone(), store.clone()).unwrap();
    let channels = Channels::open(market.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let batch = Batch::new(channels, token.clone(), sender).unwrap();
    let desk = Desk::start(store.clone(), batch.separator());
    (exact, batch, desk)
}
