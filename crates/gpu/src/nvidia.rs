//! NVIDIA cards, through the driver's own library, opened when it is there.

use market::Mebibytes;
use nvml_wrapper::{Device, Nvml, enum_wrappers::device::TemperatureSensor};

use crate::{CARDS_MAX, Kind, Record, Source};

/// NVIDIA's number.
const VENDOR: u32 = 0x10de;

/// The driver's library, if this machine has it.
#[derive(Debug)]
pub struct Nvidia(Option<Nvml>);

/// A card that can be rented by its name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NvidiaCard {
    /// What containers are given it by.
    pub uuid: String,
    /// The model's name.
    pub model: String,
    /// Its memory.
    pub vram: Mebibytes,
}

/// How the cards are now.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Gauges {
    /// Of the busiest.
    pub utilisation_pct: u16,
    /// Of the hottest.
    pub temperature_c: u16,
    /// Of all.
    pub power_w: u32,
}

impl Nvidia {
    /// Opens the library where there is one.
    #[must_use]
    pub fn open() -> Self {
        Self(Nvml::init().ok())
    }

    /// The driver's version, or nothing.
    #[must_use]
    pub fn driver(&self) -> String {
        self.0.as_ref().and_then(|nvml| nvml.sys_driver_version().ok()).unwrap_or_default()
    }

    /// All cards that can be rented by their names. One whose name cannot be read cannot; it still has its record.
    #[must_use]
    pub fn list(&self) -> Vec<NvidiaCard> {
        let read = |device: Device<'_>| {
            let vram = Mebibytes(device.memory_info().ok()?.total >> 20);
            Some(NvidiaCard { uuid: device.uuid().ok()?, model: device.name().ok()?, vram })
        };
        self.devices().filter_map(read).collect()
    }

    /// What the library says of each card, as far as it says anything.
    #[must_use]
    pub fn records(&self) -> Vec<Record> {
        let driver = self.driver();
        let read = |device: Device<'_>| {
            let pci = device.pci_info().ok();
            Record {
                address: pci.as_ref().and_then(|pci| pci.bus_id.parse().ok()),
                vendor: VENDOR,
                // The vendor stands in the lower half.
                device: pci.map_or(0, |pci| pci.pci_device_id >> 16),
                model: device.name().unwrap_or_default(),
                unique: device.uuid().or_else(|_| device.serial()).unwrap_or_default(),
                board: device.board_part_number().unwrap_or_default(),
                vram: device.memory_info().ok().map(|memory| Mebibytes(memory.total >> 20)),
                driver: format!("NVIDIA {driver}"),
                kind: Kind::Discrete,
                ..Record::new(Source::Nvml)
            }
        };
        self.devices().map(read).collect()
    }

    /// How busy the busiest of these cards is, in percent, and the memory in use of all of them.
    #[must_use]
    pub fn usage(&self, uuids: &[String]) -> (u16, Mebibytes) {
        let Some(nvml) = &self.0 else { return (0, Mebibytes(0)) };
        let devices = uuids.iter().filter_map(|uuid| nvml.device_by_uuid(uuid.as_str()).ok());
        devices.fold((0, Mebibytes(0)), |(busiest, memory), device| {
            let busy = device.utilization_rates().map_or(0, |rates| u16::try_from(rates.gpu).unwrap_or(100));
            let used = device.memory_info().map_or(0, |memory| memory.used >> 20);
            (busiest.max(busy), Mebibytes(memory.0 + used))
        })
    }

    /// How the cards are now; `None` without cards.
    #[must_use]
    pub fn gauges(&self) -> Option<Gauges> {
        self.devices().next()?;
        let mut gauges = Gauges::default();
        for device in self.devices() {
            let busy = device.utilization_rates().map_or(0, |rates| rates.gpu);
            let hot = device.temperature(TemperatureSensor::Gpu).unwrap_or_default();
            gauges.utilisation_pct = gauges.utilisation_pct.max(u16::try_from(busy).unwrap_or(100));
            gauges.temperature_c = gauges.temperature_c.max(u16::try_from(hot).unwrap_or_default());
            gauges.power_w += device.power_usage().unwrap_or_default() / 1000;
        }
        Some(gauges)
    }

    fn devices(&self) -> impl Iterator<Item = Device<'_>> {
        let count = self.0.as_ref().and_then(|nvml| nvml.device_count().ok()).unwrap_or_default();
        let indexes = (0..count).take(CARDS_MAX);
        indexes.filter_map(|index| self.0.as_ref()?.device_by_index(index).ok())
    }
}
