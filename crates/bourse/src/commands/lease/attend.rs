//! Being there while a lease runs: a tick ahead is paid, what the program says is shown, Ctrl-C stops it.

use std::time::{Duration, Instant};

use renter::{LeaseClient, LeaseRefund, OpenLease};
use serde_json::{Value, json};
use tokio_util::sync::CancellationToken;
use wire::http::{LeaseJson, LeasePhase};

use crate::{failure::Failure, settings::Settings, ui::Ui};

/// The gateway is asked so often how it goes.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// A gateway that does not answer for so long is given up; without ticks the lease ends by itself.
const AWAY_MAX: Duration = Duration::from_secs(120);

/// Somebody who pays for a lease.
struct Payer<'a> {
    client: &'a LeaseClient,
    settings: &'a Settings,
    ui: &'a Ui,
    stop: &'a CancellationToken,
    /// The longest that is paid for, in seconds.
    longest: u64,
    /// The next line of the log.
    next_line: u64,
    phase: Option<LeasePhase>,
    is_stopping: bool,
}

/// Pays a tick ahead until the program ends, its longest time is over, or somebody has enough.
pub(super) async fn attend(
    client: &LeaseClient,
    lease: &mut OpenLease,
    longest: u32,
    (settings, ui, stop): (&Settings, &Ui, &CancellationToken),
) -> Result<LeaseJson, Failure> {
    let longest = u64::from(longest);
    let mut payer = Payer { client, settings, ui, stop, longest, next_line: 0, phase: None, is_stopping: false };
    let mut away: Option<Instant> = None;
    loop {
        match payer.round(lease).await {
            Ok(Some(done)) => return Ok(done),
            Ok(None) => away = None,
            Err(error) if away.is_some_and(|since| since.elapsed() > AWAY_MAX) => return Err(error),
            // What was signed is signed again just the same, and charged once.
            Err(error) if away.is_none() => {
                ui.warn(format_args!("{error}; trying on"));
                away = Some(Instant::now());
            }
            Err(_) => {}
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK_EVERY) => {}
            () = stop.cancelled(), if !payer.is_stopping => {}
        }
    }
}

impl Payer<'_> {
    /// Looks once and does what is due; the lease's end when it is over.
    async fn round(&mut self, lease: &mut OpenLease) -> Result<Option<LeaseJson>, Failure> {
        let shown = self.client.show(lease).await?;
        if self.phase.replace(shown.status) != Some(shown.status) {
            self.ui.step("lease", phase(shown.status));
        }
        let logs = self.client.logs(lease, self.next_line).await?;
        self.next_line = logs.next;
        logs.lines.iter().for_each(|line| self.ui.log(&line.line));
        if shown.status == LeasePhase::Done {
            return Ok(Some(shown));
        }
        if self.stop.is_cancelled() && !self.is_stopping {
            self.ui.note("stopping it");
            self.client.stop(lease).await?;
            self.is_stopping = true;
        }
        let is_served = matches!(shown.status, LeasePhase::Ready | LeasePhase::Running);
        let is_due = shown.paid_s < shown.served_s + u64::from(lease.tick_s);
        let left = self.longest.saturating_sub(lease.paid_s);
        if is_served && is_due && left > 0 && !self.is_stopping {
            let seconds = u64::from(lease.tick_s).min(left);
            self.client.tick(lease, u32::try_from(seconds).unwrap_or(lease.tick_s)).await?;
            super::save(self.settings, lease)?;
        }
        Ok(None)
    }
}

/// Takes the rest of the channel back. One that does not come now is told of, and comes by itself.
pub(super) async fn refunded(client: &LeaseClient, lease: &mut OpenLease, ui: &Ui) -> Option<LeaseRefund> {
    match client.refund(lease).await {
        Ok(refund) => Some(refund),
        Err(error) => {
            ui.warn(format_args!("the rest is not back yet ({error}); its provider gives it back by itself"));
            None
        }
    }
}

/// What came back, for programs.
pub(super) fn refund_json(refund: &LeaseRefund) -> Value {
    json!({ "channel": refund.channel, "amount": refund.amount.to_string(), "tx": refund.tx })
}

/// Where a lease stands, in words.
pub(super) fn phase(phase: LeasePhase) -> &'static str {
    match phase {
        LeasePhase::Fetching => "its image is being fetched",
        LeasePhase::Preparing => "its container is being made",
        LeasePhase::Ready => "ready; runs from the first tick",
        LeasePhase::Running => "running",
        LeasePhase::Stopping => "is being stopped",
        LeasePhase::Collecting => "outputs and log are being stored",
        LeasePhase::Done => "over",
    }
}
