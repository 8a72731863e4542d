//! A treasury on a real chain: what comes in, what goes out, and what happens when anything fails between.

use std::time::Duration;

use alloy_primitives::{Address, B256, U256, keccak256};
use chain::{Call, Chain, Erc20, Teller, Wallet};
use market::Amount;
use payments::PaymentsError;
use payments::assets::{self, AssetConfig, Held};
use payments::ledger::{Ledger, LedgerConfig, Posting, Refusal};
use payments::treasury::{Step, Treasury, TreasuryConfig, WithdrawalAsk, request_withdrawal};
use store::{AccountId, AssetId, BalanceRow, DepositState, Store, WithdrawalRow, WithdrawalState};
use testkit::{TestDatabase, TestMarket, TestMarketConfig};

use crate::ledger::{NOW, hold, open};

/// A market, a database, a treasury's key with gas.
pub(crate) struct Stage {
    pub(crate) t: TestMarket,
    database: TestDatabase,
    pub(crate) store: Store,
    ledger: Ledger,
    pub(crate) key: Wallet,
    asset: AssetId,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(TestMarketConfig::default()).await
    }

    async fn with(config: TestMarketConfig) -> Self {
        let t = TestMarket::with(config).await.unwrap();
        let database = TestDatabase::sqlite();
        let store = open(&database).await;
        let ledger = Ledger::start(store.clone(), LedgerConfig::default());
        let key = Wallet::random();
        t.dev.fund(key.address(), U256::from(10_u128.pow(18))).await.unwrap();
        let asset = held(&t.chain, &store, t.deployment.token).await[0].asset;
        Self { t, database, store, ledger, key, asset }
    }

    pub(crate) async fn treasury(&self, change: impl FnOnce(&mut TreasuryConfig)) -> Treasury {
        let mut config = TreasuryConfig::new("one", 1, 1_000_000);
        // Deployment lies below; what the market mints before is nobody's deposit.
        change(&mut config);
        let assets = held(&self.t.chain, &self.store, self.t.deployment.token).await;
        Treasury::new(config, Teller::new(self.t.chain.clone(), self.key.clone()), assets, self.ledger.clone())
    }

    /// The renter signed in, deposits, and it is credited.
    pub(crate) async fn deposited(&self, amount: u128) -> AccountId {
        let of = AccountId::of(self.t.renter.address());
        self.store.link(self.t.renter.address(), of, NOW).await.unwrap();
        self.t.renter.transfer(self.key.address(), Amount(amount)).await.unwrap();
        assert!(self.treasury(|_| {}).await.look(NOW).await.unwrap());
        assert_eq!(self.balance(of).await.available, i64::try_from(amount).unwrap());
        of
    }

    pub(crate) async fn balance(&self, of: AccountId) -> BalanceRow {
        let rows = self.store.balances(of).await.unwrap();
        let none = BalanceRow { account: of, asset: self.asset, available: 0, held: 0, owed: 0 };
        rows.first().copied().unwrap_or(none)
    }

    pub(crate) async fn ask(
        &self,
        account: AccountId,
        to: Address,
        amount: i64,
        key: &str,
    ) -> Result<WithdrawalRow, PaymentsError> {
        let request_key = key.to_owned();
        let ask = WithdrawalAsk { account, asset: self.asset, destination: to, amount, request_key };
        request_withdrawal(&self.ledger, ask, NOW).await
    }

    pub(crate) async fn row(&self, id: B256) -> WithdrawalRow {
        self.store.withdrawal(id).await.unwrap().unwrap()
    }

    pub(crate) async fn has(&self, who: Address) -> u128 {
        Erc20::open(self.t.chain.clone(), self.t.deployment.token).await.unwrap().balance_of(who).await.unwrap().0
    }

    /// Looks until the withdrawal is over; blocks go by.
    pub(crate) async fn over(&self, treasury: &mut Treasury, id: B256) -> WithdrawalRow {
        for _ in 0..20 {
            // A node that was away may be so for one more question.
            if let Err(error) = treasury.look(NOW).await {
                assert!(error.is_retryable(), "{error}");
            }
            let row = self.row(id).await;
            if matches!(row.state, WithdrawalState::Final | WithdrawalState::Failed) {
                return row;
            }
            self.t.dev.mine(1).await.unwrap();
        }
        panic!("it is still {:?}", self.row(id).await.state);
    }

    /// The ledger adds up, and the chain has what the ledger says.
    pub(crate) async fn sound(&self) {
        assert_eq!(self.store.audit_ledger().await.unwrap(), Vec::<String>::new());
        let totals = self.store.assets().await.unwrap()[0].totals;
        let on_chain = i64::try_from(self.has(self.key.address()).await).unwrap();
        assert_eq!(totals.treasury, on_chain, "what the chain has is what the ledger says");
        assert_eq!(totals.withdrawing, 0);
    }
}

async fn held(chain: &Chain, store: &Store, token: Address) -> Vec<Held> {
    assets::open(store, chain, &[AssetConfig { chain_id: chain.id(), token, testnet: true }]).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deposits_are_credited_by_depth_to_whom_they_belong() {
    let s = Stage::new().await;
    let mut treasury = s.treasury(|config| config.confirmations = 3).await;
    let owner = AccountId::of(s.t.renter.address());
    s.store.link(s.t.renter.address(), owner, NOW).await.unwrap();
    s.t.renter.transfer(s.key.address(), Amount(700)).await.unwrap();
    s.t.stranger.transfer(s.key.address(), Amount(50)).await.unwrap();
    treasury.look(NOW).await.unwrap();
    assert_eq!(s.balance(owner).await.available, 0, "not deep enough");
    assert_eq!(s.store.pending(owner).await.unwrap(), [(s.asset, 700)], "and shown");
    s.t.dev.mine(3).await.unwrap();
    for _ in 0..3 {
        treasury.look(NOW).await.unwrap();
    }
    assert_eq!(s.balance(owner).await.available, 700, "once");
    let suspense = s.store.suspense().await.unwrap();
    assert_eq!(suspense.iter().map(|row| (row.sender, row.amount)).collect::<Vec<_>>(), [(s.t.stranger.address(), 50)]);
    // Read blocks are not read again, and what is read stays.
    s.t.dev.mine(5).await.unwrap();
    treasury.look(NOW).await.unwrap();
    assert!(s.store.assets().await.unwrap()[0].scanned >= suspense[0].block);
    treasury.look(NOW).await.unwrap();
    s.sound().await;
    // The stranger proves who he is.
    let accounts = payments::accounts::Accounts::new(s.ledger.clone()).await.unwrap();
    let his = AccountId::of(s.t.stranger.address());
    accounts.link(s.t.stranger.address(), his, NOW).await.unwrap();
    assert_eq!(s.balance(his).await.available, 50);
    let other = accounts.link(s.t.stranger.address(), owner, NOW).await.unwrap_err();
    assert!(matches!(other, PaymentsError::LinkedElsewhere { .. }), "{other}");
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_deposit_that_the_chain_takes_back_is_taken_back() {
    let s = Stage::new().await;
    let owner = s.deposited(700).await;
    s.ledger.post(hold(s.asset, 1, owner, 500), NOW).await.unwrap();
    s.t.dev.reorg(1).await.unwrap();
    let mut treasury = s.treasury(|_| {}).await;
    treasury.look(NOW).await.unwrap();
    let row = s.balance(owner).await;
    assert_eq!((row.available, row.held, row.owed), (0, 500, 500), "what was spent is owed");
    let refused = s.ask(owner, s.t.stranger.address(), 1, "w").await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Blocked { owed: 500 }));
    assert_eq!(s.store.deposits_of(owner).await.unwrap()[0].state, DepositState::Reorganised);
    treasury.look(NOW).await.unwrap();
    s.sound().await;
    // He pays again; the debt is paid first.
    s.t.renter.transfer(s.key.address(), Amount(600)).await.unwrap();
    treasury.look(NOW).await.unwrap();
    let row = s.balance(owner).await;
    assert_eq!((row.available, row.held, row.owed), (100, 500, 0));
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_is_paid_once_whatever_step_the_process_dies_after() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    for (n, step) in (1..).zip(Step::ALL) {
        let to = Wallet::random().address();
        let id = s.ask(owner, to, 100, &format!("{step:?}")).await.unwrap().id;
        assert_eq!(s.ask(owner, to, 100, &format!("{step:?}")).await.unwrap().id, id, "asked again");
        let died = s.treasury(|config| config.dies_at = Some(step)).await.look(NOW).await.unwrap_err();
        assert!(matches!(died, PaymentsError::Died { .. }), "{step:?}: {died}");
        let row = s.over(&mut s.treasury(|_| {}).await, id).await;
        assert_eq!((row.state, s.has(to).await), (WithdrawalState::Final, 100), "{step:?}");
        assert_eq!(s.balance(owner).await.available, 1000 - 100 * n, "{step:?}");
        s.sound().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_the_node_is_away_nothing_is_sent_twice() {
    let dir = testkit::temp_dir();
    let state = Some(dir.path().join("state.json"));
    let s = Stage::with(TestMarketConfig { state, ..TestMarketConfig::default() }).await;
    let owner = s.deposited(1000).await;
    let to = Wallet::random().address();
    let id = s.ask(owner, to, 300, "w").await.unwrap().id;
    // Signed and kept; then the process dies and the node is away.
    s.treasury(|config| config.dies_at = Some(Step::Kept)).await.look(NOW).await.unwrap_err();
    let signed = s.row(id).await;
    let mut treasury = s.treasury(|_| {}).await;
    let Stage { t, database, store, ledger, key, asset } = s;
    let restarted = t.restart(async {
        let away = treasury.look(NOW).await.unwrap_err();
        assert!(away.is_retryable(), "{away}");
        assert_eq!(store.withdrawal(id).await.unwrap().unwrap(), signed, "nothing was given up");
    });
    let t = Box::pin(restarted).await.unwrap();
    let s = Stage { t, database, store, ledger, key, asset };
    let row = s.over(&mut treasury, id).await;
    assert_eq!((row.state, row.tx), (WithdrawalState::Final, signed.tx), "the same bytes");
    assert_eq!(s.has(to).await, 300);
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_withdrawal_that_waits_is_signed_again_for_more_and_mined_once() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    let to = Wallet::random().address();
    let id = s.ask(owner, to, 300, "w").await.unwrap().id;
    s.t.dev.automine(false).await.unwrap();
    let mut treasury = s.treasury(|config| config.dearer_after = Duration::ZERO).await;
    for _ in 0..3 {
        treasury.look(NOW).await.unwrap();
    }
    let row = s.row(id).await;
    assert!(row.txs.len() >= 2, "{:?}", row.txs);
    assert_eq!(row.state, WithdrawalState::Sent);
    s.t.dev.automine(true).await.unwrap();
    s.t.dev.mine(1).await.unwrap();
    let row = s.over(&mut s.treasury(|_| {}).await, id).await;
    assert_eq!((row.state, s.has(to).await), (WithdrawalState::Final, 300));
    s.sound().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_gateways_pay_once() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    let to = Wallet::random().address();
    let mut ids = Vec::new();
    for n in 0..4 {
        ids.push(s.ask(owner, to, 100, &n.to_string()).await.unwrap().id);
    }
    // A lease that lasts no time lets both sign at once: the ledger alone must hold.
    let mut one = s.treasury(|config| config.lease_s = 0).await;
    let other_store = open(&s.database).await;
    let other_ledger = Ledger::start(other_store.clone(), LedgerConfig::default());
    let config = TreasuryConfig { holder: "two".into(), lease_s: 0, ..TreasuryConfig::new("", 1, 1_000_000) };
    let assets = held(&s.t.chain, &other_store, s.t.deployment.token).await;
    let teller = Teller::new(s.t.chain.clone(), s.key.clone());
    let mut two = Treasury::new(config, teller, assets, other_ledger);
    for _ in 0..6 {
        // What one is told of the other's is an error or nothing, never a second payment.
        let (first, second) = tokio::join!(one.look(NOW), two.look(NOW));
        drop((first, second));
        s.t.dev.mine(1).await.unwrap();
    }
    for id in ids {
        assert_eq!(s.over(&mut one, id).await.state, WithdrawalState::Final);
    }
    assert_eq!(s.has(to).await, 400);
    s.sound().await;
    // A lease that lasts keeps the other out.
    let mut one = s.treasury(|_| {}).await;
    assert!(one.look(NOW).await.unwrap());
    assert!(!two.look(NOW).await.unwrap());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn free_money_is_not_paid_out_as_real_money() {
    let s = Stage::new().await;
    let owner = s.deposited(1000).await;
    // The same database, and a configuration for a real network.
    let real = AssetConfig { chain_id: 1, token: chain::usdc::TABLE[0].address, testnet: false };
    let refused = assets::open(&s.store, &s.t.chain, &[real]).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::MixedNetworks { mainnet: 1, .. }), "{refused}");
    // An asset is a chain and a token: what is there of one is nothing of another.
    let other = crate::ledger::asset(&s.store, 84_532).await;
    let ask = WithdrawalAsk {
        account: owner,
        asset: other,
        destination: s.t.stranger.address(),
        amount: 1,
        request_key: "w".into(),
    };
    let refused = request_withdrawal(&s.ledger, ask, NOW).await.unwrap_err();
    assert_eq!(refused.refusal(), Some(&Refusal::Insufficient { bucket: "available", has: 0, wants: 1 }));
    let lost = s.ask(owner, s.t.deployment.token, 1, "x").await.unwrap_err();
    assert!(matches!(lost.refusal(), Some(Refusal::BadAmount { what: "the destination", .. })), "{lost}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_till_names_the_account() {
    let s = Stage::new().await;
    let till = s.t.deployment.till;
    if s.has(s.key.address()).await != 0 {
        panic!("a new treasury has nothing");
    }
    // The market's own till pays into the market's own treasury: another till for this one is made by its code.
    let (user, nobody) = (AccountId(B256::repeat_byte(0x77)), AccountId(B256::repeat_byte(0x99)));
    let row = store::UserRow {
        account: user,
        email: "a@b.cd".into(),
        password: "none".into(),
        created_at: NOW,
        failed: 0,
        locked_until: market::Timestamp(0),
    };
    assert!(s.store.new_user(&row).await.unwrap());
    let code = s.t.chain.code(till).await.unwrap();
    let mine = Address::repeat_byte(0x71);
    let theirs = treasury_of(&s, till).await;
    let hex = code.to_vec();
    let moved = replaced(&hex, theirs, s.key.address());
    s.t.dev.replace_code(mine, moved.into()).await.unwrap();
    s.t.renter.execute(&chain::calls::erc20::approve(s.t.deployment.token, mine, Amount(1000))).await.unwrap();
    for (n, to) in [(1_u64, user.0), (2, nobody.0)] {
        let mut input = keccak256("deposit(bytes32,uint256)")[..4].to_vec();
        input.extend(to.0);
        input.extend(U256::from(100 * n).to_be_bytes::<32>());
        s.t.renter.execute(&Call { to: mine, input: input.into(), gas: None }).await.unwrap();
    }
    s.treasury(|config| config.till = Some(mine)).await.look(NOW).await.unwrap();
    assert_eq!(s.balance(user).await.available, 100);
    assert_eq!(s.balance(nobody).await.available, 0, "nobody has that account");
    assert_eq!(s.store.suspense().await.unwrap()[0].amount, 200);
    s.sound().await;
}

async fn treasury_of(s: &Stage, till: Address) -> Address {
    let input = keccak256("treasury()")[..4].to_vec().into();
    let answer = s.t.chain.simulate(Address::ZERO, &Call { to: till, input, gas: None }).await.unwrap();
    Address::from_word(B256::from_slice(&answer))
}

fn replaced(code: &[u8], from: Address, to: Address) -> Vec<u8> {
    let mut code = code.to_vec();
    let places: Vec<_> = code.windows(20).enumerate().filter(|(_, it)| *it == from.as_slice()).map(|it| it.0).collect();
    assert!(!places.is_empty(), "the till knows its treasury");
    for place in places {
        code[place..place + 20].copy_from_slice(to.as_slice());
    }
    code
}

/// What a job that the treasury paid for gives back is no deposit.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_market_gives_back_is_no_deposit() {
    let s = Stage::new().await;
    let own = s.t.stranger.address();
    s.t.stranger.transfer(s.key.address(), Amount(70)).await.unwrap();
    s.treasury(|config| config.own = vec![own]).await.look(NOW).await.unwrap();
    assert!(s.store.suspense().await.unwrap().is_empty());
    assert_eq!(s.store.assets().await.unwrap()[0].totals.treasury, 0);
    let unknown = s.ledger.post(Posting::Release { job: crate::ledger::job(1) }, NOW).await.unwrap_err();
    assert_eq!(unknown.refusal(), Some(&Refusal::Unknown { what: "job" }));
}
