//! How busy the machine is now.

use std::sync::Arc;

use jiff::Timestamp;
use wire::http::MetricsPoint;

use super::Cards;

/// Reads the machine's figures. Two of them do not disturb each other.
pub(crate) struct Gauge {
    system: Option<sysinfo::System>,
    cards: Arc<Cards>,
}

impl Gauge {
    pub(crate) fn new(cards: Arc<Cards>) -> Self {
        Self { system: sysinfo::System::new().ok(), cards }
    }

    /// How the machine is now; processors since the call before.
    pub(crate) fn read(&mut self) -> MetricsPoint {
        let gauges = self.cards.gauges();
        let (processors, memory) = self.system.as_mut().map_or((0.0, 0), |system| {
            system.refresh_cpu_usage();
            system.refresh_memory();
            (system.global_cpu_usage().clamp(0.0, 100.0), system.used_memory())
        });
        MetricsPoint {
            at: Timestamp::now(),
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 0–100")]
            utilisation_pct: gauges.map_or(processors.round() as u16, |gauges| gauges.utilisation_pct),
            memory_mib: u32::try_from(memory >> 20).unwrap_or(u32::MAX),
            temperature_c: gauges.map_or(0, |gauges| gauges.temperature_c),
            power_w: gauges.map_or(0, |gauges| gauges.power_w),
        }
    }
}
