//! AMD and Intel cards, read from trees written by hand as their drivers show them.

use std::{fs, path::Path};

use gpu::{Kind, Source, sysfs};
use market::Mebibytes;

/// Writes a device's files; a name that ends with `->` is a link.
pub(crate) fn device(root: &Path, address: &str, files: &[(&str, &str)]) {
    let folder = root.join("bus/pci/devices").join(address);
    for (name, content) in files {
        let path = folder.join(name.trim_end_matches("->"));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if name.ends_with("->") {
            std::os::unix::fs::symlink(content, path).unwrap();
        } else {
            fs::write(path, format!("{content}\n")).unwrap();
        }
    }
}

#[test]
fn an_amd_card_is_read_with_its_memory_and_its_number() {
    let root = tempfile::tempdir().unwrap();
    let files = [
        ("vendor", "0x1002"),
        ("device", "0x744c"),
        ("class", "0x030000"),
        ("mem_info_vram_total", "25753026560"),
        ("unique_id", "7a1b2c3d4e5f6071"),
        ("product_name", "Radeon RX 7900 XTX"),
        ("product_number", "102-D70201"),
        ("driver->", "../../../bus/pci/drivers/amdgpu"),
    ];
    device(root.path(), "0000:03:00.0", &files);
    let [card] = &sysfs::records(root.path())[..] else { panic!("one card") };
    assert_eq!((card.vendor, card.device, card.source), (0x1002, 0x744c, Source::Sysfs));
    assert_eq!(card.address, Some("0000:03:00.0".parse().unwrap()));
    assert_eq!(card.vram, Some(Mebibytes(24_560)));
    assert_eq!((&*card.model, &*card.unique, &*card.board), ("Radeon RX 7900 XTX", "7a1b2c3d4e5f6071", "102-D70201"));
    assert_eq!(card.driver, "amdgpu");
}

#[test]
fn accelerators_integrated_and_unheard_of_cards_are_cards_and_other_devices_are_none() {
    let root = tempfile::tempdir().unwrap();
    let plain = |vendor, device, class| [("vendor", vendor), ("device", device), ("class", class)];
    // An MI300X is no display; an Intel card shows its memory, an integrated one has none.
    device(root.path(), "0001:c1:00.0", &plain("0x1002", "0x74a1", "0x120000"));
    device(root.path(), "0000:00:02.0", &plain("0x8086", "0x46a6", "0x030000"));
    device(root.path(), "0000:03:00.0", &plain("0x8086", "0xe20b", "0x030000"));
    device(root.path(), "0000:03:00.0", &[("lmem_total_bytes", "12884901888"), ("serial_number", "S1")]);
    // Nobody has heard of this one, and a part of one given to this machine.
    device(root.path(), "0000:04:00.0", &plain("0x1002", "0xffff", "0x038000"));
    device(root.path(), "0000:04:00.1", &plain("0x1002", "0x7461", "0x120000"));
    device(root.path(), "0000:04:00.1", &[("physfn->", "../0000:04:00.0")]);
    // Sound and a bridge; a board's management chip; a folder without files.
    device(root.path(), "0000:03:00.1", &plain("0x1002", "0xab30", "0x040300"));
    device(root.path(), "0000:00:1f.0", &plain("0x8086", "0x7a04", "0x060100"));
    device(root.path(), "0000:05:00.0", &plain("0x1a03", "0x2000", "0x030000"));
    device(root.path(), "0000:06:00.0", &[("class", "nonsense")]);
    let found: Vec<_> = sysfs::records(root.path())
        .into_iter()
        .map(|it| (it.address.unwrap().to_string(), it.device, it.kind))
        .collect();
    let expected = [
        ("0000:00:02.0", 0x46a6, Kind::Integrated),
        ("0000:03:00.0", 0xe20b, Kind::Discrete),
        ("0000:04:00.0", 0xffff, Kind::Unknown),
        ("0000:04:00.1", 0x7461, Kind::Virtual),
        ("0001:c1:00.0", 0x74a1, Kind::Unknown),
    ];
    assert_eq!(found, expected.map(|(address, device, kind)| (address.to_owned(), device, kind)));
}

#[test]
fn a_machine_without_such_files_has_no_such_cards() {
    let root = tempfile::tempdir().unwrap();
    assert_eq!(sysfs::records(root.path()), []);
    assert_eq!(sysfs::records(&root.path().join("none")), []);
}
