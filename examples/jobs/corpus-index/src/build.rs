//! Documents into sorted terms with postings: pieces in parallel, then term ranges in parallel.
//!
//! Pieces are cut by bytes of text, never by thread, and everything is joined in the order of the
//! pieces: the result does not know how many threads there were.
use crate::codec;
use crate::corpus::Document;
use crate::fingerprint::{self, Fingerprint};
use crate::hash::FnvMap;
use crate::parallel;
use crate::progress::{INDEXING, MERGING, Progress};
use crate::words;

/// Text of one piece: small enough that the last one does not keep a single thread busy for long.
const PIECE_BYTES: usize = 1 << 20;
/// Terms are joined by their first byte.
const RANGES: usize = 256;

/// One term with everywhere that it stands.
pub(crate) struct Term {
    pub(crate) text: Box<str>,
    /// Documents with the term.
    pub(crate) documents: u32,
    /// Times that it stands anywhere.
    pub(crate) occurrences: u64,
    /// Encoded as `index` describes.
    pub(crate) postings: Vec<u8>,
}

/// What is known of all documents together.
pub(crate) struct Built {
    /// Sorted by text.
    pub(crate) terms: Vec<Term>,
    /// Words of each document, in the order of the documents.
    pub(crate) words: Vec<u32>,
    /// One for each document, in their order.
    pub(crate) fingerprints: Vec<Fingerprint>,
}

/// Indexes and fingerprints all documents.
pub(crate) fn build(documents: &[Document], threads: usize, progress: &Progress) -> Built {
    let pieces = pieces(documents);
    progress.begin(INDEXING, documents.len());
    let mut segments = parallel::map(threads, pieces.len(), |piece| {
        let (from, to) = pieces[piece];
        let segment = Segment::new(&documents[from..to], from);
        progress.advance(INDEXING, to - from, documents.len());
        segment
    });
    progress.begin(MERGING, RANGES);
    let ranges = parallel::map(threads, RANGES, |range| {
        let terms = merge(&segments, range);
        progress.advance(MERGING, 1, RANGES);
        terms
    });
    Built {
        terms: ranges.into_iter().flatten().collect(),
        words: segments.iter().flat_map(|segment| segment.words.iter().copied()).collect(),
        fingerprints: segments.iter_mut().flat_map(|segment| segment.fingerprints.drain(..)).collect(),
    }
}

/// Runs of documents with about `PIECE_BYTES` of text each.
fn pieces(documents: &[Document]) -> Vec<(usize, usize)> {
    let (mut pieces, mut from, mut bytes) = (Vec::new(), 0, 0);
    for (at, document) in documents.iter().enumerate() {
        bytes += document.text.len();
        if bytes >= PIECE_BYTES {
            pieces.push((from, at + 1));
            (from, bytes) = (at + 1, 0);
        }
    }
    if from < documents.len() {
        pieces.push((from, documents.len()));
    }
    pieces
}

/// The index of one piece.
struct Segment {
    /// Sorted by text.
    terms: Vec<(Box<str>, Posting)>,
    words: Vec<u32>,
    fingerprints: Vec<Fingerprint>,
}

/// The postings of one term in one piece. The number of the first document stands apart, because
/// it is written relative to a document of an earlier piece.
struct Posting {
    first: u32,
    last: u32,
    documents: u32,
    occurrences: u64,
    bytes: Vec<u8>,
}

impl Segment {
    fn new(documents: &[Document], first_number: usize) -> Self {
        let mut ids: FnvMap<Box<str>, u32> = FnvMap::default();
        let mut postings: Vec<Posting> = Vec::new();
        let mut occurrences: Vec<(u32, u32)> = Vec::new();
        let (mut words, mut fingerprints) = (Vec::new(), Vec::new());
        for (offset, document) in documents.iter().enumerate() {
            occurrences.clear();
            let mut whole_words = Vec::new();
            words.push(words::each(&document.text, |word, position, whole| {
                let id = ids.get(word).copied().unwrap_or_else(|| {
                    let id = ids.len() as u32;
                    ids.insert(word.into(), id);
                    id
                });
                occurrences.push((id, position));
                if whole {
                    whole_words.push(crate::hash::fnv(word.as_bytes()));
                }
            }));
            fingerprints.push(fingerprint::of(&document.text, &whole_words));
            // A part may repeat at one position, as in `foo_foo`; it stands there once.
            occurrences.sort_unstable();
            occurrences.dedup();
            append(&mut postings, &occurrences, (first_number + offset) as u32);
        }
        let mut terms: Vec<_> = ids.into_iter().collect();
        terms.sort_unstable_by_key(|(_, id)| *id);
        let mut terms: Vec<_> = terms.into_iter().map(|(text, _)| text).zip(postings).collect();
        terms.sort_unstable_by(|(a, _), (b, _)| a.cmp(b));
        Self { terms, words, fingerprints }
    }
}

/// Adds one document's `(term, position)` pairs, sorted, to the postings of their terms.
fn append(postings: &mut Vec<Posting>, occurrences: &[(u32, u32)], document: u32) {
    for run in occurrences.chunk_by(|(a, _), (b, _)| a == b) {
        let id = run[0].0 as usize;
        if id >= postings.len() {
            postings.resize_with(id + 1, || Posting::starting_at(document));
        }
        let posting = &mut postings[id];
        if posting.documents == 0 {
            (posting.first, posting.last) = (document, document);
        } else {
            codec::put(&mut posting.bytes, u64::from(document - posting.last));
            posting.last = document;
        }
        posting.documents += 1;
        posting.occurrences += run.len() as u64;
        codec::put(&mut posting.bytes, run.len() as u64);
        let mut before = 0;
        for &(_, position) in run {
            codec::put(&mut posting.bytes, u64::from(position - before));
            before = position;
        }
    }
}

impl Posting {
    fn starting_at(document: u32) -> Self {
        Self { first: document, last: document, documents: 0, occurrences: 0, bytes: Vec::new() }
    }
}

/// Joins the terms of all segments that begin with the byte `range`.
fn merge(segments: &[Segment], range: usize) -> Vec<Term> {
    let first_byte = |text: &str| usize::from(text.as_bytes().first().copied().unwrap_or(0));
    let mut found: Vec<(&str, usize, &Posting)> = Vec::new();
    for (number, segment) in segments.iter().enumerate() {
        let from = segment.terms.partition_point(|(text, _)| first_byte(text) < range);
        let same = segment.terms[from..].iter().take_while(|(text, _)| first_byte(text) == range);
        found.extend(same.map(|(text, posting)| (&**text, number, posting)));
    }
    found.sort_unstable_by_key(|&(text, number, _)| (text, number));
    let runs = found.chunk_by(|(a, ..), (b, ..)| a == b);
    runs.map(|run| join(run[0].0, run.iter().map(|&(_, _, posting)| posting))).collect()
}

fn join<'a>(text: &str, postings: impl Iterator<Item = &'a Posting>) -> Term {
    let mut term = Term { text: text.into(), documents: 0, occurrences: 0, postings: Vec::new() };
    let mut last = 0;
    for posting in postings {
        codec::put(&mut term.postings, u64::from(posting.first - last));
        term.postings.extend_from_slice(&posting.bytes);
        last = posting.last;
        term.documents += posting.documents;
        term.occurrences += posting.occurrences;
    }
    term
}
