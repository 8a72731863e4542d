//! Heartbeats: signed, to the gateway and into the feed of each job whose container is known to live.

use std::sync::Arc;
use std::time::Instant;

use alloy_primitives::B256;
use wire::{JobNews, feed::BeatJson, signed};

use crate::AgentError;
use crate::host::{Host, wall};
use crate::probe::Cards;

/// Beats until the agent shuts down.
pub(crate) async fn run(host: Arc<Host>, cards: Cards) {
    let began = Instant::now();
    let mut system = sysinfo::System::new().ok();
    let mut ticks = tokio::time::interval(host.config.heartbeat);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            () = host.shutdown.cancelled() => return,
        }
        let gauges = cards.gauges();
        let (processors, memory) = system.as_mut().map_or((0.0, 0), |system| {
            system.refresh_cpu_usage();
            system.refresh_memory();
            (system.global_cpu_usage().clamp(0.0, 100.0), system.used_memory())
        });
        let beat = BeatJson {
            agent: host.account.address(),
            at: wall(),
            jobs: host.alive().into_iter().map(|job| B256::from(job.0)).collect(),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0–100")]
            utilisation_pct: gauges.map_or(processors.round() as u16, |gauges| gauges.utilisation_pct),
            memory_mib: u32::try_from(memory >> 20).unwrap_or(u32::MAX),
            temperature_c: gauges.map_or(0, |gauges| gauges.temperature_c),
            power_w: gauges.map_or(0, |gauges| gauges.power_w),
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
