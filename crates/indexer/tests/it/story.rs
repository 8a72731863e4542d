//! Histories that a market could have had, by the thousand: random, valid, and made again from their seed.

use alloy_primitives::{Address, B256, U256, keccak256};
use chain::{Listing, MarketEvent as E};
use market::{
    Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp,
};
use wire::Terms;

/// Providers that a story has at most; beyond a few nothing new happens.
const PROVIDERS: u32 = 4;
/// Jobs that are not over, at most.
const OPEN_JOBS: usize = 12;

/// What the storyteller remembers of a job.
#[derive(Clone, Debug)]
struct Job {
    id: JobId,
    terms: Terms,
    status: Status,
    paid: u64,
    paused: u64,
    extra: u64,
    cover: u64,
}

/// What a storyteller remembers of a listing.
#[derive(Clone, Copy, Debug)]
struct Listed {
    id: ResourceId,
    held: Option<JobId>,
    stake: u128,
    tied: u128,
    unbonding: u128,
    contested: u128,
}

impl Listed {
    fn free(&self) -> u128 {
        self.stake - self.tied - self.unbonding - self.contested
    }
}

/// A market as a storyteller sees it; told on, it makes up what comes next.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    dice: u64,
    count: u64,
    providers: u32,
    resources: Vec<Listed>,
    slashes: Vec<(u64, usize, u128)>,
    proposals: u64,
    jobs: Vec<Job>,
    credits: Vec<(Address, u128)>,
}

impl Story {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            dice: seed,
            count: 0,
            providers: 0,
            resources: Vec::new(),
            slashes: Vec::new(),
            proposals: 0,
            jobs: Vec::new(),
            credits: Vec::new(),
        }
    }

    /// Goes on in another way from here.
    pub(crate) fn turn(&mut self, seed: u64) {
        self.dice = seed;
    }

    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit.max(1)
    }

    /// SplitMix64: small enough to be copied with every block.
    fn roll(&mut self) -> u64 {
        self.dice = self.dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.dice ^ (self.dice >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn fresh(&mut self) -> B256 {
        self.count += 1;
        // Two turns of one story must not meet in a name.
        keccak256([self.count.to_be_bytes(), self.roll().to_be_bytes()].concat())
    }

    fn somebody(&mut self) -> Address {
        Address::with_last_byte(self.below(200) as u8 + 1)
    }

    /// What one transaction logs: one event, or those that the contract logs together.
    pub(crate) fn goes_on(&mut self) -> Vec<E> {
        if self.providers == 0 {
            return vec![self.provider()];
        }
        if self.resources.is_empty() {
            return vec![self.listing()];
        }
        match self.below(100) {
            0..3 if self.providers < PROVIDERS => vec![self.provider()],
            3..6 if self.resources.len() < 3 * PROVIDERS as usize => vec![self.listing()],
            6..8 => vec![self.of_provider()],
            8..16 => vec![self.of_resource()],
            16..20 => vec![self.of_platform()],
            20..24 => vec![self.of_credit()],
            24..34 => vec![self.of_stake()],
            34..50 if self.jobs.len() < OPEN_JOBS => vec![self.order()],
            _ if !self.jobs.is_empty() => self.of_job(),
            _ => vec![self.order()],
        }
    }

    fn provider(&mut self) -> E {
        self.providers += 1;
        let (owner, agent, payout) = (self.somebody(), self.somebody(), self.somebody());
        E::ProviderRegistered { provider_id: self.providers, owner, agent, payout }
    }

    fn of_provider(&mut self) -> E {
        let provider_id = self.below(self.providers.into()) as u32 + 1;
        let whom = self.somebody();
        if self.below(2) == 0 {
            E::AgentChanged { provider_id, agent: whom }
        } else {
            E::PayoutChanged { provider_id, payout: whom }
        }
    }

    fn listing(&mut self) -> E {
        let resource = ResourceId(self.fresh().0);
        let provider_id = self.below(self.providers.into()) as u32 + 1;
        self.resources.push(Listed { id: resource, held: None, stake: 0, tied: 0, unbonding: 0, contested: 0 });
        let simulated = self.below(2) == 0;
        let hardware = Hardware {
            model: ["NVIDIA H200", "NVIDIA L4", "AMD EPYC 'Genoa'"][self.below(3) as usize].into(),
            gpus: self.below(9) as u16,
            vram: Mebibytes(self.below(200_000)),
            cpus: self.below(256) as u16,
            memory: Mebibytes(self.below(1 << 30)),
            disk: Mebibytes(self.below(1 << 40)),
            simulated,
        };
        let details = "north; \"quoted\"\nüber".to_owned();
        let listing = Listing { key: self.fresh(), price: self.price(), hardware, details };
        E::ResourceRegistered { resource, provider_id, listing }
    }

    fn price(&mut self) -> PerHour {
        PerHour(u128::from(self.below(1 << 40)) << self.below(30))
    }

    fn of_resource(&mut self) -> E {
        let at = self.below(self.resources.len() as u64) as usize;
        let resource = self.resources[at].id;
        if self.below(5) == 0 {
            return E::CancelFeeChanged { resource, cancel_fee: BasisPoints(self.below(251) as u16 * 10) };
        }
        if self.below(3) == 0 {
            let available = self.below(2) == 0;
            E::AvailabilityChanged { resource, available }
        } else {
            E::PriceChanged { resource, price: self.price() }
        }
    }

    fn of_platform(&mut self) -> E {
        let registered = self.below(2) == 0;
        match self.below(6) {
            5 => E::MinBondChanged { amount: Amount(self.below(1 << 30).into()) },
            0 => E::FeeChanged { fee: BasisPoints(self.below(501) as u16) },
            1 => E::PauseChanged { paused: registered },
            2 => E::WatcherChanged { watcher: self.somebody(), registered },
            3 => E::OracleChanged { oracle: self.somebody(), registered },
            _ => E::FeesWithdrawn { to: self.somebody(), amount: Amount(self.below(1 << 50).into()) },
        }
    }

    fn of_credit(&mut self) -> E {
        if self.below(2) == 0
            && let Some((account, amount)) = self.credits.pop()
        {
            return E::CreditWithdrawn { account, to: self.somebody(), amount: Amount(amount) };
        }
        let (account, amount) = (self.somebody(), u128::from(self.below(1 << 60)) + 1);
        match self.credits.iter_mut().find(|(whose, _)| *whose == account) {
            Some((_, waiting)) => *waiting += amount,
            None => self.credits.push((account, amount)),
        }
        E::Credited { account, amount: Amount(amount) }
    }

    pub(crate) fn order(&mut self) -> E {
        let at = self.below(self.resources.len() as u64) as usize;
        let resource = self.resources[at].id;
        let terms = Terms {
            renter: self.somebody(),
            controller: self.somebody(),
            resourceId: resource.0.into(),
            pricePerHour: U256::from(self.price().0).to(),
            minCharge: U256::from(self.below(1 << 20)).to(),
            maxDuration: self.below(100_000) as u32 + 1,
            notBefore: Default::default(),
            cancelFeeBps: 0,
            specDigest: self.fresh(),
            flags: 0,
            salt: self.roll(),
            extra: B256::ZERO,
        };
        let id = JobId(self.fresh().0);
        let (renter, fee) = (terms.renter, BasisPoints(self.below(501) as u16));
        let status = Status::Created;
        self.jobs.push(Job { id, terms: terms.clone(), status, paid: 0, paused: 0, extra: 0, cover: 0 });
        E::JobCreated { job: id, resource, renter, fee, terms: Box::new(terms) }
    }

    fn of_job(&mut self) -> Vec<E> {
        let at = self.below(self.jobs.len() as u64) as usize;
        let (choice, more, who) = (self.below(10), self.below(5000) + 1, self.somebody());
        let amount = Amount(u128::from(more) << 20);
        let job = &mut self.jobs[at];
        let (id, resource) = (job.id, job.terms.resource());
        let listed = self.resources.iter_mut().find(|found| found.id == resource).unwrap();
        let price = job.terms.stream(Seconds(0), BasisPoints(0)).price;
        let tie = |cover: u64| price.tie(Seconds(cover)).0;
        let untied = tie(job.cover);
        match (job.status, choice) {
            (Status::Created, 0..6) if listed.held.is_none() => {
                (job.status, listed.held) = (Status::Accepted, Some(id));
                job.cover = price.vouched(Amount(listed.free()), Seconds(more % 3601)).0;
                listed.tied += tie(job.cover);
                let mut told = vec![E::JobAccepted { job: id, cover: Seconds(job.cover) }];
                if choice < 2 {
                    job.status = Status::Running;
                    told.push(E::JobStarted { job: id, ready_record: keccak256(id.0) });
                }
                told
            }
            (Status::Accepted, 0..8) => {
                job.status = Status::Running;
                vec![E::JobStarted { job: id, ready_record: keccak256(id.0) }]
            }
            (Status::Created | Status::Accepted, _) => {
                listed.held.take_if(|by| *by == id);
                listed.tied -= untied;
                let was_accepted = job.status == Status::Accepted;
                self.jobs.swap_remove(at);
                let cancelled = choice % 2 == 0;
                let mut told = vec![if cancelled {
                    E::JobCancelled { job: id, by: who, refunded: amount }
                } else {
                    E::JobDeclined { job: id, refunded: amount, reason: "no room — sorry".into() }
                }];
                if cancelled && was_accepted {
                    told.push(E::CancelFeePaid { job: id, paid: amount, fee: Amount(more.into()) });
                }
                told
            }
            (Status::Running, 0) => {
                job.status = Status::Paused;
                vec![E::JobPaused { job: id }]
            }
            (Status::Running, 1) => {
                job.status = Status::Silent;
                vec![E::JobSilent { job: id, clock_stands_at: Timestamp(more), reporter: who }]
            }
            (Status::Running, 2) => {
                job.extra += more;
                let locked = job.terms.stream(Seconds(job.extra), BasisPoints(0)).locked();
                vec![E::JobExtended { job: id, extra: Seconds(job.extra), locked }]
            }
            (Status::Running, 3..7) => {
                job.paid += more;
                vec![E::JobPaid { job: id, seconds: Seconds(job.paid), amount }]
            }
            (Status::Paused | Status::Silent, 0..6) => {
                job.status = Status::Running;
                job.paused += more;
                vec![E::JobResumed { job: id, paused: Seconds(job.paused) }]
            }
            (Status::Ended, 0..3) => {
                job.status = Status::Disputed;
                vec![E::JobDisputed {
                    job: id,
                    opener: who,
                    pot: amount,
                    bond: Amount(7),
                    reason: "it's \"slow\"".into(),
                }]
            }
            (Status::Ended, _) => {
                listed.tied -= untied;
                self.jobs.swap_remove(at);
                let (seconds, paid) = (Seconds(more), Amount(amount.0 * 2));
                vec![
                    E::JobPaid { job: id, seconds, amount },
                    E::JobFinalized { job: id, paid, fee: Amount(more.into()) },
                ]
            }
            (Status::Disputed, _) => {
                let from_cover = untied * u128::from(choice) / 10;
                listed.tied -= untied;
                listed.stake -= from_cover;
                self.jobs.swap_remove(at);
                let (provider, evidence) = (BasisPoints((more % 3) as u16 * 5_000), "bafkreisomething".to_owned());
                let from_cover = Amount(from_cover);
                vec![
                    E::DisputeResolved { job: id, by: who, provider, returned: amount, from_cover, evidence },
                    E::JobFinalized { job: id, paid: amount, fee: Amount(more.into()) },
                ]
            }
            _ => {
                listed.held = None;
                job.status = Status::Ended;
                let outcome = [Outcome::Succeeded, Outcome::Failed, Outcome::StoppedByRenter, Outcome::Silent]
                    [(more % 4) as usize];
                let seconds = Seconds(job.paid + more);
                let result_digest = if more % 2 == 0 { keccak256(id.0) } else { B256::ZERO };
                vec![
                    E::JobPaid { job: id, seconds, amount },
                    E::JobEnded { job: id, by: who, outcome, seconds, refunded: amount, result_digest },
                ]
            }
        }
    }

    /// Stake is put down, asked back, taken back; slashes are proposed, contested, settled.
    fn of_stake(&mut self) -> E {
        let at = self.below(self.resources.len() as u64) as usize;
        let (choice, who) = (self.below(10), self.somebody());
        let some = u128::from(self.below(1 << 62)) + 1;
        // Block times have forty bits on chain.
        let when = Timestamp((some >> 23) as u64);
        if let (7.., Some((proposal, whose, amount))) = (choice, self.slashes.pop()) {
            let evidence = "bafkreiagainst".to_owned();
            if choice == 7 {
                self.slashes.push((proposal, whose, amount));
                return E::SlashContested { proposal, evidence };
            }
            let listed = &mut self.resources[whose];
            listed.contested -= amount;
            let slashed = choice == 8;
            if slashed {
                listed.stake -= amount;
            }
            let (to_harmed, burned) =
                if slashed { (Amount(amount / 3), Amount(amount - amount / 3)) } else { Default::default() };
            return E::SlashSettled { proposal, slashed, to_harmed, burned };
        }
        let listed = &mut self.resources[at];
        let (resource, free) = (listed.id, listed.free());
        match choice {
            4 if free > 0 => {
                let amount = 1 + some % free;
                listed.unbonding += amount;
                let (amount, unbonding) = (Amount(amount), Amount(listed.unbonding));
                E::UnstakeRequested { resource, amount, unbonding, available_at: when }
            }
            5 if listed.unbonding > 0 => {
                let amount = std::mem::take(&mut listed.unbonding);
                listed.stake -= amount;
                E::Unstaked { resource, to: who, amount: Amount(amount), stake: Amount(listed.stake) }
            }
            6 if free > 4 => {
                let amount = 1 + some % (free / 5).max(1);
                listed.contested += amount;
                self.proposals += 1;
                // Two turns of one story have the same numbers: the blocks of one of them are taken back.
                let proposal = self.proposals;
                self.slashes.push((proposal, at, amount));
                let (loss, evidence) = (Amount(some), "bafkreiproof".to_owned());
                E::SlashProposed {
                    proposal,
                    resource,
                    harmed: who,
                    amount: Amount(amount),
                    loss,
                    contestable_until: when,
                    evidence,
                }
            }
            _ => {
                listed.stake += some;
                E::Staked { resource, from: who, amount: Amount(some), stake: Amount(listed.stake) }
            }
        }
    }
}
