//! Following one job from created to settled: chain events and the agent's news in, decisions and updates out.

use alloy_primitives::{Address, B256, aliases::U40};
use chain::{Account, BlockEvents, EventStream, Item, MarketEvent, StreamConfig, Wallet};
use market::{Amount, JobId, Outcome, Seconds, Status, Timestamp};
use wire::{
    JobNews, JobSpec, SignatureBytes, Terms, document,
    feed::{BeatJson, LogStream, Phase},
    http::ReadyBody,
    record::{CompletionRecord, ReadyRecord},
    signed::{Attest, Beat, Ready},
};

use crate::{
    Feed, FeedItem, FollowConfig, GatewayClient, RenterError, Seen, Step, View,
    watch::{self},
};

/// How far a job is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Until {
    /// Until the clock runs.
    Started,
    /// Until the money is settled and the agent's record arrived, or is not to be expected.
    Settled,
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

/// How a job ended, from the chain's events.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Ending {
    /// Why the clock ended, or none when it never ran.
    pub outcome: Option<Outcome>,
    /// Seconds on the clock.
    pub seconds: Seconds,
    /// The provider's total.
    pub paid: Amount,
    /// The platform's share.
    pub fee: Amount,
    /// What came back.
    pub refunded: Amount,
    /// Why the provider declined, when he did.
    pub declined: Option<String>,
    /// What the agent says of the end; its digest is on chain.
    pub record: Option<CompletionRecord>,
    result_digest: Option<B256>,
}

/// One job being followed.
pub(crate) struct Follower<'a> {
    pub(crate) account: &'a Account,
    pub(crate) gateway: &'a GatewayClient,
    pub(crate) config: FollowConfig,
    pub(crate) terms: Terms,
    pub(crate) spec: JobSpec,
    pub(crate) session: Wallet,
    pub(crate) agent: Address,
    pub(crate) job: JobId,
    /// Signs, counts beats and takes money back; otherwise only looks.
    pub(crate) acting: bool,
    pub(crate) view: View,
    pub(crate) ready: Option<B256>,
    pub(crate) last_beat: u64,
    pub(crate) ending: Ending,
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
                    Item::Rewind { .. } => self.reread().await?,
                },
                item = feed.next() => if let Some(item) = item { self.feed_item(item).await? },
                () = waited => {
                    return Err(RenterError::NoResult {
                        within_s: self.config.result_within.as_secs(),
                        detail: "the agent's completion record did not come".into(),
                    });
                }
            }
            match self.act().await? {
                Some(Step::Finish) if !self.record_expected() => return Ok(self.ending),
                Some(Step::Finish) if record_due.is_none() => {
                    record_due = Some(tokio::time::Instant::now() + self.config.result_within);
                }
                _ if until == Until::Started && self.view.status.has_clock() => return Ok(self.ending),
                _ => {}
            }
        }
    }

    /// The agent's record is worth waiting for when the chain carries its digest.
    fn record_expected(&self) -> bool {
        self.ending.record.is_none() && self.ending.result_digest.is_some_and(|digest| digest != B256::ZERO)
    }

    fn block(&mut self, block: &BlockEvents) {
        self.view.now = block.timestamp;
        for (_, tx, event) in &block.events {
            if event.job() == Some(self.job) {
                self.chain_event(*tx, event, block.timestamp);
            }
        }
    }

    fn chain_event(&mut self, tx: B256, event: &MarketEvent, at: Timestamp) {
        let status = match event {
            MarketEvent::JobCreated { .. } => Status::Created,
            MarketEvent::JobAccepted { .. } => {
                (self.on)(Update::Accepted { tx });
                Status::Accepted
            }
            MarketEvent::JobStarted { .. } => {
                self.view.clock_end = Some(at.after(Seconds(self.terms.maxDuration.into())));
                (self.on)(Update::Started { tx, at });
                Status::Running
            }
            MarketEvent::JobPaused { .. } => Status::Paused,
            MarketEvent::JobResumed { .. } => Status::Running,
            MarketEvent::JobSilent { .. } => {
                (self.on)(Update::Note("a watcher reported that the provider is silent; the clock stands".into()));
                Status::Silent
            }
            MarketEvent::JobDeclined { refunded, reason, .. } => {
                self.ending.refunded = *refunded;
                self.ending.declined = Some(reason.clone());
                Status::Cancelled
            }
            MarketEvent::JobCancelled { refunded, .. } => {
                self.ending.refunded = *refunded;
                Status::Cancelled
            }
            MarketEvent::JobEnded { outcome, seconds, refunded, result_digest, .. } => {
                self.ending.outcome = Some(*outcome);
                self.ending.seconds = *seconds;
                self.ending.refunded = *refunded;
                self.ending.result_digest = Some(*result_digest);
                (self.on)(Update::Ended(*outcome));
                Status::Ended
            }
            MarketEvent::JobFinalized { paid, fee, .. } => {
                self.ending.paid = *paid;
                self.ending.fee = *fee;
                Status::Final
            }
            MarketEvent::JobPaid { amount, .. } => {
                (self.on)(Update::Paid { amount: *amount });
                return;
            }
            MarketEvent::JobExtended { extra, .. } => {
                let end = self.view.clock_end.map(|end| end.after(*extra));
                self.view.clock_end = end;
                return;
            }
            _ => return,
        };
        (self.view.status, self.view.since) = (status, at);
    }

    /// After a reorganisation the chain is asked; what the stream brings again comes on top.
    async fn reread(&mut self) -> Result<(), RenterError> {
        let state = self.account.market().job(self.job).await?;
        (self.view.status, self.view.since) = (state.status, state.since);
        if !state.status.is_over() {
            self.ending = Ending { record: self.ending.record.take(), ..Ending::default() };
        }
        (self.on)(Update::Note("the chain reorganised; the job's state was read again".into()));
        Ok(())
    }

    async fn feed_item(&mut self, item: FeedItem) -> Result<(), RenterError> {
        match item {
            FeedItem::Up => self.view.heard = Seen::At(self.view.now),
            FeedItem::Down(reason) => {
                self.view.heard = Seen::Deaf;
                (self.on)(Update::Note(format!("lost the gateway ({reason}); trying again, the job goes on")));
            }
            FeedItem::Current => {}
            FeedItem::Resync => (self.on)(Update::Note("older news of the job are no longer kept".into())),
            FeedItem::News(event) => self.news(event.news)?,
        }
        Ok(())
    }

    fn news(&mut self, news: JobNews) -> Result<(), RenterError> {
        match news {
            JobNews::JobStatusChanged { phase } => (self.on)(Update::Phase(phase)),
            JobNews::JobFetch { what, bytes, total_bytes } => (self.on)(Update::Fetch { what, bytes, total_bytes }),
            JobNews::JobLog { stream, line } => (self.on)(Update::Log { stream, line }),
            JobNews::JobProgress { percent, message } => (self.on)(Update::Progress { percent, message }),
            JobNews::JobDeclined { reason } => (self.on)(Update::Note(format!("the provider declines: {reason}"))),
            JobNews::JobBeat { beat, signature } => self.beat(&beat, &signature),
            JobNews::JobReady { record, signature } => {
                self.ready = Some(self.checked(&record, &signature)?);
                if !self.view.ready {
                    (self.on)(Update::Ready(record));
                }
                self.view.ready = true;
            }
            JobNews::JobCompleted { record, signature } => {
                let digest = document(&record)?.digest;
                self.attested(digest, &signature)?;
                self.ending.record = Some(record);
            }
        }
        Ok(())
    }

    /// A beat counts when the job's own agent signed it for this job and it is newer than the last.
    fn beat(&mut self, beat: &BeatJson, signature: &SignatureBytes) {
        let domain = self.account.market().domain();
        let genuine = domain.signer(&Beat::from(beat), signature) == Some(self.agent) && beat.agent == self.agent;
        if genuine && beat.at > self.last_beat && beat.jobs.contains(&B256::from(self.job.0)) {
            self.last_beat = beat.at;
            self.view.heard = Seen::At(self.view.now);
        }
    }

    fn checked(&self, record: &ReadyRecord, signature: &SignatureBytes) -> Result<B256, RenterError> {
        let inputs: Vec<_> = self.spec.inputs.iter().map(|input| input.cid.clone()).collect();
        if record.job_id.0 != self.job.0 || record.image != self.spec.image || record.inputs != inputs {
            return Err(RenterError::Untrue {
                what: "the readiness record",
                detail: "it names another job, image or input than was ordered".into(),
            });
        }
        let digest = document(record)?.digest;
        self.attested(digest, signature)?;
        Ok(digest)
    }

    fn attested(&self, digest: B256, signature: &SignatureBytes) -> Result<(), RenterError> {
        let attest = Attest { jobId: B256::from(self.job.0), digest };
        Ok(self.account.market().domain().verify(&attest, signature, self.agent)?)
    }

    /// Takes the next step where there is one. Only looking takes none but the last.
    async fn act(&mut self) -> Result<Option<Step>, RenterError> {
        let step = watch::next(&self.view, self.config.heartbeat);
        if step == Some(Step::Finish) {
            self.check_digest()?;
            return Ok(step);
        }
        if !self.acting {
            return Ok(None);
        }
        let outcome = match step {
            Some(Step::SignReady) => self.sign_ready().await,
            Some(Step::Cancel) => {
                (self.on)(Update::Note("not accepted or started in time: taking the money back".into()));
                self.account.cancel_job(&self.terms).await.map(drop).map_err(RenterError::from)
            }
            Some(Step::StopSilent) => {
                (self.on)(Update::Note("the provider missed its beats: the clock is stopped".into()));
                self.account.stop_job(&self.terms).await.map(drop).map_err(RenterError::from)
            }
            Some(Step::Close) => self.account.close_job(&self.terms).await.map(drop).map_err(RenterError::from),
            Some(Step::Finish) | None => return Ok(None),
        };
        match outcome {
            Ok(()) => Ok(step),
            // The other side was faster, or the way is cut: the chain tells what is so, and the step comes again.
            Err(err) if err.is_retryable() || matches!(err, RenterError::Chain(chain::ChainError::Reverted(_))) => {
                tracing::debug!(%err, ?step, "a step did not succeed and is decided again");
                Ok(None)
            }
            Err(err) => Err(err),
        }
    }

    async fn sign_ready(&mut self) -> Result<(), RenterError> {
        let Some(ready_record) = self.ready else { return Ok(()) };
        let at = self.view.now.0;
        let ready = Ready { jobId: B256::from(self.job.0), readyRecord: ready_record, at: U40::saturating_from(at) };
        let signature = self.session.sign(&self.account.market().domain(), &ready)?;
        self.gateway.ready(self.job, &ReadyBody { ready_record, at, signature }).await?;
        self.view.signed_at = Some(self.view.now);
        Ok(())
    }

    /// The record that the agent sent is the one whose digest it put on chain.
    fn check_digest(&self) -> Result<(), RenterError> {
        let (Some(record), Some(on_chain)) = (&self.ending.record, self.ending.result_digest) else { return Ok(()) };
        if on_chain == B256::ZERO || document(record)?.digest == on_chain {
            return Ok(());
        }
        Err(RenterError::Untrue {
            what: "the completion record",
            detail: format!("its digest is not the {on_chain} that stands on chain"),
        })
    }
}
