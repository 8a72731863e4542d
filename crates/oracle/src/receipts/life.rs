//! A job's life as its events tell it, and as the formulas say it should have gone.

use chain::MarketEvent;
use market::{Amount, BasisPoints, Clock, JobId, Outcome, Pot, Seconds, Settlement, Stream, Timestamp, Verdict};
use wire::{Terms, receipt::ReceiptKind};

use crate::OracleError;

/// An event and the block that carries it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dated {
    /// Its block.
    pub block: u64,
    /// The time of that block.
    pub at: Timestamp,
    /// Its place in the block.
    pub log_index: u64,
    /// What happened.
    pub event: MarketEvent,
}

/// A job from its order on, as far as the events go that were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// When the money was locked.
    pub created_at: Timestamp,
    /// In which block.
    pub created_in: u64,
    /// The place in that block.
    pub created_index: u64,
    /// What was agreed.
    pub terms: Terms,
    /// The platform's share.
    pub fee: BasisPoints,
    /// When the clock started.
    pub started_at: Option<Timestamp>,
    /// Seconds bought by extensions.
    pub extra: Seconds,
    /// Everything locked, as the events say.
    pub locked: Amount,
    /// How it ended.
    pub end: Option<End>,
    /// How a dispute over it was decided.
    pub ruling: Option<Ruling>,
}

/// A verdict, and what it came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ruling {
    /// Block time.
    pub at: Timestamp,
    /// In which block.
    pub block: u64,
    /// The place in that block.
    pub log_index: u64,
    /// The provider's share of the pot.
    pub provider: BasisPoints,
    /// What the dispute was about, as its event says.
    pub pot: Amount,
    /// The same by the formula, from the seconds and the cover at its opening.
    pub pot_computed: Amount,
    /// What went back to the renter beside what nobody earned.
    pub returned: Amount,
    /// Of that, what came from stake.
    pub from_cover: Amount,
    /// CID of the judge's report; empty where nobody decided.
    pub evidence: String,
    /// Where the lock went, as the events say.
    pub told: Settlement,
    /// Where it should have gone, by the formula.
    pub computed: Settlement,
}

/// The end of a job that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct End {
    /// When its clock was found to stand for good.
    pub at: Timestamp,
    /// In which block.
    pub block: u64,
    /// The place in that block.
    pub log_index: u64,
    /// Why.
    pub outcome: Outcome,
    /// Seconds on the clock, as the event says.
    pub seconds: Seconds,
    /// Seconds on the clock, counted from the times of the blocks.
    pub counted: Seconds,
    /// sha2-256 of the agent's completion record; zero where it left none.
    pub result_digest: [u8; 32],
    /// Where the lock goes unless somebody disputes it: what was not refunded is earned, and the platform has its share.
    pub told: Settlement,
    /// The same by the formula for the counted seconds.
    pub computed: Settlement,
    /// Where it went without a dispute, as the last event says.
    pub settled: Option<Settlement>,
}

impl Life {
    /// Reads the events of one job, oldest first. `None` when its order is not among them.
    #[must_use]
    pub fn read(job: JobId, history: &[Dated]) -> Option<Self> {
        let mut events = history.iter().filter(|dated| dated.event.job() == Some(job));
        let mut walk = events.by_ref().find_map(Walk::begin)?;
        for dated in events {
            walk.pass(dated);
        }
        Some(walk.life)
    }

    /// Where the event that a receipt is about stands: its block and its place in it.
    #[must_use]
    pub fn place(&self, kind: ReceiptKind) -> Option<(u64, u64)> {
        match kind {
            ReceiptKind::JobSubmitted => Some((self.created_in, self.created_index)),
            ReceiptKind::JobCompleted => self.end.as_ref().map(|end| (end.block, end.log_index)),
            ReceiptKind::JobResolved => self.ruling.as_ref().map(|ruling| (ruling.block, ruling.log_index)),
        }
    }

    /// The agreement of events and formula, or where they part.
    pub(crate) fn agrees(&self, job: JobId) -> Result<(), OracleError> {
        let amounts = |of: &Settlement| format!("{} paid, {} fee, {} refunded", of.paid, of.fee, of.refunded);
        let differ = |what, told: String, computed: String| Err(OracleError::Disagree { job, what, told, computed });
        let formula = self.terms.stream(self.extra, self.fee).locked();
        if self.locked != formula {
            return differ("the lock", self.locked.to_string(), formula.to_string());
        }
        let Some(end) = &self.end else { return Ok(()) };
        if end.seconds != end.counted {
            return differ("the clock", format!("{} s", end.seconds.0), format!("{} s", end.counted.0));
        }
        if end.told != end.computed {
            return differ("the cost", amounts(&end.told), amounts(&end.computed));
        }
        if let Some(settled) = end.settled.filter(|settled| *settled != end.told) {
            return differ("the cost", amounts(&settled), amounts(&end.told));
        }
        let Some(ruling) = &self.ruling else { return Ok(()) };
        if ruling.pot != ruling.pot_computed {
            return differ("the pot", ruling.pot.to_string(), ruling.pot_computed.to_string());
        }
        if ruling.told != ruling.computed {
            return differ("the verdict", amounts(&ruling.told), amounts(&ruling.computed));
        }
        Ok(())
    }
}

/// What has to be remembered between two events.
struct Walk {
    life: Life,
    /// Where the clock stands, while it does.
    stands_at: Option<Timestamp>,
    paused: Seconds,
    /// The payout before the last and the last, with the place of the last: the ending call pays too.
    paid: (Seconds, Seconds),
    paid_in: (u64, u64),
    /// Seconds that stake was tied for.
    cover: Seconds,
    /// The pot of an open dispute, as told and as computed.
    pot: Option<(Amount, Pot)>,
}

impl Walk {
    fn begin(dated: &Dated) -> Option<Self> {
        let MarketEvent::JobCreated { fee, terms, .. } = &dated.event else { return None };
        let life = Life {
            created_at: dated.at,
            created_in: dated.block,
            created_index: dated.log_index,
            terms: terms.as_ref().clone(),
            fee: *fee,
            started_at: None,
            extra: Seconds(0),
            locked: terms.stream(Seconds(0), *fee).locked(),
            end: None,
            ruling: None,
        };
        let none = (Seconds(0), Seconds(0));
        Some(Self {
            life,
            stands_at: None,
            paused: Seconds(0),
            paid: none,
            paid_in: (0, 0),
            cover: Seconds(0),
            pot: None,
        })
    }

    fn pass(&mut self, dated: &Dated) {
        match &dated.event {
            MarketEvent::JobAccepted { cover, .. } => self.cover = *cover,
            MarketEvent::JobStarted { .. } => self.life.started_at = Some(dated.at),
            MarketEvent::JobPaused { .. } => self.stands_at = Some(dated.at),
            MarketEvent::JobSilent { clock_stands_at, .. } => self.stands_at = Some(*clock_stands_at),
            MarketEvent::JobResumed { paused, .. } => {
                self.stands_at = None;
                self.paused = *paused;
            }
            MarketEvent::JobExtended { extra, locked, .. } => {
                self.life.extra = *extra;
                self.life.locked = *locked;
            }
            MarketEvent::JobPaid { seconds, .. } => {
                self.paid = (self.paid.1, *seconds);
                self.paid_in = (dated.block, dated.log_index);
            }
            MarketEvent::JobEnded { outcome, seconds, refunded, result_digest, .. } => {
                let computed = self.settle(dated, *outcome);
                let earned = self.life.locked.saturating_sub(*refunded);
                let fee = self.life.fee.of(earned);
                let told = Settlement { paid: earned.saturating_sub(fee), fee, refunded: *refunded };
                self.life.end = Some(End {
                    at: dated.at,
                    block: dated.block,
                    log_index: dated.log_index,
                    outcome: *outcome,
                    seconds: *seconds,
                    counted: computed.0,
                    result_digest: result_digest.0,
                    told,
                    computed: computed.1,
                    settled: None,
                });
            }
            MarketEvent::JobDisputed { pot, .. } => self.pot = Some((*pot, self.disputed(dated.at))),
            MarketEvent::DisputeResolved { provider, returned, from_cover, evidence, .. } => {
                self.decided(dated, *provider, (*returned, *from_cover), evidence);
            }
            MarketEvent::JobFinalized { paid, fee, .. } => self.finalized(*paid, *fee),
            _ => {}
        }
    }

    /// The stream as it counts for the end: a minimum charge may be waived.
    fn ended(&self) -> Option<(Stream, &End)> {
        let end = self.life.end.as_ref()?;
        let stream = self.life.terms.stream(self.life.extra, self.life.fee);
        // A waived minimum is one of which nothing was paid, at the end or before it.
        Some((stream.ended(end.outcome, self.paid.1), end))
    }

    /// The pot of a dispute that is opened then.
    fn disputed(&self, at: Timestamp) -> Pot {
        let Some((stream, end)) = self.ended() else { return Pot::default() };
        let clock = Clock {
            started_at: self.life.started_at.unwrap_or_default(),
            ended_at: self.stands_at.unwrap_or(end.at),
            paused: self.paused,
        };
        stream.pot(end.seconds, clock.old(at, end.seconds), self.paid.1, self.cover)
    }

    fn decided(&mut self, dated: &Dated, provider: BasisPoints, moved: (Amount, Amount), evidence: &str) {
        let (Some((stream, end)), Some((told, pot))) = (self.ended(), self.pot) else { return };
        let split = Verdict::of(provider).map(|verdict| stream.resolve(pot, Amount::ZERO, verdict).split);
        let refunded = end.told.refunded.saturating_add(moved.0);
        let nothing = Settlement { paid: Amount::ZERO, fee: Amount::ZERO, refunded };
        self.life.ruling = Some(Ruling {
            at: dated.at,
            block: dated.block,
            log_index: dated.log_index,
            provider,
            pot: told,
            pot_computed: pot.amount,
            returned: moved.0,
            from_cover: moved.1,
            evidence: evidence.to_owned(),
            told: nothing,
            computed: split.unwrap_or(nothing),
        });
    }

    fn finalized(&mut self, paid: Amount, fee: Amount) {
        match (&mut self.life.ruling, &mut self.life.end) {
            (Some(ruling), _) => ruling.told = Settlement { paid, fee, ..ruling.told },
            (None, Some(end)) => end.settled = Some(Settlement { paid, fee, ..end.told }),
            (None, None) => {}
        }
    }

    /// Seconds on the clock and the split of the lock for a job that ends with this event.
    fn settle(&self, ended: &Dated, outcome: Outcome) -> (Seconds, Settlement) {
        // The payout of the ending call stands directly before the end; what was paid before is the one before it.
        let paid_by_end = self.paid_in == (ended.block, ended.log_index.wrapping_sub(1));
        let paid = if paid_by_end { self.paid.0 } else { self.paid.1 };
        let stream = self.life.terms.stream(self.life.extra, self.life.fee);
        // Closed while the clock ran, because nobody collected in time: the clock goes back to the last paid second.
        let uncollected = outcome == Outcome::Silent && self.stands_at.is_none();
        let clock = Clock {
            started_at: self.life.started_at.unwrap_or_default(),
            ended_at: self.stands_at.unwrap_or(ended.at),
            paused: self.paused,
        };
        let ran = if uncollected { paid } else { clock.seconds(ended.at, stream.duration) };
        if ran == Seconds(0) {
            let nothing = Settlement { paid: Amount::ZERO, fee: Amount::ZERO, refunded: stream.locked() };
            return (ran, nothing);
        }
        (ran, stream.settle(ran, paid, outcome))
    }
}
