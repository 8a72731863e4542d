//! What the chain says of a followed job.

use alloy_primitives::B256;
use chain::{BlockEvents, MarketEvent};
use market::{Amount, BasisPoints, Status, Timestamp, rules::DISPUTE_WINDOW};

use super::{Ending, Follower, Said, Times, Update};
use crate::View;

impl Follower<'_> {
    pub(super) fn block(&mut self, block: &BlockEvents) {
        self.view.now = block.timestamp;
        self.reached(block.number, block.timestamp);
        let before = self.said();
        for chain::Logged { tx, event, .. } in &block.events {
            if event.job() == Some(self.job) {
                self.chain_event(*tx, event, block.timestamp);
            }
        }
        if self.said() != before {
            self.before.push((block.number, before));
        }
    }

    fn set_times(&mut self, times: Times) {
        self.times = times;
        self.view.clock_end = times.end(&self.terms);
        self.view.paused = times.paused;
    }

    fn said(&self) -> Said {
        let View { status, since, .. } = self.view;
        Said { status, since, times: self.times, ending: Ending { record: None, ..self.ending.clone() } }
    }

    fn chain_event(&mut self, tx: B256, event: &MarketEvent, at: Timestamp) {
        let status = match event {
            MarketEvent::JobCreated { .. } => Status::Created,
            MarketEvent::JobAccepted { .. } => {
                (self.on)(Update::Accepted { tx });
                Status::Accepted
            }
            MarketEvent::JobStarted { .. } => {
                self.set_times(Times { started_at: Some(at), ..self.times });
                (self.on)(Update::Started { tx, at });
                Status::Running
            }
            MarketEvent::JobPaused { .. } => Status::Paused,
            MarketEvent::JobResumed { paused, .. } => {
                self.set_times(Times { paused: *paused, ..self.times });
                Status::Running
            }
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
                let locked = self.terms.stream(self.times.extra, BasisPoints(0)).locked();
                self.ending.due = locked.saturating_sub(*refunded).saturating_sub(self.ending.paid);
                self.ending.disputable_until = Some(at.after(DISPUTE_WINDOW));
                (self.on)(Update::Ended(*outcome));
                Status::Ended
            }
            MarketEvent::JobFinalized { paid, fee, .. } => {
                self.ending.paid = *paid;
                self.ending.fee = *fee;
                (self.ending.due, self.ending.disputable_until) = (Amount::ZERO, None);
                Status::Final
            }
            MarketEvent::JobDisputed { reason, .. } => {
                (self.on)(Update::Note(format!("the job is disputed: {reason}")));
                self.ending.disputable_until = None;
                Status::Disputed
            }
            MarketEvent::DisputeResolved { returned, .. } => {
                self.ending.refunded = self.ending.refunded.saturating_add(*returned);
                return;
            }
            MarketEvent::JobPaid { amount, .. } => {
                (self.on)(Update::Paid { amount: *amount });
                self.ending.paid = self.ending.paid.saturating_add(*amount);
                self.ending.due = self.ending.due.saturating_sub(*amount);
                return;
            }
            MarketEvent::JobExtended { extra, .. } => {
                self.set_times(Times { extra: *extra, ..self.times });
                return;
            }
            _ => return,
        };
        (self.view.status, self.view.since) = (status, at);
    }

    /// Forgets what was said above block `to`; what is said instead follows.
    pub(super) fn rewind(&mut self, to: u64) {
        while let Some((_, Said { status, since, times, ending })) = self.before.pop_if(|(block, _)| *block > to) {
            self.view = View { status, since, signed_at: None, ..self.view };
            self.set_times(times);
            self.ending = Ending { record: self.ending.record.take(), ..ending };
        }
        (self.on)(Update::Note("the chain reorganised; what happened to the job is read again".into()));
    }
}
