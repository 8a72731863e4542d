//! Leases paid by the tick, as a gateway has them: relayed to the agent that serves them, which alone decides.
//!
//! On every paid call: lock the channel → verify the voucher, without the chain → no withdrawal pending → write the
//! copy down → relay → commit what the agent said. An agent that does not answer leaves the outcome unknown: the
//! payer is told to send the same again, never to sign anew.

mod calls;
mod copies;
mod locks;
mod offers;

pub(crate) use calls::{Calls, Unanswered};
pub(crate) use copies::{Copies, Told};
pub(crate) use locks::{Locks, Turn};
pub(crate) use offers::{Offered, Offers};

use chain::Erc20;
use tokio::sync::OnceCell;

use crate::config::LEASES_REMEMBERED_MAX;

/// What this gateway remembers of leases. All of it can be lost: copies of vouchers are rows, the rest agents tell again.
#[derive(Default)]
pub(crate) struct Leases {
    /// How linked agents sell.
    pub(crate) offers: Offers,
    /// Questions on their way to agents.
    pub(crate) calls: Calls,
    /// One payment of a channel at a time.
    pub(crate) locks: Locks,
    /// What agents said last.
    pub(crate) copies: Copies<LEASES_REMEMBERED_MAX>,
    /// The token that channels hold, once it was read.
    pub(crate) token: OnceCell<Erc20>,
}
