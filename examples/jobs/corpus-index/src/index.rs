//! The index file: how it is written, and its reader.
//!
//! All numbers are little-endian; *int* is LEB128; *text* is the length of the prefix shared with
//! the text before (int), the length of the rest (int), the rest.
//!
//! | part | content |
//! |---|---|
//! | header, 64 bytes | magic `CORPIDX1`, then six u64: documents, terms, and where the parts `documents`, `terms`, `blocks`, `postings` begin; then FNV-1a 64 of everything after the header |
//! | documents | for each, in order of its path: text path, int bytes, int words |
//! | terms | for each, in byte order: text term (its prefix is 0 at the start of each block of 64), int documents, int occurrences, int bytes of postings |
//! | blocks | for each block of 64 terms: u64 where it begins in `terms`, u64 where its postings begin in `postings` |
//! | postings | for each term, for each document: int step from the document before (the first: its number), int positions, for each int step from the position before (the first: itself) |
use std::path::Path;

use crate::codec::{self, Reader};
use crate::error::Error;
use crate::hash::fnv;

/// The file's name in a result directory.
pub(crate) const FILE_NAME: &str = "index.bin";

const MAGIC: &[u8; 8] = b"CORPIDX1";
const HEADER_BYTES: usize = 64;
const BLOCK_TERMS: usize = 64;
const BLOCK_ENTRY_BYTES: usize = 16;

/// What the index keeps of a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct DocumentEntry {
    pub(crate) path: String,
    pub(crate) bytes: u64,
    pub(crate) words: u32,
}

/// Encodes the whole file. `terms` are sorted by text.
pub(crate) fn encode(documents: &[DocumentEntry], terms: &[crate::build::Term]) -> Vec<u8> {
    let mut file = vec![0; HEADER_BYTES];
    let documents_at = file.len();
    let mut before = "";
    for document in documents {
        codec::put_after(&mut file, before, &document.path);
        codec::put(&mut file, document.bytes);
        codec::put(&mut file, document.words.into());
        before = &document.path;
    }
    let terms_at = file.len();
    let (mut blocks, mut postings_bytes) = (Vec::new(), 0u64);
    for block in terms.chunks(BLOCK_TERMS) {
        blocks.extend_from_slice(&((file.len() - terms_at) as u64).to_le_bytes());
        blocks.extend_from_slice(&postings_bytes.to_le_bytes());
        let mut before = "";
        for term in block {
            codec::put_after(&mut file, before, &term.text);
            codec::put(&mut file, term.documents.into());
            codec::put(&mut file, term.occurrences);
            codec::put(&mut file, term.postings.len() as u64);
            postings_bytes += term.postings.len() as u64;
            before = &term.text;
        }
    }
    let blocks_at = file.len();
    file.extend_from_slice(&blocks);
    let postings_at = file.len();
    terms.iter().for_each(|term| file.extend_from_slice(&term.postings));
    let checksum = fnv(&file[HEADER_BYTES..]);
    let counts = [documents.len(), terms.len(), documents_at, terms_at, blocks_at, postings_at];
    let numbers = counts.iter().map(|&count| count as u64).chain([checksum]);
    file[..8].copy_from_slice(MAGIC);
    for (slot, number) in file[8..HEADER_BYTES].chunks_exact_mut(8).zip(numbers) {
        slot.copy_from_slice(&number.to_le_bytes());
    }
    file
}

/// A document in which a term stands, and where.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Hit {
    pub(crate) document: u32,
    pub(crate) positions: Vec<u32>,
}

/// An index in memory, checked.
pub(crate) struct Index {
    file: Vec<u8>,
    pub(crate) documents: Vec<DocumentEntry>,
    terms_at: usize,
    blocks_at: usize,
    postings_at: usize,
}

impl Index {
    /// Opens the index in a result directory.
    pub(crate) fn open(directory: &Path) -> Result<Self, Error> {
        let path = directory.join(FILE_NAME);
        match std::fs::read(&path) {
            Ok(file) => Self::decode(file).map_err(|why| Error::Index { path, why }),
            Err(source) => Err(Error::Input { path, source }),
        }
    }

    pub(crate) fn decode(file: Vec<u8>) -> Result<Self, &'static str> {
        let (header, body) = file.split_at_checked(HEADER_BYTES).ok_or("it is too short")?;
        if !header.starts_with(MAGIC) {
            return Err("it does not begin as one");
        }
        let number = |slot: usize| word_at(header, slot * 8).unwrap_or(u64::MAX);
        if fnv(body) != number(7) {
            return Err("its checksum is wrong");
        }
        let offset = |slot| usize::try_from(number(slot)).unwrap_or(usize::MAX);
        let [documents_at, terms_at, blocks_at, postings_at] = [3, 4, 5, 6].map(offset);
        let parts = [HEADER_BYTES, documents_at, terms_at, blocks_at, postings_at, file.len()];
        let whole_blocks = blocks_at <= postings_at && (postings_at - blocks_at).is_multiple_of(BLOCK_ENTRY_BYTES);
        if !parts.is_sorted() || !whole_blocks {
            return Err("its parts are out of order");
        }
        let documents =
            read_documents(&file[documents_at..terms_at], number(1)).ok_or("its list of documents is damaged")?;
        Ok(Self { documents, terms_at, blocks_at, postings_at, file })
    }

    /// Where a term stands, in order of documents; empty if nowhere.
    pub(crate) fn find(&self, term: &str) -> Result<Vec<Hit>, &'static str> {
        let blocks = (self.postings_at - self.blocks_at) / BLOCK_ENTRY_BYTES;
        let (mut from, mut to) = (0, blocks);
        while from < to {
            let middle = from.midpoint(to);
            let first = self.first_of_block(middle).ok_or(DAMAGED)?;
            if first.as_slice() <= term.as_bytes() {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        match from.checked_sub(1) {
            Some(block) => self.find_in_block(block, term).ok_or(DAMAGED),
            None => Ok(Vec::new()),
        }
    }

    fn block(&self, block: usize) -> Option<(Reader<'_>, usize)> {
        let entry = self.blocks_at + block * BLOCK_ENTRY_BYTES;
        let at = usize::try_from(word_at(&self.file, entry)?).ok()?;
        let postings = usize::try_from(word_at(&self.file, entry + 8)?).ok()?;
        let terms = self.file.get(self.terms_at..self.blocks_at)?.get(at..)?;
        Some((Reader::new(terms), postings))
    }

    fn first_of_block(&self, block: usize) -> Option<Vec<u8>> {
        let mut text = Vec::new();
        self.block(block)?.0.text_after(&mut text)?;
        Some(text)
    }

    fn find_in_block(&self, block: usize, term: &str) -> Option<Vec<Hit>> {
        let (mut terms, mut postings) = self.block(block)?;
        let mut text = Vec::new();
        for _ in 0..BLOCK_TERMS {
            if terms.is_empty() {
                break;
            }
            terms.text_after(&mut text)?;
            let documents = terms.int32()?;
            let _occurrences = terms.int()?;
            let length = usize::try_from(terms.int()?).ok()?;
            if text == term.as_bytes() {
                let bytes = self.file.get(self.postings_at..)?.get(postings..)?.get(..length)?;
                return self.read_hits(bytes, documents);
            }
            postings = postings.checked_add(length)?;
        }
        Some(Vec::new())
    }

    fn read_hits(&self, bytes: &[u8], documents: u32) -> Option<Vec<Hit>> {
        let (mut reader, mut document) = (Reader::new(bytes), 0u32);
        let mut hits = Vec::new();
        for _ in 0..documents {
            document = document.checked_add(reader.int32()?)?;
            self.documents.get(document as usize)?;
            let (mut positions, mut position) = (Vec::new(), 0u32);
            for _ in 0..reader.int32()? {
                position = position.checked_add(reader.int32()?)?;
                positions.push(position);
            }
            hits.push(Hit { document, positions });
        }
        Some(hits)
    }
}

const DAMAGED: &str = "its terms or postings are damaged";

fn word_at(bytes: &[u8], at: usize) -> Option<u64> {
    let word = bytes.get(at..)?.first_chunk()?;
    Some(u64::from_le_bytes(*word))
}

fn read_documents(bytes: &[u8], count: u64) -> Option<Vec<DocumentEntry>> {
    let (mut reader, mut path) = (Reader::new(bytes), Vec::new());
    let mut documents = Vec::new();
    for _ in 0..count {
        reader.text_after(&mut path)?;
        let text = String::from_utf8(path.clone()).ok()?;
        documents.push(DocumentEntry { path: text, bytes: reader.int()?, words: reader.int32()? });
    }
    reader.is_empty().then_some(documents)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Document;
    use crate::progress::Progress;

    fn index_of(texts: &[String]) -> Vec<u8> {
        let documents: Vec<_> = texts
            .iter()
            .enumerate()
            .map(|(n, text)| Document { path: format!("{n:04}.rs"), text: text.clone() })
            .collect();
        let built = crate::build::build(&documents, 2, &Progress::new(std::io::sink()));
        let entries: Vec<_> = documents
            .iter()
            .zip(&built.words)
            .map(|(d, &words)| DocumentEntry { path: d.path.clone(), bytes: d.text.len() as u64, words })
            .collect();
        encode(&entries, &built.terms)
    }

    /// 700 documents over several pieces; document n holds `common` and its own words.
    fn corpus() -> Vec<String> {
        let filler = "word ".repeat(600);
        (0..700).map(|n| format!("common only{n} {filler} tail{} common", n % 7)).collect()
    }

    #[test]
    fn every_term_is_found_where_it_stands() {
        let index = Index::decode(index_of(&corpus())).unwrap();
        let common = index.find("common").unwrap();
        assert_eq!(common.len(), 700);
        assert!(common.iter().all(|hit| hit.positions == [0, 603]));
        for n in 0..700 {
            let hits = index.find(&format!("only{n}")).unwrap();
            assert_eq!(hits, [Hit { document: n, positions: vec![1] }]);
        }
        let tail: Vec<_> = index.find("tail3").unwrap().iter().map(|hit| hit.document).collect();
        assert_eq!(tail, (0..700).filter(|n| n % 7 == 3).collect::<Vec<_>>());
        assert!(index.find("absent").unwrap().is_empty());
        assert!(index.find("").unwrap().is_empty());
        assert!(index.find("zzz").unwrap().is_empty());
    }

    #[test]
    fn damage_anywhere_is_an_error_and_never_a_panic() {
        let good = index_of(&["alpha beta".into(), "beta gamma".into()]);
        assert!(Index::decode(good.clone()).is_ok());
        for at in 0..good.len() {
            let mut bad = good.clone();
            bad[at] ^= 0x41;
            if let Ok(index) = Index::decode(bad) {
                let _ = index.find("beta");
                assert!((8..HEADER_BYTES).contains(&at), "byte {at} is guarded by nothing");
            }
            assert!(Index::decode(good[..at].to_vec()).is_err(), "cut at {at}");
        }
    }
}
