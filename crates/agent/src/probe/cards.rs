//! NVIDIA cards, through the driver's own library, opened when it is there.

use market::Mebibytes;
use nvml_wrapper::{Nvml, enum_wrappers::device::TemperatureSensor};

/// The driver's library, if this machine has it.
#[derive(Debug)]
pub(crate) struct Cards(Option<Nvml>);

/// One card.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Card {
    pub(crate) uuid: String,
    pub(crate) model: String,
    pub(crate) vram: Mebibytes,
}

/// How the cards are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Gauges {
    /// Of the busiest.
    pub(crate) utilisation_pct: u16,
    /// Of the hottest.
    pub(crate) temperature_c: u16,
    /// Of all.
    pub(crate) power_w: u32,
}

impl Cards {
    /// Opens the library where there is one.
    pub(crate) fn open() -> Self {
        Self(Nvml::init().ok())
    }

    /// The driver's version, or nothing.
    pub(crate) fn driver(&self) -> String {
        self.0.as_ref().and_then(|nvml| nvml.sys_driver_version().ok()).unwrap_or_default()
    }

    /// All cards. One whose facts cannot be read is left out: it could not be rented by its name.
    pub(crate) fn list(&self) -> Vec<Card> {
        let Some(nvml) = &self.0 else { return Vec::new() };
        let count = nvml.device_count().unwrap_or_default();
        let read = |index| {
            let device = nvml.device_by_index(index).ok()?;
            let vram = Mebibytes(device.memory_info().ok()?.total >> 20);
            Some(Card { uuid: device.uuid().ok()?, model: device.name().ok()?, vram })
        };
        (0..count).filter_map(read).collect()
    }

    /// How busy the busiest of these cards is, in percent, and the memory in use of all of them.
    pub(crate) fn usage(&self, uuids: &[String]) -> (u16, Mebibytes) {
        let Some(nvml) = &self.0 else { return (0, Mebibytes(0)) };
        let devices = uuids.iter().filter_map(|uuid| nvml.device_by_uuid(uuid.as_str()).ok());
        devices.fold((0, Mebibytes(0)), |(busiest, memory), device| {
            let busy = device.utilization_rates().map_or(0, |rates| u16::try_from(rates.gpu).unwrap_or(100));
            let used = device.memory_info().map_or(0, |memory| memory.used >> 20);
            (busiest.max(busy), Mebibytes(memory.0 + used))
        })
    }

    /// How the cards are now; `None` without cards.
    pub(crate) fn gauges(&self) -> Option<Gauges> {
        let nvml = self.0.as_ref()?;
        let count = nvml.device_count().ok().filter(|count| *count > 0)?;
        let mut gauges = Gauges::default();
        for index in 0..count {
            let Ok(device) = nvml.device_by_index(index) else { continue };
            let busy = device.utilization_rates().map_or(0, |rates| rates.gpu);
            let hot = device.temperature(TemperatureSensor::Gpu).unwrap_or_default();
            gauges.utilisation_pct = gauges.utilisation_pct.max(u16::try_from(busy).unwrap_or(100));
            gauges.temperature_c = gauges.temperature_c.max(u16::try_from(hot).unwrap_or_default());
            gauges.power_w += device.power_usage().unwrap_or_default() / 1000;
        }
        Some(gauges)
    }
}
