//! CARs that mean harm, and those that do not.

use bytes::Bytes;
use content::{Block, CarDecoder, Cid, Error, ImportConfig, RAW, add_tree, export_car, import_car, total_size};
use proptest::prelude::*;

use crate::fixture::{Keystream, plant, store};

fn sample() -> (Cid, Vec<u8>) {
    let dir = tempfile::tempdir().unwrap();
    plant(dir.path(), &[("a", b"one"), ("b/c", &Keystream::bytes("car", 300_000)), ("b/empty/", b"")]);
    let store = store();
    let added = add_tree(
        &store,
        dir.path(),
        &ImportConfig { chunk_bytes: ImportConfig::CHUNK_256_KIB, ..ImportConfig::default() },
    )
    .unwrap();
    let mut car = Vec::new();
    export_car(&store, &added.cid, &mut car).unwrap();
    (added.cid, car)
}

fn import(car: &[u8]) -> content::Result<content::ImportedCar> {
    import_car(&store(), car, 1 << 30)
}

/// A header of one root, as the sample has it.
fn header(car: &[u8]) -> Vec<u8> {
    car[..1 + usize::from(car[0])].to_vec()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 127 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

#[test]
fn what_goes_out_comes_in() {
    let (root, car) = sample();
    let target = store();
    let imported = import_car(&target, car.as_slice(), 1 << 30).unwrap();
    assert_eq!(imported.roots, [root]);
    assert_eq!(total_size(&target, &root).unwrap().blocks, imported.blocks);
    let mut again = Vec::new();
    export_car(&target, &root, &mut again).unwrap();
    assert_eq!(again, car);
}

#[test]
fn every_truncation_is_noticed_unless_it_falls_between_blocks() {
    let (_, car) = sample();
    let mut ends = vec![header(&car).len()];
    let mut decoder = CarDecoder::default();
    for (position, byte) in car.iter().enumerate() {
        decoder.push(&[*byte]);
        if decoder.next_block().unwrap().is_some() {
            ends.push(position + 1);
        }
    }
    for cut in (0..400).chain(car.len() - 400..=car.len()) {
        let mut decoder = CarDecoder::default();
        decoder.push(&car[..cut]);
        while decoder.next_block().unwrap().is_some() {}
        assert_eq!(decoder.finish().is_ok(), ends.contains(&cut), "cut at {cut}");
    }
}

#[test]
fn hostile_bytes_are_refused() {
    let (_, car) = sample();
    let head = header(&car);
    let with = |tail: &[u8]| [head.as_slice(), tail].concat();
    let block = Block::new(RAW, "true").unwrap();
    let section = |data: &[u8]| {
        [varint((block.cid().encoded_len() + data.len()) as u64), block.cid().to_bytes(), data.to_vec()].concat()
    };
    assert!(import(&with(&section(b"true"))).is_ok());
    assert!(matches!(import(&with(&section(b"lies"))), Err(Error::Corrupt { .. })));
    let cases: [(&str, Vec<u8>); 9] = [
        ("nothing at all", vec![]),
        ("an endless varint", with(&[0xff; 11])),
        ("a varint longer than needed", with(&[0x85, 0x00, 1, 2, 3, 4, 5])),
        ("an empty section", with(&[0])),
        ("a section of 4 GiB", with(&varint(1 << 32))),
        ("a section just above the limit", with(&varint((2 << 20) + 200))),
        ("a block just above the limit", with(&section(&vec![0; (2 << 20) + 1]))),
        ("a header of 1025 bytes", [varint(1025), vec![0xa2; 1025]].concat()),
        ("version 2", b"\x0a\xa1\x67version\x02".to_vec()),
    ];
    for (name, bytes) in cases {
        let refused = import(&bytes);
        assert!(matches!(refused, Err(Error::Malformed { .. } | Error::TooLarge { .. })), "{name}: {refused:?}");
    }
    assert!(
        matches!(import_car(&store(), car.as_slice(), 1000), Err(Error::TooLarge { .. })),
        "more bytes than allowed"
    );
}

#[test]
fn a_missing_block_ends_the_export() {
    let (root, car) = sample();
    let target = store();
    let mut decoder = CarDecoder::default();
    decoder.push(&car);
    let first: Block = decoder.next_block().unwrap().unwrap();
    target.put(first).unwrap();
    assert!(matches!(export_car(&target, &root, std::io::sink()), Err(Error::NotFound { .. })));
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes: Vec<u8>, pieces in 1usize..7) {
        let (_, car) = (0, b"\x3a\xa2\x65roots\x81\xd8\x2a\x58\x25\x00");
        for start in [&b""[..], &car[..]] {
            let mut decoder = CarDecoder::default();
            decoder.push(start);
            for piece in bytes.chunks(pieces) {
                decoder.push(piece);
                while let Ok(Some(_)) = decoder.next_block() {}
            }
            drop(decoder.finish());
        }
    }

    #[test]
    fn the_size_of_the_pieces_does_not_matter(size in 1usize..70_000) {
        let mut car = Vec::new();
        let store = store();
        let added = content::add_bytes(&store, &Keystream::bytes("pieces", 150_000), &ImportConfig { chunk_bytes: 40_000, ..ImportConfig::default() }).unwrap();
        export_car(&store, &added.cid, &mut car).unwrap();
        let mut decoder = CarDecoder::default();
        let mut blocks: Vec<Bytes> = Vec::new();
        for piece in car.chunks(size) {
            decoder.push(piece);
            while let Some(block) = decoder.next_block().unwrap() {
                blocks.push(block.data().clone());
            }
        }
        decoder.finish().unwrap();
        prop_assert_eq!(blocks.len(), 5);
    }
}
