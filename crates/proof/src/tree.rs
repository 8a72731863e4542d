//! The commitment: SHA-256 over every column of every result, put together in a binary tree.
//!
//! A leaf begins with a zero byte and a node with a one (RFC 6962), so that neither can be taken for the other. A leaf's
//! header and words are written big-endian, the way SHA-256 reads them, so that a card hashes what it has. Places behind the
//! last leaf are zero.

use alloy_primitives::B256;
use aws_lc_rs::digest;

/// A hash of this tree.
pub type Hash = [u8; 32];

/// First word of a leaf: a zero byte, and three letters.
const LEAF: u32 = 0x0042_5047;
/// First byte of a node.
const NODE: u8 = 1;
/// Words before a leaf's own: one block of SHA-256.
const HEADER_WORDS: usize = 16;

/// The hash of a column: of a header that says where it stands, then its words.
#[must_use]
pub fn leaf(round: u32, column: u32, size: u32, words: &[u32]) -> Hash {
    let mut bytes = Vec::with_capacity((HEADER_WORDS + words.len()) * 4);
    let mut header = [0; HEADER_WORDS];
    header[..4].copy_from_slice(&[LEAF, round, column, size]);
    for word in header.iter().chain(words) {
        bytes.extend_from_slice(&word.to_be_bytes());
    }
    sha256(&bytes)
}

fn node(left: &Hash, right: &Hash) -> Hash {
    let mut bytes = [NODE; 65];
    bytes[1..33].copy_from_slice(left);
    bytes[33..].copy_from_slice(right);
    sha256(&bytes)
}

fn sha256(bytes: &[u8]) -> Hash {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
    hash
}

/// A binary tree of hashes.
#[derive(Clone, Debug)]
pub struct Tree {
    /// Leaves first, the root last.
    levels: Vec<Vec<Hash>>,
}

impl Tree {
    /// Builds it.
    #[must_use]
    pub fn new(mut leaves: Vec<Hash>) -> Self {
        leaves.resize(leaves.len().next_power_of_two(), [0; 32]);
        let mut levels = vec![leaves];
        while let Some(below) = levels.last().filter(|level| level.len() > 1) {
            levels.push(below.chunks_exact(2).map(|pair| node(&pair[0], &pair[1])).collect());
        }
        Self { levels }
    }

    /// What it stands for.
    #[must_use]
    pub fn root(&self) -> B256 {
        self.levels.last().and_then(|level| level.first()).map_or(B256::ZERO, B256::from)
    }

    /// The hashes beside the way from a leaf to the root.
    #[must_use]
    pub fn path(&self, mut index: usize) -> Vec<B256> {
        let mut path = Vec::new();
        for level in &self.levels[..self.levels.len() - 1] {
            path.extend(level.get(index ^ 1).map(B256::from));
            index /= 2;
        }
        path
    }

    /// Levels above the leaves of a tree with so many.
    pub(crate) fn height(leaves: usize) -> usize {
        leaves.next_power_of_two().trailing_zeros() as usize
    }

    /// The root that follows from a leaf, its place and the hashes beside the way.
    pub(crate) fn climb(leaf: Hash, mut index: usize, path: &[B256]) -> B256 {
        let mut hash = leaf;
        for beside in path {
            hash = if index.is_multiple_of(2) { node(&hash, &beside.0) } else { node(&beside.0, &hash) };
            index /= 2;
        }
        B256::from(hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_leaf_climbs_to_the_root_and_only_from_its_place() {
        for count in [1_u8, 2, 3, 5, 8] {
            let leaves: Vec<Hash> = (0..count).map(|n| [n + 1; 32]).collect();
            let tree = Tree::new(leaves.clone());
            for (index, leaf) in leaves.iter().enumerate() {
                let path = tree.path(index);
                assert_eq!(path.len(), Tree::height(leaves.len()));
                assert_eq!(Tree::climb(*leaf, index, &path), tree.root(), "{index} of {count}");
                assert_eq!(count > 1, Tree::climb(*leaf, index ^ 1, &path) != tree.root());
            }
        }
    }

    #[test]
    fn a_leaf_says_where_it_stands() {
        let words = [7; 64];
        let hash = leaf(1, 2, 64, &words);
        for other in [leaf(2, 2, 64, &words), leaf(1, 3, 64, &words), leaf(1, 2, 128, &words), leaf(1, 2, 64, &[8; 64])]
        {
            assert_ne!(hash, other);
        }
    }
}
