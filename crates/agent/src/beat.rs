//! Heartbeats: signed, to the gateway and into the feed of each job whose container is known to live.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use wire::{JobNews, feed::BeatJson, signed};

use crate::AgentError;
use crate::host::{Host, wall};
use crate::probe::{Cards, Gauge};

/// Beats until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>, cards: Arc<Cards>) {
    let began = Instant::now();
    let mut gauge = Gauge::new(cards);
    let mut ticks = tokio::time::interval(host.config.heartbeat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = host.shutdown.cancelled() => return,
        }
        let now = gauge.read();
        let beat = BeatJson {
            agent: host.account.address(),
            at: wall(),
            jobs: host.alive().into_iter().map(|job| B256::from(job.0)).collect(),
            utilisation_pct: now.utilisation_pct,
            memory_mib: now.memory_mib,
            temperature_c: now.temperature_c,
            power_w: now.power_w,
            uptime_s: began.elapsed().as_secs(),
        };
        if let Err(error) = tell(&host, beat) {
            tracing::error!(%error, "a beat could not be signed");
        }
    }
}

fn tell(host: &Host, beat: BeatJson) -> Result<(), AgentError> {
    let statement = signed::Beat::from(&beat);
    let signature = host.account.wallet().sign(&host.market.domain(), &statement)?;
    for (job, feed) in host.feeds.list() {
        if beat.jobs.contains(&B256::from(job.0)) {
            // A disk that is full must not make this machine look dead.
            if let Err(error) = feed.journal.add(JobNews::JobBeat { beat: beat.clone(), signature }) {
                tracing::error!(job = %job.short(), %error, "a beat could not be written");
            }
        }
    }
    host.beats.send_replace(Some((beat, signature)));
    Ok(())
}
