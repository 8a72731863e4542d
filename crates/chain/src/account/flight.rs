//! A transaction on its way.

use std::time::Instant;

use alloy::primitives::{B256, Bytes};

use super::{lane::Ticket, send::Action};

/// Wei for a unit of gas: at most in all, and of that to the block's builder.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Fees {
    pub(super) max: u128,
    pub(super) tip: u128,
}

/// One offer: the bytes that were handed to the node.
pub(super) struct Signed {
    pub(super) hash: B256,
    pub(super) raw: Bytes,
    pub(super) fees: Fees,
}

/// A transaction on its way: one nonce, one call, one or more fees.
pub(crate) struct Flight {
    pub(super) ticket: Ticket,
    pub(super) call: Action,
    pub(super) gas: u64,
    pub(super) offers: Vec<Signed>,
    pub(super) began: Instant,
    pub(super) bump_at: Instant,
    pub(super) resend_at: Instant,
    pub(super) lost_looks: u32,
}

impl Flight {
    /// The nonce that it took.
    pub(crate) fn nonce(&self) -> u64 {
        self.ticket.nonce
    }

    /// What was offered last.
    pub(super) fn newest(&self) -> &Signed {
        // There is always the first offer; new ones are only ever added.
        &self.offers[self.offers.len() - 1]
    }
}
