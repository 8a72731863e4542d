//! What one source says of one card.

use market::Mebibytes;
use serde::Serialize;

use crate::PciAddress;

/// Who says something. The order is that of belief: a driver's management library knows more than an interface for drawing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// NVIDIA's management library.
    Nvml,
    /// The kernel's files.
    Sysfs,
    /// Vulkan or Metal.
    Wgpu,
}

impl Source {
    /// As it is written for people.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nvml => "NVML",
            Self::Sysfs => "sysfs",
            Self::Wgpu => "wgpu",
        }
    }
}

/// What a card is to its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A card with memory of its own.
    Discrete,
    /// Part of the processor's package.
    Integrated,
    /// A part of a card, given to a virtual machine.
    Virtual,
    /// A processor that pretends.
    Software,
    /// Nobody says.
    #[default]
    Unknown,
}

/// What one source says of one card. Empty where it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// Who says it.
    pub source: Source,
    /// Where the card is plugged in.
    pub address: Option<PciAddress>,
    /// PCI vendor.
    pub vendor: u32,
    /// PCI device; zero where a source does not say.
    pub device: u32,
    /// The model's name.
    pub model: String,
    /// UUID or serial number.
    pub unique: String,
    /// The board's part number.
    pub board: String,
    /// Memory of its own.
    pub vram: Option<Mebibytes>,
    /// The driver and its version.
    pub driver: String,
    /// What it is to the machine.
    pub kind: Kind,
}

impl Record {
    /// A record that says nothing but who says it.
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            address: None,
            vendor: 0,
            device: 0,
            model: String::new(),
            unique: String::new(),
            board: String::new(),
            vram: None,
            driver: String::new(),
            kind: Kind::Unknown,
        }
    }
}
