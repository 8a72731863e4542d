//! Rows and contract say the same after every kind of event.

use alloy_primitives::{Address, B256, Bytes};
use market::{Amount, BasisPoints, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp};
use store::{JobFilter, JobRow, Key, Row, Store};
use testkit::TestMarket;
use wire::{Terms, signed::Extend};

use crate::index::{Database, Running, replayed};

const PRICE: PerHour = PerHour(3_600_000);
const RECORD: B256 = B256::repeat_byte(9);
/// Any call reverts: a token that refuses everybody.
const REFUSES: Bytes = Bytes::from_static(&[0x5f, 0x5f, 0xfd]);

/// A market with its index.
struct Stage {
    t: TestMarket,
    database: Database,
    index: Running,
    resource: ResourceId,
}

impl Stage {
    async fn new() -> Self {
        let t = TestMarket::start().await.unwrap();
        let resource = t.list(PRICE).await.unwrap();
        // An hour's price: pay comes at once.
        let hour = PRICE.cost(Seconds(3600));
        t.owner.approve(hour).await.unwrap();
        t.owner.stake(resource, hour).await.unwrap();
        let database = Database::new().await;
        let index = Running::start(&t.market, &database.store, t.deployment.block, "agrees");
        Self { t, database, index, resource }
    }

    fn store(&self) -> &Store {
        &self.database.store
    }

    async fn created(&self) -> Terms {
        let terms = self.t.terms(self.resource, PRICE);
        self.t.renter.create_job(&terms).await.unwrap();
        terms
    }

    async fn started(&self) -> Terms {
        let terms = self.created().await;
        let (at, signature) = self.t.ready(&terms, RECORD).await.unwrap();
        self.t.agent.start_job(&terms, RECORD, at, &signature).await.unwrap();
        self.agrees().await;
        terms
    }

    async fn credit(&self, account: Address) -> Amount {
        self.store().credit(account).await.unwrap().map_or(Amount::ZERO, |row| row.amount)
    }

    async fn job(&self, terms: &Terms) -> JobRow {
        self.store().job(self.t.market.job_id(terms)).await.unwrap().unwrap()
    }

    /// Waits for the newest block and compares all that the contract tells with the rows.
    async fn agrees(&self) {
        self.index.caught_up(&self.t.market).await;
        let jobs = self.store().jobs(&JobFilter::default(), None, 100).await.unwrap();
        for job in &jobs {
            self.job_agrees(job).await;
        }
        self.money_agrees(&jobs).await;
        for (resource, provider) in self.store().resources_changed(0).await.unwrap() {
            let state = self.t.market.resource(resource.id).await.unwrap().unwrap();
            let row = (resource.provider, resource.available, resource.held_by.is_some(), resource.price);
            assert_eq!(row, (state.provider_id, state.available, state.busy, state.price));
            let row = (resource.stake, resource.tied, resource.unbonding, resource.contested, resource.cancel_fee);
            assert_eq!(row, (state.stake, state.tied, state.unbonding, state.contested, state.cancel_fee));
            assert_eq!(resource.hardware.simulated, state.simulated);
            let listing = self.t.market.listing(resource.id, 0).await.unwrap().unwrap();
            let row = (resource.key, resource.hardware, resource.details);
            assert_eq!(row, (listing.key, listing.hardware, listing.details));
            let keys = self.t.market.provider(provider.id).await.unwrap();
            assert_eq!((provider.owner, provider.agent, provider.payout), (keys.owner, keys.agent, keys.payout));
            assert_eq!(self.t.market.provider_of(provider.owner).await.unwrap(), Some(provider.id));
        }
        for account in [&self.t.watcher, &self.t.stranger] {
            let rows = self.store().reporter(account.address()).await.unwrap();
            let is = rows.iter().any(|row| !row.is_oracle && row.registered);
            assert_eq!(is, self.t.market.is_watcher(account.address()).await.unwrap());
        }
        let market = self.store().market().await.unwrap();
        assert_eq!(market.min_bond.unwrap_or_default(), self.t.market.min_bond().await.unwrap());
        assert_eq!(market.fee_bps, Some(self.t.market.fee().await.unwrap()));
        assert_eq!(market.paused, self.t.market.is_paused().await.unwrap());
    }

    async fn job_agrees(&self, job: &JobRow) {
        let state = self.t.market.job(job.id).await.unwrap();
        let row = (job.status, job.outcome, job.fee_bps, job.since, job.paid_seconds, job.paused, job.extra);
        let chain = (state.status, state.outcome, state.fee, state.since, state.paid, state.paused, state.extra);
        assert_eq!((row, job.cover), (chain, state.cover));
        let dispute = self.store().dispute(job.id).await.unwrap();
        let row = dispute.as_ref().map(|it| (it.opener, it.opened_at, it.pot, it.decision.is_some()));
        let chain = self.t.market.dispute(job.id).await.unwrap();
        assert_eq!(row, chain.map(|it| (it.opener, it.opened_at, it.pot, it.bond == Amount::ZERO)));
        assert_eq!(job.started_at.unwrap_or_default(), state.started_at);
        assert_eq!(job.ended_at.is_some(), job.status.is_over());
        assert_eq!(self.t.market.job_id(&job.terms), job.id);
        let stream = job.terms.stream(job.extra, job.fee_bps);
        assert_eq!(job.locked, stream.locked());
        if job.status == Status::Final {
            let whole = job.paid.0 + job.fee.unwrap().0 + job.refunded.0;
            assert_eq!(whole, job.locked.0, "the lock is split without loss");
        }
        let held = self.store().resource(job.terms.resource()).await.unwrap().unwrap().held_by == Some(job.id);
        assert_eq!(held, job.status == Status::Accepted || job.status.has_clock());
    }

    /// What the market holds is what the rows say that it holds.
    async fn money_agrees(&self, jobs: &[JobRow]) {
        let market = &self.t.market;
        let withdrawn = self.store().market().await.unwrap().fees_withdrawn.0;
        let fees: u128 = jobs.iter().filter_map(|job| job.fee).map(|fee| fee.0).sum();
        assert_eq!(market.fees().await.unwrap().0, fees - withdrawn);
        let mut credits = 0;
        for account in [&self.t.owner, &self.t.renter, &self.t.stranger] {
            let row = self.credit(account.address()).await;
            assert_eq!(row, market.credit(account.address()).await.unwrap());
            credits += row.0;
        }
        // Nobody can be asked for a balance while the token refuses everything.
        if let Ok(held) = market.token_balance(market.address()).await {
            let open: u128 = jobs.iter().map(|job| job.locked.0 - job.paid.0 - job.refunded.0).sum();
            let (mut stakes, mut bonds) = (0, 0);
            for (resource, _) in self.store().resources_changed(0).await.unwrap() {
                stakes += resource.stake.0;
            }
            for dispute in self.store().open_disputes(100).await.unwrap() {
                bonds += dispute.bond.0;
            }
            assert_eq!(held.0, open + credits - withdrawn + stakes + bonds);
        }
    }
}

#[tokio::test]
async fn through_the_life_of_jobs() {
    let stage = Stage::new().await;
    let t = &stage.t;
    stage.agrees().await;

    let terms = stage.created().await;
    stage.agrees().await;
    t.agent.accept_job(&terms).await.unwrap();
    stage.agrees().await;
    t.agent.decline_job(&terms, "no room").await.unwrap();
    stage.agrees().await;
    let row = stage.job(&terms).await;
    assert_eq!((row.status, row.reason.as_deref()), (Status::Cancelled, Some("no room")));
    assert_eq!((row.ended_by, row.refunded), (Some(t.agent.address()), row.locked));

    let terms = stage.created().await;
    t.renter.cancel_job(&terms).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.ended_by, Some(t.renter.address()));

    let terms = stage.started().await;
    t.advance(Seconds(60)).await.unwrap();
    t.agent.process_payment(&terms).await.unwrap();
    stage.agrees().await;
    t.agent.pause_job(&terms).await.unwrap();
    stage.agrees().await;
    t.advance(Seconds(30)).await.unwrap();
    t.agent.resume_job(&terms).await.unwrap();
    stage.agrees().await;
    extend(t, &terms, Seconds(600)).await;
    stage.agrees().await;
    let last_seen = t.now().await.unwrap();
    t.watcher.report_silence(&terms, last_seen).await.unwrap();
    stage.agrees().await;
    t.agent.resume_job(&terms).await.unwrap();
    t.agent.complete_job(&terms, Outcome::Succeeded, B256::repeat_byte(7)).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.status, Status::Ended);
    t.advance(Seconds(3601)).await.unwrap();
    t.stranger.finalize(std::slice::from_ref(&terms)).await.unwrap();
    stage.agrees().await;
    let row = stage.job(&terms).await;
    assert_eq!((row.status, row.extra, row.ready_record), (Status::Final, Seconds(600), Some(RECORD)));
    assert_eq!((row.result_digest, row.ended_by), (Some(B256::repeat_byte(7)), Some(t.agent.address())));
    let provider = stage.store().provider(row.provider).await.unwrap().unwrap();
    assert_eq!((provider.jobs_started, provider.jobs_succeeded), (1, 1));
    let earned = stage.store().earnings(row.provider, Timestamp(0)).await.unwrap();
    assert_eq!(earned.iter().map(|(_, amount)| amount.0).sum::<u128>(), row.paid.0);
}

#[tokio::test]
async fn through_every_other_end_and_what_the_platform_sets() {
    let stage = Stage::new().await;
    let t = &stage.t;
    let terms = stage.started().await;
    t.advance(Seconds(5)).await.unwrap();
    t.renter.stop_job(&terms).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.outcome, Outcome::StoppedByRenter);
    let stopped = terms;

    // Closed by a stranger: never started, silent for too long, and never collected.
    let terms = stage.created().await;
    t.advance(Seconds(601)).await.unwrap();
    t.stranger.close_job(&terms).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.ended_by, Some(t.stranger.address()));
    let terms = stage.started().await;
    t.watcher.report_silence(&terms, t.now().await.unwrap()).await.unwrap();
    t.advance(Seconds(601)).await.unwrap();
    t.stranger.close_job(&terms).await.unwrap();
    stage.agrees().await;
    let terms = stage.started().await;
    t.advance(Seconds(3 * 3600 + 1)).await.unwrap();
    t.stranger.close_job(&terms).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.outcome, Outcome::Silent);

    // What was earned by then is the platform's too.
    t.stranger.finalize(&[stopped]).await.unwrap();
    stage.agrees().await;
    t.deployer.set_fee(BasisPoints(300)).await.unwrap();
    t.deployer.set_watcher(t.stranger.address(), true).await.unwrap();
    stage.agrees().await;
    t.deployer.set_watcher(t.stranger.address(), false).await.unwrap();
    t.deployer.set_oracle(t.watcher.address(), false).await.unwrap();
    t.deployer.pause_market().await.unwrap();
    stage.agrees().await;
    let rows = stage.store().reporter(t.watcher.address()).await.unwrap();
    assert!(rows.iter().any(|row| row.is_oracle && !row.registered), "{rows:?}");
    t.deployer.unpause_market().await.unwrap();
    t.deployer.withdraw_fees(t.stranger.address()).await.unwrap();
    stage.agrees().await;

    t.owner.update_pricing(stage.resource, PerHour(PRICE.0 / 2)).await.unwrap();
    t.owner.update_availability(stage.resource, false).await.unwrap();
    stage.agrees().await;
    t.owner.update_availability(stage.resource, true).await.unwrap();
    t.owner.set_agent(t.stranger.address()).await.unwrap();
    t.owner.set_payout(t.watcher.address()).await.unwrap();
    t.list(PRICE).await.unwrap();
    stage.agrees().await;
    let dump = stage.store().dump_index().await.unwrap();
    assert_eq!(dump, replayed(&t.market, t.deployment.block).await);
}

#[tokio::test]
async fn through_stake_disputes_and_slashes() {
    let stage = Stage::new().await;
    let t = &stage.t;
    let hour = PRICE.cost(Seconds(3600));
    t.owner.approve(Amount(hour.0 * 4)).await.unwrap();
    t.owner.stake(stage.resource, Amount(hour.0 * 2)).await.unwrap();
    t.owner.set_cancel_fee(stage.resource, BasisPoints(1000)).await.unwrap();
    t.deployer.set_min_bond(Amount(1000)).await.unwrap();
    stage.agrees().await;
    // A covered job is paid at once; half of it goes back by a verdict, out of the stake.
    let terms = stage.started().await;
    assert_eq!(stage.job(&terms).await.cover, Seconds(3600));
    t.advance(Seconds(600)).await.unwrap();
    t.agent.process_payment(&terms).await.unwrap();
    stage.agrees().await;
    assert!(stage.job(&terms).await.paid > Amount::ZERO);
    t.renter.dispute_job(&terms, "slow").await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.job(&terms).await.status, Status::Disputed);
    t.judge.resolve_dispute(&terms, BasisPoints(5000), "bafkreievidence").await.unwrap();
    stage.agrees().await;
    let decision = stage.store().dispute(t.market.job_id(&terms)).await.unwrap().unwrap().decision.unwrap();
    assert!(decision.from_cover > Amount::ZERO && decision.from_cover < decision.returned, "{decision:?}");
    // The next is disputed by its provider after its end and settled by anyone, a week later.
    let terms = stage.started().await;
    t.advance(Seconds(60)).await.unwrap();
    t.renter.stop_job(&terms).await.unwrap();
    t.owner.approve(Amount(hour.0 * 4)).await.unwrap();
    t.owner.dispute_job(&terms, "he stopped it").await.unwrap();
    stage.agrees().await;
    t.advance(Seconds(7 * 86_400 + 1)).await.unwrap();
    t.stranger.settle_dispute(&terms).await.unwrap();
    stage.agrees().await;
    // Stake goes back in two weeks, but for what is slashed meanwhile.
    let (stake, fifth) = (stage.store().resource(stage.resource).await.unwrap().unwrap().stake, Amount(hour.0 / 10));
    t.owner.unstake(stage.resource, stake).await.unwrap();
    stage.agrees().await;
    for (number, contested) in [(1, false), (2, true)] {
        t.prosecutor.propose_slash(stage.resource, Address::ZERO, fifth, Amount::ZERO, "bafkreiproof").await.unwrap();
        stage.agrees().await;
        if contested {
            t.owner.contest_slash(number, "bafkreino").await.unwrap();
            t.judge.decide_slash(number, false).await.unwrap();
        } else {
            t.advance(Seconds(48 * 3600 + 1)).await.unwrap();
            t.stranger.execute_slash(number).await.unwrap();
        }
        stage.agrees().await;
    }
    let slashes = stage.store().slashes_of(stage.resource, 9).await.unwrap();
    let ends: Vec<_> = slashes.iter().map(|slash| slash.settled.unwrap().slashed).collect();
    assert_eq!(ends, [false, true]);
    t.advance(Seconds(14 * 86_400 + 1)).await.unwrap();
    t.owner.withdraw_stake(stage.resource, t.stranger.address()).await.unwrap();
    stage.agrees().await;
    assert_eq!(stage.store().resource(stage.resource).await.unwrap().unwrap().stake, Amount::ZERO);
    let dump = stage.store().dump_index().await.unwrap();
    assert_eq!(dump, replayed(&t.market, t.deployment.block).await);
}

#[tokio::test]
async fn through_money_that_cannot_be_delivered() {
    let stage = Stage::new().await;
    let t = &stage.t;
    let terms = stage.started().await;
    t.advance(Seconds(60)).await.unwrap();
    let token = t.dev.replace_code(t.market.token(), REFUSES).await.unwrap();
    t.agent.process_payment(&terms).await.unwrap();
    stage.agrees().await;
    t.renter.stop_job(&terms).await.unwrap();
    stage.agrees().await;
    t.dev.replace_code(t.market.token(), token).await.unwrap();
    let (owner, renter) = (t.owner.address(), t.renter.address());
    let row = stage.job(&terms).await;
    assert_eq!(stage.credit(owner).await, row.paid);
    assert_eq!(stage.credit(renter).await, row.refunded);
    t.owner.withdraw_credit(t.stranger.address()).await.unwrap();
    stage.agrees().await;
    let rows = stage.store().rows(&[Key::Credit(owner), Key::Credit(Address::ZERO)]).await.unwrap();
    let [Row::Credit(row)] = &rows[..] else { panic!("{rows:?}") };
    assert_eq!(row.amount, Amount::ZERO);
}

/// The agent agrees to more seconds, and the renter buys them.
async fn extend(t: &TestMarket, terms: &Terms, extra: Seconds) {
    let expiry = t.now().await.unwrap().after(Seconds(600));
    let statement = Extend {
        jobId: t.market.job_id(terms).0.into(),
        extraSeconds: extra.0.try_into().unwrap(),
        expiry: expiry.0.try_into().unwrap(),
    };
    let signature = t.agent.wallet().sign(&t.market.domain(), &statement).unwrap();
    t.renter.extend_job(terms, extra, expiry, &signature).await.unwrap();
}
