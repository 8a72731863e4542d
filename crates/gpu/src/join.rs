//! What several sources say, put together by where the cards are plugged in. Where they contradict each other, that is
//! written down: a driver that lies about its card seldom lies everywhere.

use std::collections::BTreeSet;

use market::Mebibytes;
use serde::Serialize;

use crate::{Kind, PciAddress, Record, Source};

/// A card, as everybody sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Card {
    /// Where it is plugged in.
    pub address: Option<PciAddress>,
    /// PCI vendor.
    pub vendor: u32,
    /// PCI device.
    pub device: u32,
    /// The model's name; of one without a name, its numbers.
    pub model: String,
    /// UUID or serial number, where the driver tells one.
    #[serde(skip)]
    pub unique: String,
    /// The board's part number.
    #[serde(skip)]
    pub board: String,
    /// Memory of its own.
    #[serde(rename = "vramMib", serialize_with = "in_mib")]
    pub vram: Option<Mebibytes>,
    /// The driver and its version.
    pub driver: String,
    /// What it is to the machine.
    pub kind: Kind,
    /// Whether verified peers of this model were measured. A card that is not rated is a card all the same.
    pub rated: bool,
    /// Who says so, most believed first.
    pub sources: Vec<Source>,
}

#[expect(clippy::ref_option, reason = "serde gives references")]
fn in_mib<S: serde::Serializer>(vram: &Option<Mebibytes>, to: S) -> Result<S::Ok, S::Error> {
    vram.map(|vram| vram.0).serialize(to)
}

/// Sources that contradict each other about one card.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// Where the card is plugged in.
    pub address: Option<PciAddress>,
    /// What it is about: `device`, `model` or `unique`.
    pub what: &'static str,
    /// What each says.
    pub said: Vec<(Source, String)>,
}

/// All cards of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Inventory {
    /// In the order of addresses; those without one last.
    pub cards: Vec<Card>,
    /// Where sources contradict each other.
    pub findings: Vec<Finding>,
}

/// Puts records together. A record without an address joins the only card of its numbers that its source has said nothing
/// of yet, else it is a card of its own.
#[must_use]
pub fn join(mut records: Vec<Record>, rated: &BTreeSet<(u32, u32)>) -> Inventory {
    records.sort_by_key(|record| (record.address.is_none(), record.source, record.address));
    let mut groups: Vec<Vec<Record>> = Vec::new();
    for record in records {
        match place(&groups, &record) {
            Some(at) => groups[at].push(record),
            None => groups.push(vec![record]),
        }
    }
    let mut inventory = Inventory::default();
    for group in &groups {
        inventory.cards.push(card(group, rated));
        inventory.findings.extend(contradictions(group));
    }
    inventory.cards.sort_by_key(|card| (card.address.is_none(), card.address));
    inventory.findings.extend(twice(&inventory.cards));
    inventory
}

fn place(groups: &[Vec<Record>], record: &Record) -> Option<usize> {
    if record.address.is_some() {
        return groups.iter().position(|group| group[0].address == record.address);
    }
    let fits = |group: &Vec<Record>| {
        let same = group.iter().any(|it| (it.vendor, it.device) == (record.vendor, record.device));
        same && group.iter().all(|it| it.source != record.source)
    };
    let mut fitting = (0..groups.len()).filter(|at| fits(&groups[*at]));
    fitting.next().filter(|_| fitting.next().is_none())
}

/// The most believed word on each thing.
fn card(group: &[Record], rated: &BTreeSet<(u32, u32)>) -> Card {
    let word =
        |of: fn(&Record) -> &String| group.iter().map(of).find(|text| !text.is_empty()).cloned().unwrap_or_default();
    let device = group.iter().map(|it| it.device).find(|device| *device != 0).unwrap_or_default();
    let (vendor, model) = (group[0].vendor, word(|it| &it.model));
    let nameless = || format!("unknown GPU {vendor:04x}:{device:04x}");
    let mut sources: Vec<Source> = group.iter().map(|it| it.source).collect();
    sources.dedup();
    Card {
        address: group[0].address,
        vendor,
        device,
        model: if model.is_empty() { nameless() } else { model },
        unique: word(|it| &it.unique),
        board: word(|it| &it.board),
        vram: group.iter().find_map(|it| it.vram),
        driver: word(|it| &it.driver),
        kind: group.iter().map(|it| it.kind).find(|kind| *kind != Kind::Unknown).unwrap_or_default(),
        rated: rated.contains(&(vendor, device)),
        sources,
    }
}

/// What two sources say differently. Names are compared without the words that each adds.
fn contradictions(group: &[Record]) -> Vec<Finding> {
    let address = group[0].address;
    let numbers = group.iter().filter(|it| it.device != 0);
    let numbers: Vec<_> = numbers.map(|it| (it.source, format!("{:04x}:{:04x}", it.vendor, it.device))).collect();
    let names: Vec<_> =
        group.iter().filter(|it| !it.model.is_empty()).map(|it| (it.source, it.model.clone())).collect();
    let mut findings = Vec::new();
    if numbers.iter().any(|(_, said)| *said != numbers[0].1) {
        findings.push(Finding { address, what: "device", said: numbers });
    }
    if names.iter().any(|(_, said)| !is_same_model(said, &names[0].1)) {
        findings.push(Finding { address, what: "model", said: names });
    }
    findings
}

/// Cards that say they are the same card.
fn twice(cards: &[Card]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, card) in cards.iter().enumerate().filter(|(_, card)| !card.unique.is_empty()) {
        let same = |other: &&Card| other.unique == card.unique && other.vendor == card.vendor;
        if let Some(first) = cards[..at].iter().find(same) {
            let place = |card: &Card| card.address.map_or_else(|| "no address".into(), |address| address.to_string());
            let said = [first, card].map(|it| (it.sources[0], place(it))).to_vec();
            findings.push(Finding { address: card.address, what: "unique", said });
        }
    }
    findings
}

/// `NVIDIA GeForce RTX 3070` and `GeForce RTX 3070 (RADV X)` name one model: the words of one stand in the other.
fn is_same_model(one: &str, other: &str) -> bool {
    let words = |name: &str| -> BTreeSet<String> {
        let plain = name.split('(').next().unwrap_or_default().to_lowercase();
        let vendors = ["nvidia", "amd", "intel", "corporation", "graphics"];
        plain.split_whitespace().filter(|word| !vendors.contains(word)).map(str::to_owned).collect()
    };
    let (one, other) = (words(one), words(other));
    one.is_subset(&other) || other.is_subset(&one)
}
