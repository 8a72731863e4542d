//! The constants of the market that every party must agree on, in seconds of block time.

use crate::{BasisPoints, Seconds};

/// A job that nobody accepted for this long can be closed with a full refund.
pub const ACCEPT_WITHIN: Seconds = Seconds(600);
/// An accepted job whose clock did not start for this long can be closed with a full refund.
pub const START_WITHIN: Seconds = Seconds(3600);
/// A running job's agent is heard at least this often.
pub const HEARTBEAT: Seconds = Seconds(60);
/// Beats that may be missed before the clock stands.
pub const MISSED_BEATS_MAX: u64 = 4;
/// After a report of silence the agent may go on with the job for this long.
pub const RESUME_WITHIN: Seconds = Seconds(600);
/// A pause longer than this lets anyone close the job.
pub const PAUSE_MAX: Seconds = Seconds(24 * 3600);
/// So long after the clock's end anyone may close the job.
pub const CLOSE_AFTER: Seconds = Seconds(2 * 3600);
/// A signature that starts the clock is good for this long.
pub const READY_VALID: Seconds = Seconds(120);
/// The least charge may not exceed the price of this much time.
pub const MIN_CHARGE_TIME: Seconds = Seconds(600);
/// W: so long after a second has passed, and after a job's end, either side may dispute what is paid for it.
pub const DISPUTE_WINDOW: Seconds = Seconds(3600);
/// D: a dispute that nobody decided for this long can be settled half and half by anyone.
pub const ANSWER_WITHIN: Seconds = Seconds(7 * 24 * 3600);
/// Stake that its owner asks back can be taken after this long.
pub const UNBONDING: Seconds = Seconds(14 * 24 * 3600);
/// So long a proposed slash can be contested.
pub const CONTEST_WITHIN: Seconds = Seconds(48 * 3600);
/// The most of a resource's untied stake that one slash can take.
pub const SLASH_MAX: BasisPoints = BasisPoints(2000);
/// What opening a dispute costs for the time being, as a share of what is disputed; the market may ask for more.
pub const BOND: BasisPoints = BasisPoints(1000);
/// The most of its lock that a cancelled reservation can cost.
pub const CANCEL_FEE_MAX: BasisPoints = BasisPoints(2500);
/// A reservation is cancelled for nothing from so long after its start was agreed: its provider stalled.
pub const CANCEL_FEE_WITHIN: Seconds = Seconds(600);
/// The longest job that one agreement may lock money for; extensions come on top.
pub const DURATION_MAX: Seconds = Seconds(30 * 24 * 3600);
/// The platform's share unless the market says otherwise.
pub const FEE_DEFAULT: BasisPoints = BasisPoints(200);
/// The platform can never take more.
pub const FEE_CAP: BasisPoints = BasisPoints(500);

/// The silence after which a watcher stops paying: four beats missed.
#[must_use]
pub const fn silence() -> Seconds {
    Seconds(HEARTBEAT.0 * MISSED_BEATS_MAX)
}

const _: () = assert!(silence().0 <= RESUME_WITHIN.0, "a report must be possible while lastSeen is still accepted");
const _: () = assert!(READY_VALID.0 < ACCEPT_WITHIN.0, "a stale signature must not outlive the acceptance");
const _: () = assert!(FEE_DEFAULT.0 <= FEE_CAP.0);
