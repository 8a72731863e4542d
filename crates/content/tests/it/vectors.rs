//! The published vectors of the profile `unixfs-v1-2025` (IPIP-0499), made by Kubo.

use std::io::Read;

use content::{ImportConfig, hash_stream, hash_tree};

use crate::fixture::Keystream;

fn check(reader: impl Read, expected: &str) {
    let found = hash_stream(reader, &ImportConfig::default()).unwrap();
    assert_eq!(found.cid.to_string(), expected);
}

#[test]
fn hello_world() {
    check(&b"hello world"[..], "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
}

#[test]
fn a_chunk_and_one_byte_more() {
    check(Keystream::new("chunk-v1-seed", 1 << 20), "bafkreiacndfy443ter6qr2tmbbdhadvxxheowwf75s6zehscklu6ezxmta");
    check(
        Keystream::new("chunk-v1-seed", (1 << 20) + 1),
        "bafybeigmix7t42i6jacydtquhet7srwvgpizfg7gjbq7627d35mjomtu64",
    );
}

#[test]
fn a_full_node_of_1024_chunks() {
    check(Keystream::new("v1-2025-seed", 1 << 30), "bafybeihmf37wcuvtx4hpu7he5zl5qaf2ineo2lqlfrapokkm5zzw7zyhvm");
}

#[test]
fn a_full_node_and_one_byte_more() {
    check(Keystream::new("v1-2025-seed", (1 << 30) + 1), "bafybeibdsi225ugbkmpbdohnxioyab6jsqrmkts3twhpvfnzp77xtzpyhe");
}

#[test]
fn an_empty_directory() {
    let dir = tempfile::tempdir().unwrap();
    let found = hash_tree(dir.path(), &ImportConfig::default()).unwrap();
    assert_eq!(found.cid.to_string(), "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354");
}

/// 4766 files of one byte; all names but the last have 11 letters.
fn directory_at_threshold(last_name: usize, expected: &str) {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz01234567890-_";
    let dir = tempfile::tempdir().unwrap();
    let mut letters = Keystream::new("hamt-unixfs-v1-2025", 1 << 20);
    for number in 0..4766 {
        let mut name = vec![0; if number == 4765 { last_name } else { 11 }];
        letters.read_exact(&mut name).unwrap();
        let name: String = name.iter().map(|byte| char::from(ALPHABET[usize::from(*byte) % ALPHABET.len()])).collect();
        std::fs::write(dir.path().join(name), "x").unwrap();
    }
    let found = hash_tree(dir.path(), &ImportConfig::default()).unwrap();
    assert_eq!(found.cid.to_string(), expected);
}

#[test]
fn a_directory_of_262144_bytes_is_one_block() {
    directory_at_threshold(21, "bafybeic3h7rwruealwxkacabdy45jivq2crwz6bufb5ljwupn36gicplx4");
}

#[test]
fn a_directory_of_262145_bytes_is_sharded() {
    directory_at_threshold(22, "bafybeiegvuterwurhdtkikfhbxcldohmxp566vpjdofhzmnhv6o4freidu");
}
