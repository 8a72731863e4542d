//! Following one job from created to settled: chain events and the agent's news in, decisions and updates out.

mod block_clock;
mod ending;
mod events;
mod hearing;
mod news;

pub(crate) use block_clock::BlockClock;
pub use ending::Ending;
pub(crate) use ending::Times;

use alloy_primitives::{Address, B256, aliases::U40};
use chain::{Account, EventStream, Item, Mined, StreamConfig, Wallet};
use market::{Amount, JobId, Outcome, Seconds, Status, Timestamp};
use wire::{
    JobSpec, Terms,
    feed::{LogStream, Phase},
    http::ReadyBody,
    record::ReadyRecord,
    signed::Ready,
};

use crate::{
    Feed, FeedItem, FollowConfig, GatewayClient, RenterError, Step, View,
    watch::{self},
};

/// How far a job is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until the clock runs.
    Started,
    /// Until the clock stands for good, what nobody earned is back, and the agent's record arrived or is not to be expected.
    /// What was earned last may be disputed for a while after that.
    Settled,
}

/// What a follower does besides looking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Acting {
    /// Nothing.
    Not,
    /// Takes money back that nobody comes to earn. Ready and beats are left to the job's watcher.
    BesideWatcher,
    /// Everything: signs Ready, counts beats, takes money back.
    Fully,
}

/// Something worth telling a person.
#[derive(Clone, Debug, PartialEq)]
pub enum Update {
    /// The agent is in a new phase.
    Phase(Phase),
    /// Blocks arrive at the agent.
    Fetch {
        /// What.
        what: String,
        /// Verified bytes.
        bytes: u64,
        /// All of them, once known.
        total_bytes: Option<u64>,
    },
    /// The chain says that the provider took the job.
    Accepted {
        /// Transaction.
        tx: B256,
    },
    /// The readiness record was checked and signed.
    Ready(ReadyRecord),
    /// The chain says that the clock runs.
    Started {
        /// Transaction.
        tx: B256,
        /// Block time.
        at: Timestamp,
    },
    /// A line of output.
    Log {
        /// Which stream.
        stream: LogStream,
        /// The line.
        line: String,
    },
    /// The program's own progress.
    Progress {
        /// 0–100.
        percent: u8,
        /// Its words.
        message: String,
    },
    /// The provider's money moved.
    Paid {
        /// How much.
        amount: Amount,
    },
    /// The chain says that the job is over.
    Ended(Outcome),
    /// The renter's side acted or lost sight of something.
    Note(String),
}

/// What the chain said of a job.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Said {
    status: Status,
    since: Timestamp,
    times: Times,
    ending: Ending,
}

/// Takes the money of a job back that will not be followed further and has not started; says what came of it.
pub(crate) async fn let_go(account: &Account, terms: &Terms, on: &mut (dyn FnMut(Update) + Send)) {
    let job = account.market().job_id(terms);
    let cancelled = match account.market().job(job).await {
        Ok(state) if matches!(state.status, Status::Created | Status::Accepted) => account.cancel_job(terms).await,
        Ok(_) => return,
        Err(err) => Err(err),
    };
    on(Update::Note(match cancelled {
        Ok(_) => "the job was cancelled before it started and its whole lock is back".into(),
        Err(err) => format!("the lock could not be taken back ({err}); `bourse stop` tries again"),
    }));
}

/// One job being followed.
pub(crate) struct Follower<'a> {
    pub(crate) account: &'a Account,
    pub(crate) gateway: &'a GatewayClient,
    pub(crate) config: FollowConfig,
    pub(crate) terms: Terms,
    /// What was ordered; without it readiness records are passed over, for somebody who only wants to know the end.
    pub(crate) spec: Option<JobSpec>,
    /// Signs Ready: the session key, or the renter's own where a watcher is the controller.
    pub(crate) signer: Wallet,
    /// A watcher is the controller.
    pub(crate) watched: bool,
    pub(crate) agent: Address,
    /// The listing pretends its cards.
    pub(crate) simulated: bool,
    pub(crate) job: JobId,
    pub(crate) acting: Acting,
    pub(crate) view: View,
    pub(crate) ready: Option<B256>,
    pub(crate) last_beat: u64,
    /// How long the agent had not been heard when the way to it was cut.
    pub(crate) unheard: Seconds,
    /// Block time that the chain is known to have reached, by its head at the beginning and by our transactions since:
    /// until the stream is there, nothing is decided.
    pub(crate) acted: Timestamp,
    /// Block time between the blocks.
    pub(crate) clock: BlockClock,
    pub(crate) times: Times,
    pub(crate) ending: Ending,
    /// What the chain had said before each block that changed it, so that a reorganisation can be undone.
    pub(crate) before: Vec<(u64, Said)>,
    /// Why the last record of the agent's was not believed.
    pub(crate) doubt: Option<RenterError>,
    /// The gateway is lost and that was told.
    pub(crate) lost: bool,
    pub(crate) on: &'a mut (dyn FnMut(Update) + Send),
}

impl Follower<'_> {
    /// Follows until `until`, reading the chain from `from_block`.
    pub(crate) async fn run(mut self, from_block: u64, mut feed: Feed, until: Until) -> Result<Ending, RenterError> {
        let mut chain = EventStream::new(self.account.market().clone(), from_block, StreamConfig::default());
        let mut record_due: Option<tokio::time::Instant> = None;
        loop {
            let waited = async {
                match record_due {
                    Some(due) => tokio::time::sleep_until(due).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                item = chain.next() => match item? {
                    Item::Block(block) => self.block(&block),
                    Item::Rewind { to } => self.rewind(to),
                },
                item = feed.next() => if let Some(item) = item { self.feed_item(item) },
                () = waited => {
                    return Err(RenterError::NoResult {
                        within_s: self.config.result_within.as_secs(),
                        detail: "the agent's completion record did not come".into(),
                    });
                }
            }
            if let Some(doubt) = self.unbearable_doubt() {
                return Err(doubt);
            }
            match self.act().await? {
                Some(Step::Finish) if !self.record_expected() => return Ok(self.ended()),
                Some(Step::Finish) => {
                    record_due.get_or_insert_with(|| tokio::time::Instant::now() + self.config.result_within);
                }
                _ if until == Until::Started && self.view.status.has_clock() => {
                    return Ok(self.ended());
                }
                // A reorganisation may take an end back.
                _ => record_due = None,
            }
        }
    }

    /// A record that is not true ends the matter before the clock runs, and where nothing but that record is awaited.
    /// A clock that runs is still watched: a lie must not make the renter look away.
    fn unbearable_doubt(&mut self) -> Option<RenterError> {
        match self.view.status {
            Status::Created | Status::Accepted if !self.view.ready => self.doubt.take(),
            status if status.is_over() && self.record_expected() => self.doubt.take(),
            _ => None,
        }
    }

    fn ended(self) -> Ending {
        Ending { status: self.view.status, ..self.ending }
    }

    /// The agent's record is worth waiting for when the chain carries its digest.
    fn record_expected(&self) -> bool {
        self.ending.record.is_none() && self.ending.result_digest.is_some_and(|digest| digest != B256::ZERO)
    }

    fn feed_item(&mut self, item: FeedItem) {
        match item {
            FeedItem::Up => {
                self.hears_again();
                self.lost = false;
            }
            FeedItem::Down(reason) => {
                self.goes_deaf();
                if !std::mem::replace(&mut self.lost, true) {
                    (self.on)(Update::Note(format!("lost the gateway ({reason}); trying again, the job goes on")));
                }
            }
            FeedItem::Current => {}
            FeedItem::Resync => (self.on)(Update::Note("older news of the job are no longer kept".into())),
            FeedItem::News(event) => self.news(event.news),
        }
    }

    /// Takes the next step where there is one. Only looking takes none but the last.
    async fn act(&mut self) -> Result<Option<Step>, RenterError> {
        // Its watcher stops the clock where the silence began; only one that does not come to it is not waited for.
        let heartbeat = if self.watched { Seconds(self.config.heartbeat.0 * 2) } else { self.config.heartbeat };
        let step = watch::next(&self.view, heartbeat);
        if step == Some(Step::Finish) {
            self.check_digest()?;
            return Ok(step);
        }
        if self.acting == Acting::Not || self.view.now < self.acted {
            return Ok(None);
        }
        if self.acting == Acting::BesideWatcher && matches!(step, Some(Step::SignReady | Step::StopSilent)) {
            return Ok(None);
        }
        let outcome = match step {
            Some(Step::SignReady) => self.sign_ready().await,
            Some(Step::Cancel) => {
                (self.on)(Update::Note("not accepted or started in time: taking the money back".into()));
                self.acted(self.account.cancel_job(&self.terms).await)
            }
            Some(Step::StopSilent) => {
                (self.on)(Update::Note("the provider missed its beats: the clock is stopped".into()));
                self.acted(self.account.stop_job(&self.terms).await)
            }
            Some(Step::Close) => self.acted(self.account.close_job(&self.terms).await),
            Some(Step::Finish) | None => return Ok(None),
        };
        match outcome {
            Ok(()) => Ok(step),
            // The other side was faster, or the way is cut: the chain tells what is so, and the step comes again.
            Err(err)
                if err.is_retryable()
                    || matches!(err, RenterError::Chain(chain::ChainError::Reverted(_)))
                    // The agent may have the first signature and start with it: that must be watched.
                    || (step == Some(Step::SignReady) && self.view.signed_at.is_some()) =>
            {
                tracing::debug!(%err, ?step, "a step did not succeed and is decided again");
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    fn acted(&mut self, mined: Result<Mined, chain::ChainError>) -> Result<(), RenterError> {
        let mined = mined?;
        self.acted = mined.timestamp;
        self.reached(mined.block, mined.timestamp);
        Ok(())
    }

    async fn sign_ready(&mut self) -> Result<(), RenterError> {
        let Some(ready_record) = self.ready else {
            return Ok(());
        };
        let at = self.view.now.0;
        let ready = Ready { jobId: B256::from(self.job.0), readyRecord: ready_record, at: U40::saturating_from(at) };
        let signature = self.signer.sign(&self.account.market().domain(), &ready)?;
        self.gateway.ready(self.job, &ReadyBody { ready_record, at, signature }).await?;
        self.view.signed_at = Some(self.view.now);
        Ok(())
    }
}
