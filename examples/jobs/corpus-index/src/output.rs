//! From the archive to the result directory.
use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;

use crate::args::Build;
use crate::build::{self, Built, Term};
use crate::corpus;
use crate::duplicates::{self, Report};
use crate::error::Error;
use crate::index::{self, DocumentEntry};
use crate::progress::{Progress, WRITING};

/// Lines of `terms.tsv`.
const TOP_TERMS: usize = 10_000;

/// `summary.json`. Nothing in it depends on the machine, so results can be compared.
#[derive(Serialize)]
struct Summary {
    version: u32,
    documents: usize,
    skipped_files: usize,
    text_bytes: u64,
    words: u64,
    terms: usize,
    postings_bytes: u64,
    index_bytes: usize,
    exact_duplicate_groups: usize,
    exact_duplicate_bytes: u64,
    near_duplicate_pairs: usize,
    near_duplicate_clusters: usize,
    repeated_passages: usize,
}

/// Reads, indexes, compares and writes.
pub(crate) fn produce(options: &Build) -> Result<(), Error> {
    let progress = Progress::new(std::io::stdout());
    progress.log(&format!("reading {} on {} threads", options.input.display(), options.threads));
    let corpus = corpus::read(&options.input, &progress)?;
    let (documents, skipped) = (&corpus.documents, corpus.skipped);
    progress.log(&format!("{} text files, {skipped} others skipped", documents.len()));
    let built = build::build(documents, options.threads, &progress);
    progress.log(&format!("{} terms indexed", built.terms.len()));
    let report = duplicates::find(documents, &built.fingerprints, options.threads, &progress);
    progress.log(&format!("{} groups of equal files", report.exact.len()));
    progress.log(&format!("{} pairs of nearly equal files", report.near.len()));
    progress.log(&format!("{} repeated passages", report.passages_found));
    write(&options.output, documents, skipped, &built, &report, &progress)?;
    progress.log(&format!("result in {}", options.output.display()));
    Ok(())
}

fn write(
    directory: &Path,
    documents: &[corpus::Document],
    skipped: usize,
    built: &Built,
    report: &Report,
    progress: &Progress,
) -> Result<(), Error> {
    std::fs::create_dir_all(directory).map_err(|source| Error::Output { path: directory.into(), source })?;
    let entries: Vec<_> = documents
        .iter()
        .zip(&built.words)
        .map(|(document, &words)| DocumentEntry {
            path: document.path.clone(),
            bytes: document.text.len() as u64,
            words,
        })
        .collect();
    let index = index::encode(&entries, &built.terms);
    let copies = |group: &duplicates::Exact| group.bytes * (group.documents.len() as u64 - 1);
    let summary = Summary {
        version: 1,
        documents: documents.len(),
        skipped_files: skipped,
        text_bytes: entries.iter().map(|entry| entry.bytes).sum(),
        words: entries.iter().map(|entry| u64::from(entry.words)).sum(),
        terms: built.terms.len(),
        postings_bytes: built.terms.iter().map(|term| term.postings.len() as u64).sum(),
        index_bytes: index.len(),
        exact_duplicate_groups: report.exact.len(),
        exact_duplicate_bytes: report.exact.iter().map(copies).sum(),
        near_duplicate_pairs: report.near.len(),
        near_duplicate_clusters: report.clusters.len(),
        repeated_passages: report.passages_found,
    };
    let files: [(&str, Vec<u8>); 4] = [
        (index::FILE_NAME, index),
        ("terms.tsv", top_terms(&built.terms).into_bytes()),
        ("duplicates.json", json(report)),
        ("summary.json", json(&summary)),
    ];
    progress.begin(WRITING, files.len());
    for (name, bytes) in &files {
        let path = directory.join(name);
        std::fs::write(&path, bytes).map_err(|source| Error::Output { path, source })?;
        progress.advance(WRITING, 1, files.len());
    }
    Ok(())
}

/// The most frequent terms: by documents, then occurrences, then text.
fn top_terms(terms: &[Term]) -> String {
    let mut order: Vec<&Term> = terms.iter().collect();
    order.sort_by_key(|term| std::cmp::Reverse((term.documents, term.occurrences)));
    let mut table = String::from("term\tdocuments\toccurrences\n");
    for term in order.into_iter().take(TOP_TERMS) {
        // Writing into a string cannot fail.
        let _ = writeln!(table, "{}\t{}\t{}", term.text, term.documents, term.occurrences);
    }
    table
}

fn json(value: &impl Serialize) -> Vec<u8> {
    // Plain structs of numbers and strings: there is nothing that could fail to serialise.
    let mut bytes = serde_json::to_vec_pretty(value).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}
