//! What cards this machine has, and the proof of GPU on them. The only place that speaks with drivers.
//!
//! Nothing is linked at build time: NVIDIA's library and the Vulkan loader are opened when they are there, everything else
//! is read from files. A machine without any of them has no cards, which is an answer and no error.

mod config;
pub use config::{ANSWER_WITHIN, CARDS_MAX, GpuConfig};

mod error;
pub use error::GpuError;

mod address;
pub use address::PciAddress;

mod record;
pub use record::{Kind, Record, Source};

mod nvidia;
pub use nvidia::{Gauges, Nvidia, NvidiaCard};

pub mod sysfs;

mod adapters;
pub use adapters::{Adapter, adapters};

mod join;
pub use join::{Card, Finding, Inventory, join};

mod inventory;
pub use inventory::inventory;

mod device;
pub use device::{Computed, Device};

/// The program that runs on a card, for agents and browsers.
pub const KERNEL: &str = include_str!("kernel.wgsl");
