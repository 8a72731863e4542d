//! Bad input: exit code 2, a message that says what to do, and no result.
use crate::{Place, archive, stderr};

fn check(archive: &[u8], why: &str) {
    let place = Place::with(archive);
    let output = place.build("out", 2);
    assert_eq!(output.status.code(), Some(2), "{why}: {}", stderr(&output));
    assert!(stderr(&output).contains(why), "{why}: {}", stderr(&output));
    assert!(!place.path("out").exists(), "{why}: a result was written");
}

#[test]
fn what_is_no_tar_is_refused() {
    check(b"", "end marker is missing");
    check(b"PK\x03\x04 this is a zip file", "end marker is missing");
    check(&[b"text with zeros behind".as_slice(), &[0; 4096]].concat(), "not a usable archive");
}

#[test]
fn what_is_cut_off_is_refused() {
    let whole = archive(&[("a.rs", &b"fn a() {}\n".repeat(500)), ("b.rs", b"fn b() {}")]);
    for length in [100, 512, 3000, whole.len() - 1024] {
        check(&whole[..length], "cut off");
    }
}

#[test]
fn a_damaged_header_is_refused() {
    let mut damaged = archive(&[("a.rs", b"fn a() {}"), ("b.rs", b"fn b() {}")]);
    damaged[1024 + 3] ^= 0x20;
    check(&damaged, "not a usable archive");
}

#[test]
fn an_archive_without_text_is_refused() {
    check(&archive(&[]), "no text file");
    check(&archive(&[("a.bin", &[0, 159, 146, 150])]), "no text file");
}

#[test]
fn a_missing_archive_is_named() {
    let place = Place::with(&[]);
    std::fs::remove_file(place.path("sources.tar")).unwrap();
    let output = place.build("out", 1);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("sources.tar"), "{}", stderr(&output));
}
