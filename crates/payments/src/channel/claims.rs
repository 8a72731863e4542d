//! When what vouchers allow is claimed, and how a row of a claim is made.

use wire::x402::{VoucherClaim, VoucherOf, typed};

use super::ChannelState;
use super::key::repaired;

/// Unclaimed money of a channel is claimed after so many seconds at the latest.
pub const CLAIM_AFTER_S: u64 = 15 * 60;
/// Rows of one claim: fifty cost less gas than half a block of the smallest chain has.
pub const CLAIM_ROWS_MAX: usize = 50;

/// When it is worth to claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClaimPolicy {
    /// So much unclaimed is claimed at once: one dollar, in smallest units.
    pub at: u128,
    /// Anything unclaimed is claimed after so many seconds.
    pub after_s: u64,
}

impl ClaimPolicy {
    /// One dollar of a token with six decimal places, or a quarter of an hour.
    pub const DOLLAR: Self = Self { at: 1_000_000, after_s: CLAIM_AFTER_S };
}

/// Whether the channel should be claimed now. A payer who withdraws takes whatever was not claimed by then.
#[must_use]
pub fn due(state: &ChannelState, claimed_at: u64, policy: ClaimPolicy, now: u64) -> bool {
    let unclaimed = state.unclaimed();
    let waited = now.saturating_sub(claimed_at) >= policy.after_s;
    unclaimed > 0 && (state.withdraw_at.is_some() || unclaimed >= policy.at || waited)
}

/// The row that claims everything that was charged; nothing where no voucher allows it.
#[must_use]
pub fn row_of(state: &ChannelState) -> Option<VoucherClaim> {
    let signature = state.signature?;
    let digest = typed::voucher_digest(&state.separator, &state.id, state.signed_max);
    let signature = repaired(&digest, &signature, state.config.payer_authorizer)?;
    let voucher = VoucherOf { channel: state.config.clone(), max_claimable_amount: state.signed_max };
    let total_claimed = state.charged.min(state.signed_max).min(state.balance);
    (total_claimed > state.claimed).then_some(VoucherClaim { voucher, signature, total_claimed })
}
