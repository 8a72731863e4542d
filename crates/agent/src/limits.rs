//! Every limit of the agent, with its reason.

use std::time::Duration;

use market::{Mebibytes, Seconds};

/// The program's own output that is kept and relayed for one job. Enough to find a fault; data belongs into
/// `/outputs`.
pub const LOG_KEPT_BYTES_MAX: u64 = 16 << 20;
/// Counted for each kept line on top of its bytes, so that empty lines are not free.
pub const LOG_LINE_OVERHEAD_BYTES: u64 = 64;
/// The engine's own log file of one container. Larger than what is kept, encoded as JSON, so that an agent that
/// comes back finds all that it still wants.
pub const ENGINE_LOG_MIB: u64 = 128;

/// How long the controller may take to look at the readiness record and let the clock start.
pub const READY_WITHIN: Duration = Duration::from_secs(600);
/// Time for a program to end by itself after SIGTERM.
pub const STOP_GRACE: Duration = Duration::from_secs(10);
/// An engine that does not answer for this long has taken the job with it: the same silence that a watcher allows.
pub const ENGINE_AWAY_MAX: Duration = Duration::from_secs(market::rules::silence().0);
/// A start that a reorganisation took off the chain is mined again from the pool or by sending it again; after
/// this long the program has run unpaid long enough.
pub const UNDONE_MAX: Duration = Duration::from_secs(120);
/// A result that could not be delivered for this long is given up: as long as results are kept.
pub const DELIVER_WITHIN: Duration = Duration::from_secs(24 * 3600);
/// Results, logs and records stay pinned for this long after the job's end, and longer while its money is disputed: the
/// dispute window, and a day to fetch them. What nothing else keeps is collected after that.
pub const RESULT_KEPT: Duration = Duration::from_secs(market::rules::DISPUTE_WINDOW.0 + 24 * 3600);
/// How often old jobs are forgotten and content that nobody keeps is collected. A store that is full does so by itself.
pub const SWEEP_EVERY: Duration = Duration::from_secs(3600);
/// Outputs up to this size are stored in a blink; for larger ones the clock is paused, so that nobody pays for
/// storing, at the price of one more transaction.
pub const COLLECT_ON_THE_CLOCK: Mebibytes = Mebibytes(64);
/// How often a running job collects what it has earned, so that little is at stake should the agent be lost.
pub const PAYMENT_EVERY: Duration = Duration::from_secs(3600);

/// How often a size-watched folder is measured: what a disk writes in one second is the overshoot.
pub const DISK_WATCH_EVERY: Duration = Duration::from_secs(1);
/// How often a job looks at its clock when nothing else happens.
pub const TICK: Duration = Duration::from_secs(1);
/// Measuring a container ends within this time or is left for the next round.
pub const USAGE_WITHIN: Duration = Duration::from_secs(5);
/// The first and the longest wait between two tries of anything that may come back.
pub const RETRY_WAIT: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(10));
/// A transaction whose fate is unknown is not sent again before this.
pub const DOUBT_WAIT: Duration = Duration::from_secs(2);
/// Fetch progress is told at most this often.
pub const FETCH_NEWS_EVERY: Duration = Duration::from_millis(500);
/// An agent that shuts down removes the traces of jobs that are over within this time or leaves them to its next run.
pub const LEAVE_WITHIN: Duration = Duration::from_secs(5);
/// The rest of a log after the program's end arrives within this time or is left.
pub const LOG_DRAIN: Duration = Duration::from_secs(10);

/// Bytes that all connections of a job to listed hosts may move together: several large models.
pub const EGRESS_BYTES_MAX: u64 = 256 << 30;
/// Connections of one job at once; more wait.
pub const EGRESS_CONNECTIONS_MAX: usize = 64;
/// A name is found, a host answers and a request's head arrives within these times.
pub const EGRESS_LOOKUP_WITHIN: Duration = Duration::from_secs(5);
/// See above.
pub const EGRESS_DIAL_WITHIN: Duration = Duration::from_secs(10);
/// See above.
pub const EGRESS_REQUEST_WITHIN: Duration = Duration::from_secs(30);

/// A lease that stands ready and is not paid for this long, or two ticks, is given up: long enough for a person to look.
pub const LEASE_READY_WITHIN: Duration = Duration::from_secs(120);
/// What a lease has run is written down this often: a killed agent gives away so much at most.
pub const SERVED_SAVED_EVERY: Duration = Duration::from_secs(5);
/// The spec of a lease is there within this time, or nothing is charged: less than a gateway waits.
pub const LEASE_SPEC_WITHIN: Duration = Duration::from_secs(10);
/// Channels that one agent remembers; each is a file of a few KiB.
pub const CHANNELS_MAX: usize = 4096;
/// Rows of one claim: as many as fit a block of any chain many times.
pub const CLAIM_ROWS_MAX: usize = 50;
/// News of leases that a link may be behind before it tells of all of them again.
pub const LEASE_NEWS_MAX: usize = 256;

/// Jobs that ended are looked at this often, by a clock that costs nothing; the chain is asked when one is due.
pub const SETTLE_EVERY: Duration = Duration::from_secs(2);
/// Jobs that one transaction finalizes: far below any block's gas.
pub const FINALIZED_AT_ONCE: usize = 20;
/// A job whose settlement was tried, or that is disputed, is looked at again after this long.
pub const SETTLE_AGAIN: Duration = Duration::from_secs(60);

/// Disk that must stay free beside everything that a job may write.
pub const DISK_SPARE: Mebibytes = Mebibytes(256);
/// What the content store must be able to take before a job is accepted: its log as far as most go, and its records.
/// As much again stays free of images and inputs, so that who fills the store does not lock out the next job.
pub const STORE_SPARE: Mebibytes = Mebibytes(4);
/// Images that the engine keeps for later jobs.
pub const IMAGES_KEPT_MAX: usize = 16;
/// Bytes of images that the engine keeps for later jobs.
pub const IMAGES_KEPT_BYTES_MAX: u64 = 64 << 30;
/// Volumes an image may declare; each becomes a small tmpfs instead.
pub const IMAGE_VOLUMES_MAX: usize = 16;

/// Processes and threads of one job.
pub const PIDS_MAX: i64 = 4096;
/// Open files of one process.
pub const OPEN_FILES_MAX: i64 = 65_536;
/// Jobs that one agent follows at once, running or being delivered.
pub const JOBS_MAX: usize = 256;
/// Messages waiting for one job.
pub const NUDGES_MAX: usize = 64;
/// Events read from a journal at once for the link.
pub const LINK_BATCH: usize = 128;
/// Events that a gateway may hold and that this machine forgot. More is no power cut but a lie.
pub const FEED_AHEAD_MAX: u64 = 4096;
/// A gateway that says nothing to a greeting for this long is tried again later.
pub const LINK_GREETING: Duration = Duration::from_secs(10);
/// Blocks before the saved one that are read again after a restart, so that a reorganisation meanwhile is seen.
pub const CURSOR_OVERLAP: u64 = 64;
/// The cursor is saved at least this often in blocks; repeated blocks do no harm.
pub const CURSOR_EVERY: u64 = 16;
/// The longest reason that goes on chain with a refusal: gas is paid by the byte.
pub const REASON_BYTES_MAX: usize = 200;
/// A chain without blocks for this long says nothing about time: then this machine's clock is believed.
pub const CHAIN_QUIET: Duration = Duration::from_secs(120);
/// The clock of this machine may differ by this much from the chain's before signatures are refused.
pub const CLOCK_SKEW_MAX: Seconds = Seconds(30);

const _: () = assert!(
    (ENGINE_LOG_MIB << 20) > 4 * LOG_KEPT_BYTES_MAX,
    "the engine's log must not rotate away what is still to be kept"
);
const _: () = assert!(wire::feed::LOG_LINE_BYTES_MAX < wire::link::MESSAGE_BYTES_MAX / 4, "a line fits a message");
const _: () = assert!(
    CLOCK_SKEW_MAX.0 < market::rules::READY_VALID.0,
    "a tolerated clock must be able to judge a fresh signature"
);
