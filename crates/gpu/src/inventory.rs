//! Everything that can be known of this machine's cards.

use crate::{GpuConfig, Inventory, Nvidia, adapters, join, sysfs};

/// Asks every source and puts together what they say.
#[must_use]
pub fn inventory(config: &GpuConfig) -> Inventory {
    let mut records = Nvidia::open().records();
    records.extend(sysfs::records(&config.sysfs));
    records.extend(adapters(config).into_iter().map(|adapter| adapter.record));
    join(records, &config.rated)
}
