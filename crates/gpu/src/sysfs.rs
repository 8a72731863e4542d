//! AMD and Intel cards, from the files in which the kernel shows its devices.
//!
//! Every PCI device of these vendors whose class is a display or a processing accelerator is a card, whatever its number:
//! models that nobody has heard of are cards too.

use std::{fs, path::Path};

use market::Mebibytes;

use crate::{CARDS_MAX, Kind, Record, Source};

const AMD: u32 = 0x1002;
const INTEL: u32 = 0x8086;
/// Classes of PCI devices, without their programming interface: everything that draws, and accelerators.
const DISPLAY: u32 = 0x03;
const ACCELERATOR: u32 = 0x12;
/// The longest file that is read; real ones have a line.
const FILE_BYTES_MAX: usize = 4096;
/// Bytes of memory, as the drivers amdgpu, i915 and xe name their files.
const MEMORY: [&str; 3] = ["mem_info_vram_total", "lmem_total_bytes", "tile0/physical_vram_size_bytes"];

/// What the files below `sysfs` (`/sys` on a real machine) say, in the order of addresses.
#[must_use]
pub fn records(sysfs: &Path) -> Vec<Record> {
    let Ok(devices) = fs::read_dir(sysfs.join("bus/pci/devices")) else { return Vec::new() };
    let mut records: Vec<Record> = devices.flatten().filter_map(|device| read(&device.path())).collect();
    records.sort_by_key(|record| record.address);
    records.truncate(CARDS_MAX);
    records
}

fn read(folder: &Path) -> Option<Record> {
    let vendor = number(folder, "vendor").filter(|vendor| [AMD, INTEL].contains(vendor))?;
    let class = number(folder, "class")? >> 16;
    if ![DISPLAY, ACCELERATOR].contains(&class) {
        return None;
    }
    let vram = MEMORY.iter().find_map(|file| line(folder, file)?.parse::<u64>().ok());
    let vram = vram.map(|bytes| Mebibytes(bytes >> 20)).filter(|vram| vram.0 > 0);
    let driver = fs::read_link(folder.join("driver")).ok();
    let driver = driver.as_deref().and_then(Path::file_name).map(|name| name.to_string_lossy().into_owned());
    let unique = ["unique_id", "serial_number"].iter().find_map(|file| line(folder, file));
    Some(Record {
        address: folder.file_name().and_then(|name| name.to_str()?.parse().ok()),
        vendor,
        device: number(folder, "device").unwrap_or_default(),
        model: line(folder, "product_name").unwrap_or_default(),
        unique: unique.unwrap_or_default(),
        board: line(folder, "product_number").unwrap_or_default(),
        kind: kind(folder, vendor, vram),
        vram,
        driver: driver.unwrap_or_default(),
        ..Record::new(Source::Sysfs)
    })
}

/// A virtual function names the card it is a part of. Intel's integrated ones have no memory of their own; AMD's show a
/// part of the machine's, so nothing is said of those.
fn kind(folder: &Path, vendor: u32, vram: Option<Mebibytes>) -> Kind {
    match (vendor, vram) {
        _ if folder.join("physfn").exists() => Kind::Virtual,
        (INTEL, Some(_)) => Kind::Discrete,
        (INTEL, None) => Kind::Integrated,
        _ => Kind::Unknown,
    }
}

/// A hexadecimal number: `0x1002`.
fn number(folder: &Path, file: &str) -> Option<u32> {
    u32::from_str_radix(line(folder, file)?.strip_prefix("0x")?, 16).ok()
}

fn line(folder: &Path, file: &str) -> Option<String> {
    let bytes = fs::read(folder.join(file)).ok().filter(|bytes| bytes.len() <= FILE_BYTES_MAX)?;
    let text = String::from_utf8_lossy(&bytes);
    let line = text.lines().next()?.trim();
    (!line.is_empty()).then(|| line.to_owned())
}
