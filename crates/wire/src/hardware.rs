//! What a resource is made of, as every list and record writes it.

use serde::{Deserialize, Serialize};

/// What a resource is made of.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct HardwareJson {
    /// The card's or the processor's name.
    pub model: String,
    /// Cards.
    pub gpus: u16,
    /// Memory of one card.
    pub vram_mib: u64,
    /// Processor threads.
    pub cpus: u16,
    /// Main memory.
    pub memory_mib: u64,
    /// Disk.
    pub disk_mib: u64,
    /// The cards are pretended.
    pub simulated: bool,
}

impl From<&market::Hardware> for HardwareJson {
    fn from(from: &market::Hardware) -> Self {
        Self {
            model: from.model.clone(),
            gpus: from.gpus,
            vram_mib: from.vram.0,
            cpus: from.cpus,
            memory_mib: from.memory.0,
            disk_mib: from.disk.0,
            simulated: from.simulated,
        }
    }
}

impl From<&HardwareJson> for market::Hardware {
    fn from(from: &HardwareJson) -> Self {
        Self {
            model: from.model.clone(),
            gpus: from.gpus,
            vram: market::Mebibytes(from.vram_mib),
            cpus: from.cpus,
            memory: market::Mebibytes(from.memory_mib),
            disk: market::Mebibytes(from.disk_mib),
            simulated: from.simulated,
        }
    }
}
