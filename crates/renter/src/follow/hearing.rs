//! Whether the agent is heard: only a silence that could have been broken counts.

use alloy_primitives::B256;
use market::{
    Seconds, Status, Timestamp,
    rules::{READY_VALID, RESUME_WITHIN},
};
use wire::{SignatureBytes, feed::BeatJson, signed::Beat};

use super::Follower;
use crate::{Seen, client::unix_now};

/// A beat that was signed longer ago is no sign of life: it may have been kept to be told now.
const BEAT_OLD: Seconds = RESUME_WITHIN;
/// An agent's clock may be ahead of ours by so much.
const BEAT_AHEAD: Seconds = READY_VALID;

impl Follower<'_> {
    /// The chain's time now, as well as it is known.
    fn present(&self) -> Timestamp {
        self.clock.now()
    }

    /// Block `number` of time `at` is there.
    pub(super) fn reached(&mut self, number: u64, at: Timestamp) {
        let late = self.clock.reached(number, at);
        if let Seen::At(heard) = self.view.heard {
            self.view.heard = Seen::At(heard.after(late));
        }
    }

    /// The way to the agent is open. The time without it does not count, the silence before it does.
    pub(super) fn hears_again(&mut self) {
        if self.view.heard == Seen::Deaf {
            let silent = std::mem::take(&mut self.unheard);
            self.view.heard = Seen::At(Timestamp(self.present().0.saturating_sub(silent.0)));
        }
    }

    /// The way to the agent is cut.
    pub(super) fn goes_deaf(&mut self) {
        if let Seen::At(heard) = std::mem::replace(&mut self.view.heard, Seen::Deaf) {
            // Nobody beats for a clock that does not run.
            let due = self.view.status == Status::Running;
            self.unheard = if due { self.present().since(heard.max(self.view.since)) } else { Seconds(0) };
        }
    }

    /// A beat counts when the job's own agent signed it for this job, lately, and after the one before.
    pub(super) fn beat(&mut self, beat: &BeatJson, signature: &SignatureBytes) {
        let domain = self.account.market().domain();
        let genuine = domain.signer(&Beat::from(beat), signature) == Some(self.agent) && beat.agent == self.agent;
        if !genuine || !beat.jobs.contains(&B256::from(self.job.0)) {
            return;
        }
        let wall = unix_now();
        if beat.at.saturating_add(BEAT_OLD.0) < wall || beat.at > wall + BEAT_AHEAD.0 {
            tracing::warn!(at = beat.at, now = wall, "a beat of another time does not count; compare the clocks");
            return;
        }
        if beat.at > self.last_beat {
            // One that is dated ahead must not make those after it old.
            self.last_beat = beat.at.min(wall);
            self.view.heard = Seen::At(self.present());
        }
    }
}
