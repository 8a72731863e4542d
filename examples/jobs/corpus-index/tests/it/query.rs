//! The index answers questions.
use crate::{Place, archive, stderr, stdout};

fn place() -> Place {
    let files: &[(&str, &[u8])] = &[
        ("src/map.rs", b"use std::collections::HashMap; fn map() -> HashMap<u8, u8> { HashMap::new() }"),
        ("src/set.rs", b"use std::collections::HashSet;"),
        ("src/words.rs", b"map of a hash, never a hash of maps"),
        ("README.md", b"nothing here"),
    ];
    let place = Place::with(&archive(files));
    stdout(&place.build("out", 2));
    place
}

fn paths(answer: &str) -> Vec<&str> {
    answer.lines().filter_map(|line| line.split('\t').nth(2)).collect()
}

#[test]
fn documents_with_all_terms_best_first() {
    let place = place();
    let check = |terms: &[&str], expected: &[&str]| {
        assert_eq!(paths(&stdout(&place.query("out", terms))), expected, "{terms:?}");
    };
    check(&["HashMap"], &["src/map.rs"]);
    check(&["hash", "map"], &["src/map.rs", "src/words.rs"]);
    check(&["hash"], &["src/map.rs", "src/words.rs", "src/set.rs"]);
    check(&["collections", "hashset"], &["src/set.rs"]);
    check(&["--phrase", "std", "collections"], &["src/map.rs", "src/set.rs"]);
    check(&["--phrase", "collections", "std"], &[]);
    check(&["absent"], &[]);
}

#[test]
fn a_directory_without_an_index_is_refused() {
    let place = place();
    let output = place.query("nowhere", &["hash"]);
    assert_eq!(output.status.code(), Some(2));
    std::fs::write(place.path("out/index.bin"), b"CORPIDX1 and then nothing useful").unwrap();
    let output = place.query("out", &["hash"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("not an index"), "{}", stderr(&output));
}
