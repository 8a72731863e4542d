//! Sharded directories: a hash trie over names with 256 children per node.
//!
//! Format: <https://specs.ipfs.tech/unixfs/#dag-pb-hamtdirectory>. The key of a name is the first half of
//! its 128-bit Murmur3, one byte per level; a link's name begins with its slot as two hex digits.

use bytes::Bytes;

use super::file::{Added, put_node};
use super::sink::Sink;
use super::{Message, Type};
use crate::dagpb::{Link, Node};
use crate::error::{Error, Result};

/// Children of one shard.
pub(crate) const FANOUT: usize = 256;
/// Multihash code of the hash.
pub(crate) const HASH_MURMUR3_X64_64: u64 = 0x22;
/// Hex digits before each name.
pub(crate) const PREFIX: usize = 2;
/// Levels after which the 64 bits of the key are used up.
pub(crate) const DEPTH_MAX: usize = 8;

/// The slots that a name goes through, from the root down.
pub(crate) fn key(name: &[u8]) -> [u8; DEPTH_MAX] {
    murmur3(name).to_be_bytes()
}

/// The two digits that stand for a slot.
pub(crate) fn prefix(slot: u8) -> [u8; PREFIX] {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    [DIGITS[usize::from(slot >> 4)], DIGITS[usize::from(slot & 15)]]
}

/// Builds the shards of a directory.
pub(crate) fn build(links: Vec<Link>, size: u64, sink: &mut dyn Sink) -> Result<Added> {
    let mut keyed: Vec<_> = links.into_iter().map(|link| (key(&link.name), link)).collect();
    keyed.sort_by_key(|entry| entry.0);
    shard(&keyed, 0, size, sink)
}

fn shard(keyed: &[([u8; DEPTH_MAX], Link)], depth: usize, size: u64, sink: &mut dyn Sink) -> Result<Added> {
    if depth == DEPTH_MAX {
        return Err(Error::malformed("directory", "two names have the same 64-bit hash"));
    }
    let mut links = Vec::new();
    let mut bits = [0u8; FANOUT / 8];
    for group in keyed.chunk_by(|a, b| a.0[depth] == b.0[depth]) {
        let slot = group[0].0[depth];
        bits[FANOUT / 8 - 1 - usize::from(slot / 8)] |= 1 << (slot % 8);
        let mut name = prefix(slot).to_vec();
        if let [(_, only)] = group {
            name.extend_from_slice(&only.name);
            links.push(Link { name: name.into(), ..only.clone() });
        } else {
            let below = shard(group, depth + 1, 0, sink)?;
            links.push(Link { cid: below.cid, name: name.into(), tsize: below.dag_size });
        }
    }
    let first = bits.iter().position(|&byte| byte != 0).unwrap_or(bits.len());
    let mut message = Message::new(Type::Shard);
    message.data = Some(Bytes::copy_from_slice(&bits[first..]));
    message.hash_type = Some(HASH_MURMUR3_X64_64);
    message.fanout = Some(FANOUT as u64);
    put_node(&Node { links, data: message.encode().into() }, size, sink)
}

/// The first 64 bits of MurmurHash3_x64_128 with seed 0 (Austin Appleby, public domain).
fn murmur3(bytes: &[u8]) -> u64 {
    const C1: u64 = 0x87c3_7b91_1142_53d5;
    const C2: u64 = 0x4cf5_ad43_2745_937f;
    let mix1 = |k: u64| k.wrapping_mul(C1).rotate_left(31).wrapping_mul(C2);
    let mix2 = |k: u64| k.wrapping_mul(C2).rotate_left(33).wrapping_mul(C1);
    let word = |bytes: &[u8]| bytes.iter().rev().fold(0u64, |word, &byte| (word << 8) | u64::from(byte));
    let (mut h1, mut h2) = (0u64, 0u64);
    let pairs = bytes.chunks_exact(16);
    let tail = pairs.remainder();
    for pair in pairs {
        h1 ^= mix1(word(&pair[..8]));
        h1 = h1.rotate_left(27).wrapping_add(h2).wrapping_mul(5).wrapping_add(0x52dc_e729);
        h2 ^= mix2(word(&pair[8..]));
        h2 = h2.rotate_left(31).wrapping_add(h1).wrapping_mul(5).wrapping_add(0x3849_5ab5);
    }
    let (low, high) = tail.split_at(tail.len().min(8));
    h2 ^= mix2(word(high));
    h1 ^= mix1(word(low));
    h1 ^= bytes.len() as u64;
    h2 ^= bytes.len() as u64;
    h1 = h1.wrapping_add(h2);
    h2 = h2.wrapping_add(h1);
    h1 = finish(h1);
    h2 = finish(h2);
    h1.wrapping_add(h2)
}

fn finish(mut k: u64) -> u64 {
    k ^= k >> 33;
    k = k.wrapping_mul(0xff51_afd7_ed55_8ccd);
    k ^= k >> 33;
    k = k.wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    k ^ (k >> 33)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn murmur3_of_known_text() {
        // From the reference implementation.
        assert_eq!(murmur3(b""), 0);
        assert_eq!(murmur3(b"hello"), 0xcbd8_a7b3_41bd_9b02);
        assert_eq!(murmur3(b"The quick brown fox jumps over the lazy dog"), 0xe34b_bc7b_bc07_1b6c);
    }

    #[test]
    fn a_slot_is_two_upper_case_digits() {
        assert_eq!(&prefix(0xaf), b"AF");
        assert_eq!(&prefix(3), b"03");
    }
}
