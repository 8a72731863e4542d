//! What the chain says of a followed job.

use alloy_primitives::B256;
use chain::{BlockEvents, MarketEvent};
use market::{Seconds, Status, Timestamp};

use super::{Ending, Follower, Update};
use crate::RenterError;

impl Follower<'_> {
    pub(super) fn block(&mut self, block: &BlockEvents) {
        self.view.now = block.timestamp;
        for chain::Logged { tx, event, .. } in &block.events {
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
    pub(super) async fn reread(&mut self) -> Result<(), RenterError> {
        let state = self.account.market().job(self.job).await?;
        (self.view.status, self.view.since) = (state.status, state.since);
        if !state.status.is_over() {
            self.ending = Ending { record: self.ending.record.take(), ..Ending::default() };
        }
        (self.on)(Update::Note("the chain reorganised; the job's state was read again".into()));
        Ok(())
    }
}
