//! What the chain's events amount to: how a job ended, and when its clock does by itself.

use alloy_primitives::B256;
use market::{Amount, Outcome, Seconds, Status, Timestamp};
use wire::{Terms, record::CompletionRecord};

/// How a job ended, from the chain's events.
#[derive(Clone, Debug, PartialEq)]
pub struct Ending {
    /// Where the job stands: cancelled before the clock ran, over after it, or running still for who looks no further.
    pub status: Status,
    /// Why the clock ended, or none when it never ran or still does.
    pub outcome: Option<Outcome>,
    /// Seconds on the clock.
    pub seconds: Seconds,
    /// Paid to the provider: its total once the job is final.
    pub paid: Amount,
    /// The platform's share, once the job is final.
    pub fee: Amount,
    /// Earned and not yet paid out, the platform's share included: nothing once the job is final.
    pub due: Amount,
    /// Until then either side may dispute what was earned last; none while the clock may run, and once it is final.
    pub disputable_until: Option<Timestamp>,
    /// What came back.
    pub refunded: Amount,
    /// Why the provider declined, when he did.
    pub declined: Option<String>,
    /// What the agent says of the end; its digest is on chain.
    pub record: Option<CompletionRecord>,
    pub(crate) result_digest: Option<B256>,
}

impl Default for Ending {
    fn default() -> Self {
        Self {
            status: Status::None,
            outcome: None,
            seconds: Seconds(0),
            paid: Amount::ZERO,
            fee: Amount::ZERO,
            due: Amount::ZERO,
            disputable_until: None,
            refunded: Amount::ZERO,
            declined: None,
            record: None,
            result_digest: None,
        }
    }
}

/// A clock's figures as the chain said them last; each is a total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) extra: Seconds,
    pub(crate) paused: Seconds,
}

impl Times {
    /// When the clock ends by itself, once it was started.
    pub(crate) fn end(&self, terms: &Terms) -> Option<Timestamp> {
        let bought = Seconds(terms.maxDuration.into());
        self.started_at.map(|started| started.after(bought).after(self.extra).after(self.paused))
    }
}
