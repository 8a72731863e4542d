//! Several sources, one card: joined by where it is plugged in, and held against each other.

use std::collections::BTreeSet;

use gpu::{GpuConfig, Inventory, Kind, Record, Source, inventory, join};
use market::Mebibytes;

use crate::sysfs::device;

const HERE: &str = "0000:65:00.0";

fn record(source: Source, address: &str, numbers: (u32, u32), model: &str) -> Record {
    Record {
        address: address.parse().ok(),
        vendor: numbers.0,
        device: numbers.1,
        model: model.into(),
        ..Record::new(source)
    }
}

fn joined(records: Vec<Record>) -> Inventory {
    join(records, &BTreeSet::new())
}

#[test]
fn a_card_that_two_sources_know_is_one_card() {
    let nvml = Record {
        unique: "GPU-1".into(),
        vram: Some(Mebibytes(143_771)),
        kind: Kind::Discrete,
        driver: "NVIDIA 575".into(),
        ..record(Source::Nvml, "00000000:65:00.0", (0x10de, 0x2335), "NVIDIA H200")
    };
    let wgpu = record(Source::Wgpu, HERE, (0x10de, 0x2335), "NVIDIA H200");
    let rated = BTreeSet::from([(0x10de, 0x2335)]);
    let found = join(vec![wgpu, nvml], &rated);
    let [card] = &found.cards[..] else { panic!("{found:?}") };
    assert_eq!(card.sources, [Source::Nvml, Source::Wgpu]);
    assert_eq!((&*card.model, &*card.unique, card.vram), ("NVIDIA H200", "GPU-1", Some(Mebibytes(143_771))));
    assert!(card.rated && found.findings.is_empty(), "{found:?}");
    let json = serde_json::to_value(card).unwrap();
    assert_eq!((&json["address"], &json["vramMib"]), (&HERE.into(), &143_771.into()));
    assert!(!json.to_string().contains("GPU-1"), "a serial number is nobody else's business: {json}");
}

#[test]
fn sources_that_contradict_each_other_are_written_down() {
    let nvml = || record(Source::Nvml, HERE, (0x10de, 0x2335), "NVIDIA H200");
    let check = |other: Record, expected: &[&str]| {
        let found = joined(vec![nvml(), other]);
        assert_eq!(found.cards.len(), 1, "{found:?}");
        assert_eq!(found.findings.iter().map(|it| it.what).collect::<Vec<_>>(), expected, "{found:?}");
    };
    check(record(Source::Wgpu, HERE, (0x10de, 0x1eb8), "Tesla T4"), &["device", "model"]);
    check(record(Source::Wgpu, HERE, (0x10de, 0x2335), "NVIDIA H100"), &["model"]);
    check(record(Source::Wgpu, HERE, (0x10de, 0x1eb8), "NVIDIA H200"), &["device"]);
    // What names add to each other is no contradiction, and who says nothing contradicts nobody.
    check(record(Source::Wgpu, HERE, (0x10de, 0x2335), "NVIDIA H200 (NVK GH100)"), &[]);
    check(record(Source::Sysfs, HERE, (0x10de, 0x2335), ""), &[]);
    // The believed word is the management library's.
    let found = joined(vec![record(Source::Wgpu, HERE, (0x10de, 0x1eb8), "Tesla T4"), nvml()]);
    assert_eq!(found.cards[0].model, "NVIDIA H200");
    assert_eq!(found.findings[0].said[1], (Source::Wgpu, "10de:1eb8".into()));
}

#[test]
fn a_card_in_two_places_is_written_down() {
    let card =
        |address| Record { unique: "GPU-1".into(), ..record(Source::Nvml, address, (0x10de, 0x2335), "NVIDIA H200") };
    let found = joined(vec![card(HERE), card("0000:66:00.0")]);
    assert_eq!((found.cards.len(), found.findings[0].what), (2, "unique"));
    assert_eq!(found.findings[0].said[0].1, HERE);
    assert_eq!(joined(vec![card(HERE)]).findings, []);
}

#[test]
fn an_adapter_without_an_address_joins_the_only_card_that_it_can_be() {
    let card = |address| record(Source::Sysfs, address, (0x1002, 0x744c), "");
    let adapter = || record(Source::Wgpu, "", (0x1002, 0x744c), "AMD Radeon RX 7900 XTX");
    let found = joined(vec![adapter(), card(HERE)]);
    assert_eq!((found.cards.len(), &*found.cards[0].model), (1, "AMD Radeon RX 7900 XTX"));
    // With two such cards nobody knows which; none is dropped.
    let found = joined(vec![adapter(), card(HERE), card("0000:66:00.0")]);
    assert_eq!(found.cards.len(), 3);
    // Two adapters of one source are two cards.
    assert_eq!(joined(vec![adapter(), adapter()]).cards.len(), 2);
}

#[test]
fn a_model_that_nobody_knows_is_unrated_and_listed() {
    let root = tempfile::tempdir().unwrap();
    let files = [("vendor", "0x1002"), ("device", "0xffff"), ("class", "0x120000")];
    device(root.path(), HERE, &files);
    let config = GpuConfig { sysfs: root.path().to_owned(), rated: [(0x1002, 1)].into(), ..GpuConfig::default() };
    let found = inventory(&config);
    let card = found.cards.iter().find(|card| card.device == 0xffff).unwrap();
    assert_eq!((&*card.model, card.rated), ("unknown GPU 1002:ffff", false));
    assert!(found.cards.iter().all(|card| card.kind != Kind::Software), "nobody asked for processors: {found:?}");
}
