//! Rows by chance, blocks of them, and an open store.

use alloy_primitives::{Address, B256, U256, aliases::U96};
use market::{
    Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp, Verdict,
};
use store::{
    Batch, BlockChanges, BlockRef, CreditRow, DecisionRow, DisputeRow, EventRow, Indexed, JobRow, MarketRow,
    ProviderRow, ReporterRow, ResourceRow, Row, SlashRow, SlashedRow, Store, StoreConfig,
};
use testkit::{Rng, StdRng, TestDatabase};
use wire::Terms;

pub(crate) const INDEXED: Indexed = Indexed { chain_id: 31_337, market: Address::repeat_byte(0x77), from: 1 };

pub(crate) async fn open(database: &TestDatabase) -> Store {
    Store::open(&StoreConfig::new(database.url())).await.unwrap()
}

/// Open, and ready to be committed to.
pub(crate) async fn begun(database: &TestDatabase) -> Store {
    let store = open(database).await;
    store.begin_index(INDEXED).await.unwrap();
    store
}

pub(crate) fn address(n: u64) -> Address {
    Address::left_padding_from(&n.to_be_bytes())
}

pub(crate) fn hash(n: u64) -> B256 {
    B256::from(U256::from(n))
}

pub(crate) fn job_id(n: u64) -> JobId {
    JobId(hash(n).0)
}

pub(crate) fn resource_id(n: u64) -> ResourceId {
    ResourceId(hash(n).0)
}

/// Chances.
pub(crate) struct Chance(pub(crate) StdRng);

impl Chance {
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.0.next_u64() % n
    }

    fn yes(&mut self) -> bool {
        self.below(2) == 0
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        self.yes().then(|| make(self))
    }

    fn time(&mut self) -> Timestamp {
        Timestamp(1_800_000_000 + self.below(1_000_000))
    }

    /// Often the smallest and the largest.
    fn amount(&mut self) -> Amount {
        Amount(match self.below(4) {
            0 => 0,
            1 => u128::MAX,
            2 => u128::from(self.0.next_u64()),
            _ => u128::from(self.0.next_u64()) << 64 | u128::from(self.0.next_u64()),
        })
    }

    fn text(&mut self) -> String {
        ["", "it's", "ein Gerät \u{1f4be}", "a\nb\t\"c\"", "; DROP TABLE jobs; --"][self.below(5) as usize].to_owned()
    }

    fn hash(&mut self) -> B256 {
        hash(self.below(1000))
    }

    pub(crate) fn terms(&mut self) -> Terms {
        Terms {
            renter: address(self.below(3)),
            controller: address(self.below(3)),
            resourceId: hash(self.below(4)),
            pricePerHour: U96::MAX,
            minCharge: U96::from(self.below(1000)),
            maxDuration: u32::MAX,
            notBefore: ((1_u64 << 40) - 1).try_into().unwrap(),
            cancelFeeBps: 10_000,
            specDigest: self.hash(),
            flags: u32::MAX,
            salt: u64::MAX - self.below(2),
            extra: self.hash(),
        }
    }

    pub(crate) fn job(&mut self, id: u64, created: (u64, u64), changed: u64) -> JobRow {
        let statuses =
            [Status::Created, Status::Running, Status::Silent, Status::Final, Status::Cancelled, Status::Ended];
        let outcomes = [Outcome::None, Outcome::Succeeded, Outcome::StoppedByRenter, Outcome::AbortedByProvider];
        JobRow {
            id: job_id(id),
            terms: self.terms(),
            provider: self.below(3) as u32 + 1,
            fee_bps: BasisPoints(self.below(10_001) as u16),
            status: statuses[self.below(6) as usize],
            outcome: outcomes[self.below(4) as usize],
            since: self.time(),
            created,
            created_at: self.time(),
            accepted_at: self.maybe(Self::time),
            started_at: self.maybe(Self::time),
            ended_at: self.maybe(Self::time),
            ready_record: self.maybe(Self::hash),
            locked: self.amount(),
            extra: Seconds(self.below(100)),
            paused: Seconds(self.below(100)),
            cover: Seconds(self.below(3601)),
            paid_seconds: Seconds(self.below(100)),
            paid: self.amount(),
            seconds_run: self.maybe(|it| Seconds(it.below(9))),
            refunded: self.amount(),
            fee: self.maybe(Self::amount),
            result_digest: self.maybe(Self::hash),
            ended_by: self.maybe(|it| address(it.below(9))),
            reason: self.maybe(Self::text),
            changed,
        }
    }

    pub(crate) fn provider(&mut self, id: u32, changed: u64) -> ProviderRow {
        ProviderRow {
            id,
            owner: address(u64::from(id)),
            agent: address(u64::from(id) + 100),
            payout: address(self.below(9)),
            registered_at: self.time(),
            jobs_started: self.below(1000),
            jobs_succeeded: u64::MAX >> 1,
            changed,
        }
    }

    pub(crate) fn resource(&mut self, id: u64, provider: u32, changed: u64) -> ResourceRow {
        ResourceRow {
            id: resource_id(id),
            provider,
            key: self.hash(),
            hardware: Hardware {
                model: self.text(),
                gpus: u16::MAX,
                vram: Mebibytes(self.below(100_000)),
                cpus: 3,
                memory: Mebibytes(5),
                disk: Mebibytes(u64::MAX >> 20),
                simulated: self.yes(),
            },
            details: self.text(),
            price: PerHour::MAX,
            available: self.yes(),
            held_by: self.maybe(|it| job_id(it.below(9))),
            stake: self.amount(),
            tied: self.amount(),
            unbonding: self.amount(),
            unbonded_at: self.maybe(Self::time),
            contested: self.amount(),
            cancel_fee: BasisPoints(self.below(2501) as u16),
            listed_at: self.time(),
            changed,
        }
    }

    pub(crate) fn dispute(&mut self, job: u64, changed: u64) -> DisputeRow {
        DisputeRow {
            job: job_id(job),
            opener: address(self.below(3)),
            opened_at: self.time(),
            pot: self.amount(),
            bond: self.amount(),
            reason: self.text(),
            decision: self.maybe(|it| DecisionRow {
                by: address(it.below(9)),
                verdict: Verdict::ALL[it.below(3) as usize],
                returned: it.amount(),
                from_cover: it.amount(),
                evidence: it.text(),
                at: it.time(),
            }),
            changed,
        }
    }

    pub(crate) fn slash(&mut self, id: u64, changed: u64) -> SlashRow {
        SlashRow {
            id,
            resource: resource_id(self.below(4)),
            harmed: address(self.below(3)),
            amount: self.amount(),
            from_unbonding: self.amount(),
            loss: self.amount(),
            evidence: self.text(),
            contestable_until: self.time(),
            contested: self.maybe(Self::text),
            settled: self.maybe(|it| SlashedRow { slashed: it.yes(), to_harmed: it.amount(), burned: it.amount() }),
            changed,
        }
    }

    /// A row of any kind; few keys, so that blocks change the same ones.
    pub(crate) fn row(&mut self, block: u64, index: u64) -> Row {
        match self.below(10) {
            0 => Row::Provider({
                let id = self.below(3) as u32 + 1;
                self.provider(id, block)
            }),
            1 => Row::Resource({
                let id = self.below(4);
                self.resource(id, 1, block)
            }),
            2 => Row::Credit(CreditRow { account: address(self.below(3)), amount: self.amount(), changed: block }),
            3 => Row::Reporter(ReporterRow {
                address: address(self.below(2)),
                is_oracle: self.yes(),
                registered: self.yes(),
                changed: block,
            }),
            4 => Row::Market(MarketRow {
                fee_bps: self.maybe(|it| BasisPoints(it.below(100) as u16)),
                paused: self.yes(),
                fees_withdrawn: self.amount(),
                min_bond: self.maybe(Self::amount),
                changed: block,
            }),
            5 => Row::Dispute({
                let job = self.below(3);
                self.dispute(job, block)
            }),
            6 => Row::Slash({
                let id = self.below(3);
                self.slash(id, block)
            }),
            // Old and new ones: rows that a rewind must take away again.
            _ => Row::Job({
                let id = self.below(3 + block);
                self.job(id, (block, index), block)
            }),
        }
    }

    pub(crate) fn event(&mut self, block: u64, log_index: u64) -> EventRow {
        EventRow {
            block,
            log_index,
            at: self.time(),
            tx: self.hash(),
            kind: "JobPaid".into(),
            job: self.maybe(|it| job_id(it.below(5))),
            resource: self.maybe(|it| resource_id(it.below(5))),
            provider: self.maybe(|it| it.below(3) as u32),
            who: self.maybe(|it| address(it.below(5))),
            earned: self.maybe(Self::amount),
            detail: serde_json::json!({ "words": self.text(), "amount": self.amount().to_string(), "n": [1, null, true] }),
        }
    }

    pub(crate) fn block(&mut self, number: u64, undoable: bool) -> BlockChanges {
        let mut rows = std::collections::BTreeMap::new();
        for index in 0..self.below(4) {
            let row = self.row(number, index);
            rows.insert(row.key(), row);
        }
        let events = (0..self.below(4)).map(|index| self.event(number, index * 2)).collect();
        BlockChanges { block: block(number), undoable, events, rows: rows.into_values().collect() }
    }
}

pub(crate) fn chance(stream: u64) -> Chance {
    Chance(testkit::rng(stream))
}

pub(crate) fn block(number: u64) -> BlockRef {
    BlockRef { number, hash: hash(number + 1_000_000), at: Timestamp(1_800_000_000 + number) }
}

pub(crate) fn batch(blocks: &[BlockChanges]) -> Batch {
    Batch { blocks: blocks.to_vec() }
}

/// A block with these rows and no events.
pub(crate) fn with_rows(number: u64, rows: Vec<Row>) -> BlockChanges {
    BlockChanges { block: block(number), undoable: true, events: vec![], rows }
}
