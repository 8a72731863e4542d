//! Asks an index: documents with all terms, best first.
use std::collections::BTreeMap;
use std::io::Write;

use crate::args::Query;
use crate::error::Error;
use crate::index::{FILE_NAME, Hit, Index};

/// Prints `score<TAB>occurrences<TAB>path` for each document with all terms.
pub(crate) fn print(query: &Query, out: &mut impl Write) -> Result<(), Error> {
    let index = Index::open(&query.index)?;
    let damaged = |why| Error::Index { path: query.index.join(FILE_NAME), why };
    let mut lists = Vec::new();
    for term in &query.terms {
        lists.push(index.find(&term.to_lowercase()).map_err(damaged)?);
    }
    for (document, score, occurrences) in rank(&lists, index.documents.len(), query.phrase) {
        let path = &index.documents[document as usize].path;
        writeln!(out, "{score:.3}\t{occurrences}\t{path}").map_err(Error::Stdout)?;
    }
    Ok(())
}

/// Documents in all lists with their score, the sum of `(1 + ln tf) · ln(N / df)`, and the number
/// of occurrences counted; with `phrase` only places where the terms follow one another.
fn rank(lists: &[Vec<Hit>], documents: usize, phrase: bool) -> Vec<(u32, f64, usize)> {
    let by_document: Vec<BTreeMap<u32, &[u32]>> =
        lists.iter().map(|hits| hits.iter().map(|hit| (hit.document, hit.positions.as_slice())).collect()).collect();
    let Some((first, others)) = by_document.split_first() else {
        return Vec::new();
    };
    let mut ranked = Vec::new();
    'documents: for (&document, &positions) in first {
        let mut everywhere = vec![positions];
        for other in others {
            match other.get(&document) {
                Some(&positions) => everywhere.push(positions),
                None => continue 'documents,
            }
        }
        let counts = if phrase {
            vec![phrases(&everywhere); lists.len()]
        } else {
            everywhere.iter().map(|positions| positions.len()).collect()
        };
        let occurrences: usize = if phrase { counts[0] } else { counts.iter().sum() };
        if occurrences > 0 {
            let weight = |(hits, count): (&Vec<Hit>, &usize)| {
                (1.0 + (*count as f64).ln()) * (documents as f64 / hits.len() as f64).ln()
            };
            let score: f64 = lists.iter().zip(&counts).map(weight).sum();
            ranked.push((document, score, occurrences));
        }
    }
    ranked.sort_by(|(a, a_score, _), (b, b_score, _)| b_score.total_cmp(a_score).then(a.cmp(b)));
    ranked
}

/// How often the positions follow one another, one of each list.
fn phrases(lists: &[&[u32]]) -> usize {
    let follows = |start: u32| (start..).zip(lists).all(|(position, list)| list.binary_search(&position).is_ok());
    lists.first().map_or(0, |first| first.iter().filter(|&&start| follows(start)).count())
}
