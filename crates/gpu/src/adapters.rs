//! Anything that computes, through wgpu: Vulkan on Linux, Metal on macOS.

use wgpu::{Backends, DeviceType, Instance, InstanceDescriptor, InstanceFlags};

use crate::{CARDS_MAX, GpuConfig, Kind, Record, Source};

/// A card that a proof can run on.
#[derive(Clone, Debug)]
pub struct Adapter {
    /// What wgpu says of it.
    pub record: Record,
    pub(crate) adapter: wgpu::Adapter,
}

/// All adapters; processors that pretend only where they are asked for.
#[must_use]
pub fn adapters(config: &GpuConfig) -> Vec<Adapter> {
    let mut descriptor = InstanceDescriptor::new_without_display_handle();
    // No debug layers, whatever the profile: they are slow, and they speak to the terminal.
    descriptor.flags = InstanceFlags::empty();
    let instance = Instance::new(descriptor);
    let found = pollster::block_on(instance.enumerate_adapters(Backends::PRIMARY));
    let found = found.into_iter().map(|adapter| Adapter { record: record(&adapter.get_info()), adapter });
    found.filter(|it| config.software || it.record.kind != Kind::Software).take(CARDS_MAX).collect()
}

fn record(info: &wgpu::AdapterInfo) -> Record {
    Record {
        address: info.device_pci_bus_id.parse().ok(),
        vendor: info.vendor,
        device: info.device,
        model: info.name.clone(),
        driver: format!("{} {}", info.driver, info.driver_info).trim().to_owned(),
        kind: match info.device_type {
            DeviceType::DiscreteGpu => Kind::Discrete,
            DeviceType::IntegratedGpu => Kind::Integrated,
            DeviceType::VirtualGpu => Kind::Virtual,
            DeviceType::Cpu => Kind::Software,
            DeviceType::Other => Kind::Unknown,
        },
        ..Record::new(Source::Wgpu)
    }
}
