//! Passages that stand word for word in more than one place, whatever stands around them.
//!
//! Every run of `RUN` tokens is hashed; equal hashes are places to look at. From each the passage
//! is extended as far as the tokens agree. A passage that stands in n places is reported as n − 1
//! pairs of neighbours.
use std::cmp::Reverse;

use serde::Serialize;

use crate::corpus::Document;
use crate::hash::{fnv, mix};
use crate::parallel;
use crate::progress::{Progress, SEARCHING};

/// The shortest passage, in tokens: about eight lines of code.
const RUN: usize = 64;
/// Runs are sorted in this many parts, so that all of them are never in memory together.
const PARTS: usize = 32;
/// The most passages in the report, the longest first.
const REPORTED_MAX: usize = 2000;
/// An odd multiplier for the rolling hash, whose products wrap at 2⁶⁴.
const BASE: u64 = 0x9e37_79b9_7f4a_7c15;

/// One passage and two places where it stands.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Passage {
    pub(crate) tokens: usize,
    pub(crate) a: Place,
    pub(crate) b: Place,
}

/// A place in a document, by lines from 1.
#[derive(Debug, Serialize, PartialEq)]
pub(crate) struct Place {
    pub(crate) document: String,
    pub(crate) first_line: usize,
    pub(crate) last_line: usize,
}

/// All tokens of the documents that are looked at.
struct Tokens {
    /// Hashes of words and single punctuation characters. 32 bits: in a passage of 64 equal tokens
    /// one chance collision changes nothing that a reader would call different.
    hashes: Vec<u32>,
    /// For each document its number and where its tokens end.
    documents: Vec<(usize, usize)>,
}

/// A pair found: length and two positions in `Tokens::hashes`.
type Pair = (Reverse<usize>, usize, usize);

/// Finds the longest repeated passages of the documents with the given numbers.
pub(crate) fn find(
    documents: &[Document],
    numbers: &[u32],
    threads: usize,
    progress: &Progress,
) -> (usize, Vec<Passage>) {
    progress.begin(SEARCHING, PARTS);
    let tokens = Tokens::new(documents, numbers, threads);
    let parts = parallel::map(threads, PARTS, |part| {
        let pairs = tokens.pairs(part);
        progress.advance(SEARCHING, 1, PARTS);
        pairs
    });
    let mut pairs: Vec<Pair> = parts.into_iter().flatten().collect();
    pairs.sort_unstable();
    let found = pairs.len();
    pairs.truncate(REPORTED_MAX);
    let passages = parallel::map(threads, pairs.len(), |at| {
        let (Reverse(length), a, b) = pairs[at];
        let place = |position| tokens.place(documents, position, length);
        Passage { tokens: length, a: place(a), b: place(b) }
    });
    (found, passages)
}

impl Tokens {
    fn new(documents: &[Document], numbers: &[u32], threads: usize) -> Self {
        let each = parallel::map(threads, numbers.len(), |at| {
            let text = &documents[numbers[at] as usize].text;
            split(text).map(|(_, token)| fnv(token.as_bytes()) as u32).collect::<Vec<_>>()
        });
        let mut tokens = Self { hashes: Vec::new(), documents: Vec::new() };
        for (number, hashes) in numbers.iter().zip(each) {
            tokens.hashes.extend(hashes);
            tokens.documents.push((*number as usize, tokens.hashes.len()));
        }
        tokens
    }

    /// Pairs whose first run hashes into one part.
    fn pairs(&self, part: usize) -> Vec<Pair> {
        let mut runs = Vec::new();
        let mut from = 0;
        for &(_, end) in &self.documents {
            each_run(&self.hashes[from..end], |hash, at| {
                if hash as usize % PARTS == part {
                    runs.push((hash, from + at));
                }
            });
            from = end;
        }
        runs.sort_unstable();
        let neighbours = runs.windows(2).filter(|pair| pair[0].0 == pair[1].0);
        neighbours.filter_map(|pair| self.extend(pair[0].1, pair[1].1)).collect()
    }

    /// The passage that begins at both positions, unless it really begins earlier.
    fn extend(&self, a: usize, b: usize) -> Option<Pair> {
        let (a_start, a_end) = self.bounds(a);
        let (b_start, b_end) = self.bounds(b);
        let begins_earlier = a > a_start && b > b_start && self.hashes[a - 1] == self.hashes[b - 1];
        if begins_earlier {
            return None;
        }
        // Within one document the two places must not overlap: a table of zeros is no copy.
        let a_end = if a_end == b_end { b } else { a_end };
        let (first, second) = (&self.hashes[a..a_end], &self.hashes[b..b_end]);
        let length = first.iter().zip(second).take_while(|(x, y)| x == y).count();
        (length >= RUN).then_some((Reverse(length), a, b))
    }

    fn document_at(&self, position: usize) -> usize {
        self.documents.partition_point(|&(_, end)| end <= position)
    }

    fn bounds(&self, position: usize) -> (usize, usize) {
        let document = self.document_at(position);
        let start = document.checked_sub(1).map_or(0, |before| self.documents[before].1);
        (start, self.documents[document].1)
    }

    fn place(&self, documents: &[Document], position: usize, length: usize) -> Place {
        let document = &documents[self.documents[self.document_at(position)].0];
        let first = position - self.bounds(position).0;
        let line_of = |token: usize| {
            let at = split(&document.text).nth(token).map_or(0, |(at, _)| at);
            1 + document.text[..at].matches('\n').count()
        };
        Place { document: document.path.clone(), first_line: line_of(first), last_line: line_of(first + length - 1) }
    }
}

/// Words, and every other visible character on its own, with where each begins.
fn split(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let rest = &text[at..];
        let start = at + (rest.len() - rest.trim_start().len());
        let rest = &text[start..];
        let first = rest.chars().next()?;
        let in_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = if in_word(first) { rest.find(|c| !in_word(c)).unwrap_or(rest.len()) } else { first.len_utf8() };
        at = start + length;
        Some((start, &rest[..length]))
    })
}

/// Calls `each(hash, start)` for every run of `RUN` tokens.
fn each_run(tokens: &[u32], mut each: impl FnMut(u64, usize)) {
    let oldest = (1..RUN).fold(1u64, |power, _| power.wrapping_mul(BASE));
    let mut rolling = 0u64;
    for (at, &token) in tokens.iter().enumerate() {
        if let Some(leaving) = at.checked_sub(RUN) {
            rolling = rolling.wrapping_sub(oldest.wrapping_mul(tokens[leaving].into()));
        }
        rolling = rolling.wrapping_mul(BASE).wrapping_add(token.into());
        if at + 1 >= RUN {
            each(mix(rolling), at + 1 - RUN);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(prefix: &str, count: usize) -> String {
        (0..count).map(|n| format!("let {prefix}{n} = {n};\n")).collect()
    }

    fn find_in(texts: &[String]) -> Vec<Passage> {
        let documents: Vec<_> =
            texts.iter().enumerate().map(|(n, text)| Document { path: n.to_string(), text: text.clone() }).collect();
        let numbers: Vec<u32> = (0..documents.len() as u32).collect();
        super::find(&documents, &numbers, 2, &Progress::new(std::io::sink())).1
    }

    fn place(document: &str, first_line: usize, last_line: usize) -> Place {
        Place { document: document.into(), first_line, last_line }
    }

    #[test]
    fn a_copied_passage_is_found_with_its_lines() {
        let shared = lines("shared", 20);
        let texts = [format!("{}{shared}{}", lines("a", 7), lines("b", 3)), format!("{}{shared}", lines("c", 2))];
        // 20 lines of 5 tokens, and the semicolon of the line before, which is the same in both.
        let found = find_in(&texts);
        let expected = Passage { tokens: 101, a: place("0", 7, 27), b: place("1", 2, 22) };
        assert_eq!(found, [expected]);
    }

    #[test]
    fn three_copies_are_two_pairs() {
        let shared = lines("shared", 30);
        let texts = ["a", "b", "c"].map(|name| format!("{name}!{shared}{name}?"));
        let found = find_in(&texts);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn what_is_short_or_overlaps_itself_is_no_passage() {
        assert_eq!(find_in(&[lines("x", 12), lines("x", 12)]), []);
        assert_eq!(find_in(&["0, ".repeat(60)]), []);
        assert_eq!(find_in(&[String::new(), "one".into()]), []);
    }
}
