//! What is written, and that it does not depend on threads or on the archive's order.
use crate::{Place, archive, json, prose, stdout};

const RESULT_FILES: [&str; 4] = ["index.bin", "terms.tsv", "duplicates.json", "summary.json"];

fn mixed_corpus() -> Vec<(String, Vec<u8>)> {
    let mut files = vec![
        ("b/original.rs".into(), prose(2000, 0, "").into_bytes()),
        ("a/copy.rs".into(), prose(2000, 0, "").into_bytes()),
        ("c/near.rs".into(), prose(2000, 20, "x").into_bytes()),
        ("d/far.rs".into(), prose(2000, 500, "y").into_bytes()),
        ("e/binary.rs".into(), vec![0, 1, 2, 255]),
        ("f/tiny.rs".into(), b"fn main() {}".to_vec()),
        ("g/tiny.rs".into(), b"fn main() {}".to_vec()),
        ("h/empty.rs".into(), Vec::new()),
    ];
    // Enough text for several pieces, so that threads have something to disagree about.
    files.extend((0..24).map(|n| {
        let text = prose(20_000, 4000, &format!("filler{n}"));
        (format!("filler/{n}.rs"), text.into_bytes())
    }));
    files
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let files: Vec<_> = files.iter().map(|(path, text)| (path.as_str(), text.as_slice())).collect();
    archive(&files)
}

#[test]
fn same_bytes_whatever_the_threads_and_the_order() {
    let mut files = mixed_corpus();
    let place = Place::with(&packed(&files));
    stdout(&place.build("one", 1));
    for threads in [2, 5] {
        let output = format!("threads{threads}");
        stdout(&place.build(&output, threads));
        for file in RESULT_FILES {
            let one = std::fs::read(place.path("one").join(file)).unwrap();
            let many = std::fs::read(place.path(&output).join(file)).unwrap();
            assert!(one == many, "{file} differs with {threads} threads");
        }
    }
    files.reverse();
    let reversed = Place::with(&packed(&files));
    stdout(&reversed.build("out", 2));
    for file in RESULT_FILES {
        let one = std::fs::read(place.path("one").join(file)).unwrap();
        let other = std::fs::read(reversed.path("out").join(file)).unwrap();
        assert!(one == other, "{file} differs with another order");
    }
}

#[test]
fn known_duplicates_are_found_and_others_are_not() {
    let place = Place::with(&packed(&mixed_corpus()));
    stdout(&place.build("out", 2));
    let report = json(&place.path("out/duplicates.json"));
    let exact: Vec<_> = report["exact"].as_array().unwrap().iter().map(|e| &e["documents"]).collect();
    let copies = serde_json::json!(["a/copy.rs", "b/original.rs"]);
    let tiny = serde_json::json!(["f/tiny.rs", "g/tiny.rs"]);
    assert_eq!(exact, [&copies, &tiny]);
    let near = report["near"].as_array().unwrap();
    assert_eq!(near.len(), 1, "{near:?}");
    assert_eq!((&near[0]["a"], &near[0]["b"]), (&"a/copy.rs".into(), &"c/near.rs".into()));
    // 20 changed words of 2000 touch 5 shingles each, the last one only 1: 1900 of 2092 are shared.
    assert_eq!(near[0]["similarity"], 0.9082);
    assert_eq!(report["clusters"], serde_json::json!([["a/copy.rs", "c/near.rs"]]));
    let summary = json(&place.path("out/summary.json"));
    assert_eq!(summary["documents"], 31);
    assert_eq!(summary["skipped_files"], 1);
    assert_eq!(summary["exact_duplicate_groups"], 2);
}

#[test]
fn progress_grows_to_a_hundred() {
    let place = Place::with(&packed(&mixed_corpus()));
    let log = stdout(&place.build("out", 2));
    let percents: Vec<u32> = log
        .lines()
        .filter_map(|line| line.strip_prefix("progress "))
        .map(|line| line.split(' ').next().unwrap().parse().unwrap())
        .collect();
    assert!(percents.is_sorted_by(|a, b| a < b), "{percents:?}");
    assert_eq!((percents.first(), percents.last()), (Some(&0), Some(&100)));
    assert!(log.contains("groups of equal files"), "{log}");
}

#[test]
fn terms_are_listed_by_the_documents_that_use_them() {
    let files: &[(&str, &[u8])] = &[("a", b"one two two"), ("b", b"two three"), ("c", b"two three")];
    let place = Place::with(&archive(files));
    stdout(&place.build("out", 1));
    let table = std::fs::read_to_string(place.path("out/terms.tsv")).unwrap();
    assert_eq!(table, "term\tdocuments\toccurrences\ntwo\t3\t4\nthree\t2\t2\none\t1\t1\n");
}
