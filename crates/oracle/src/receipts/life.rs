//! A job's life as its events tell it, and as the formulas say it should have gone.

use chain::MarketEvent;
use market::{Amount, BasisPoints, Clock, JobId, Outcome, Seconds, Settlement, Timestamp};
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
    /// How it ended, once everything was settled.
    pub end: Option<End>,
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
    /// Where the lock went, as the events say.
    pub told: Settlement,
    /// Where it should have gone, by the formula for the counted seconds.
    pub computed: Settlement,
    /// The last block of the job's events.
    pub settled_in: u64,
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
            ReceiptKind::JobResolved => None,
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
    /// Between `JobEnded` and `JobFinalized`.
    ending: Option<End>,
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
        };
        let none = (Seconds(0), Seconds(0));
        Some(Self { life, stands_at: None, paused: Seconds(0), paid: none, paid_in: (0, 0), ending: None })
    }

    fn pass(&mut self, dated: &Dated) {
        match &dated.event {
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
                let told = Settlement { paid: Amount::ZERO, fee: Amount::ZERO, refunded: *refunded };
                self.ending = Some(End {
                    at: dated.at,
                    block: dated.block,
                    log_index: dated.log_index,
                    outcome: *outcome,
                    seconds: *seconds,
                    counted: computed.0,
                    result_digest: result_digest.0,
                    told,
                    computed: computed.1,
                    settled_in: dated.block,
                });
            }
            MarketEvent::JobFinalized { paid, fee, .. } => {
                self.life.end = self.ending.take().map(|mut end| {
                    end.told = Settlement { paid: *paid, fee: *fee, ..end.told };
                    end.settled_in = dated.block;
                    end
                });
            }
            _ => {}
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
