//! Which documents are copies: equal ones, and nearly equal ones found by locality-sensitive
//! hashing of the signatures and then compared exactly. Copied parts are the next file's work.
use std::collections::BTreeMap;

use serde::Serialize;

use crate::corpus::Document;
use crate::fingerprint::{self, Fingerprint, PERMUTATIONS};
use crate::hash::mix;
use crate::parallel;
use crate::passages::{self, Passage};
use crate::progress::{COMPARING, Progress};

/// Bands of the signature; documents that agree in a whole band are compared. With 32 bands of
/// four entries a pair of similarity 0.8 is missed less than once in 10⁷, and one of 0.3 is
/// compared in about one case of four.
const BANDS: usize = 32;
const ROWS: usize = PERMUTATIONS / BANDS;
/// From here on two documents are reported as near duplicates.
const SIMILARITY_MIN: f64 = 0.8;
/// Pairs whose signatures agree in less than this are not compared exactly: four standard errors
/// below the limit.
const AGREEMENT_MIN: usize = PERMUTATIONS * 65 / 100;
/// In a larger crowd each document is compared with the first only: generated families of
/// thousands of files would make quadratic work of little news.
const CROWD_MAX: usize = 200;
/// Pairs compared by a thread at a time.
const PAIRS_AT_ONCE: usize = 4096;

/// `duplicates.json`.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Report {
    pub(crate) exact: Vec<Exact>,
    pub(crate) near: Vec<Near>,
    /// Documents tied together by near pairs, each set sorted, the largest first.
    pub(crate) clusters: Vec<Vec<String>>,
    /// How many passages repeat; the longest of them are listed.
    pub(crate) passages_found: usize,
    pub(crate) passages: Vec<Passage>,
}

/// Documents with the same bytes.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Exact {
    pub(crate) bytes: u64,
    pub(crate) documents: Vec<String>,
}

/// Two documents that share most of their shingles.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Near {
    /// Jaccard similarity, rounded to four places.
    pub(crate) similarity: f64,
    pub(crate) a: String,
    pub(crate) b: String,
}

/// Finds all copies. `fingerprints` are in the order of `documents`.
pub(crate) fn find(
    documents: &[Document],
    fingerprints: &[Fingerprint],
    threads: usize,
    progress: &Progress,
) -> Report {
    let groups = equal(documents, fingerprints);
    // Of equal documents only the first is compared further: the others are like it.
    let firsts: Vec<u32> = groups.iter().map(|group| group[0]).collect();
    let pairs = candidates(&firsts, fingerprints, threads);
    let near = compare(&pairs, fingerprints, threads, progress);
    let (passages_found, passages) = passages::find(documents, &firsts, threads, progress);
    let path = |number: u32| documents[number as usize].path.clone();
    let paths = |numbers: &[u32]| numbers.iter().map(|&number| path(number)).collect();
    let copies = groups.iter().filter(|group| group.len() > 1);
    let size = |group: &[u32]| documents[group[0] as usize].text.len() as u64;
    Report {
        exact: copies.map(|group| Exact { bytes: size(group), documents: paths(group) }).collect(),
        clusters: clusters(&near).iter().map(|cluster| paths(cluster)).collect(),
        near: near.into_iter().map(|(a, b, similarity)| Near { similarity, a: path(a), b: path(b) }).collect(),
        passages_found,
        passages,
    }
}

/// Documents by equal text, empty ones left out; in order of each group's first document.
fn equal(documents: &[Document], fingerprints: &[Fingerprint]) -> Vec<Vec<u32>> {
    let mut by_content: BTreeMap<(u64, &str), Vec<u32>> = BTreeMap::new();
    for (number, document) in documents.iter().enumerate() {
        if !document.text.trim().is_empty() {
            let key = (fingerprints[number].content, document.text.as_str());
            by_content.entry(key).or_default().push(number as u32);
        }
    }
    let mut groups: Vec<_> = by_content.into_values().collect();
    groups.sort_unstable_by_key(|group| group[0]);
    groups
}

/// Pairs that agree in at least one band, smaller number first, sorted.
fn candidates(numbers: &[u32], fingerprints: &[Fingerprint], threads: usize) -> Vec<(u32, u32)> {
    let long: Vec<u32> =
        numbers.iter().copied().filter(|&number| !fingerprints[number as usize].shingles.is_empty()).collect();
    let bands = parallel::map(threads, BANDS, |band| {
        let key = |number: u32| {
            let rows = &fingerprints[number as usize].signature[band * ROWS..(band + 1) * ROWS];
            rows.iter().fold(band as u64, |hash, &row| mix(hash ^ u64::from(row)))
        };
        let mut keyed: Vec<(u64, u32)> = long.iter().map(|&number| (key(number), number)).collect();
        keyed.sort_unstable();
        let mut pairs = Vec::new();
        for crowd in keyed.chunk_by(|(a, _), (b, _)| a == b) {
            let firsts = if crowd.len() > CROWD_MAX { 1 } else { crowd.len() };
            for (at, &(_, a)) in crowd[..firsts].iter().enumerate() {
                pairs.extend(crowd[at + 1..].iter().map(|&(_, b)| (a, b)));
            }
        }
        pairs
    });
    let mut pairs: Vec<_> = bands.into_iter().flatten().collect();
    pairs.sort_unstable();
    pairs.dedup();
    pairs
}

/// The pairs that are near duplicates, with their similarity, in the order of the pairs.
fn compare(
    pairs: &[(u32, u32)],
    fingerprints: &[Fingerprint],
    threads: usize,
    progress: &Progress,
) -> Vec<(u32, u32, f64)> {
    progress.begin(COMPARING, pairs.len());
    let chunks: Vec<_> = pairs.chunks(PAIRS_AT_ONCE).collect();
    let near = parallel::map(threads, chunks.len(), |chunk| {
        let mut near = Vec::new();
        for &(a, b) in chunks[chunk] {
            let (first, second) = (&fingerprints[a as usize], &fingerprints[b as usize]);
            if fingerprint::agreement(first, second) >= AGREEMENT_MIN {
                let similarity = fingerprint::similarity(first, second);
                if similarity >= SIMILARITY_MIN {
                    near.push((a, b, (similarity * 1e4).round() / 1e4));
                }
            }
        }
        progress.advance(COMPARING, chunks[chunk].len(), pairs.len());
        near
    });
    near.into_iter().flatten().collect()
}

/// Sets tied together by pairs; the largest first, then by the first member.
fn clusters(near: &[(u32, u32, f64)]) -> Vec<Vec<u32>> {
    let mut parent: BTreeMap<u32, u32> = BTreeMap::new();
    fn root(parent: &BTreeMap<u32, u32>, mut number: u32) -> u32 {
        while let Some(&up) = parent.get(&number).filter(|&&up| up != number) {
            number = up;
        }
        number
    }
    for &(a, b, _) in near {
        let (a, b) = (root(&parent, a), root(&parent, b));
        // The smaller number becomes the root, so that chains stay short and the result unique.
        parent.insert(a.max(b), a.min(b));
        parent.entry(a.min(b)).or_insert(a.min(b));
    }
    let mut sets: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &number in parent.keys() {
        sets.entry(root(&parent, number)).or_default().push(number);
    }
    let mut sets: Vec<_> = sets.into_values().collect();
    sets.sort_by_key(|set| (std::cmp::Reverse(set.len()), set[0]));
    sets
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_become_sets() {
        let near = [(1, 2, 0.9), (5, 6, 0.9), (2, 3, 0.8), (3, 9, 0.8), (8, 9, 1.0)];
        assert_eq!(clusters(&near), [vec![1, 2, 3, 8, 9], vec![5, 6]]);
        assert!(clusters(&[]).is_empty());
    }
}
