//! Scans of images made by hand: one for each finding, and one with none.

use std::collections::HashSet;

use content::image::{Scan, Severity, scan_image};
use content::{Error, ImageLimits, ScanConfig, sha256};
use tar::EntryType;

use crate::archives::{entry, file, import, legacy, tar};
use crate::fixture::{Keystream, store};

/// A private key that opens nothing.
const KEY: &str = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIFNUMnFRbFJkV0FqZ3ZHb1pSc1RhQmNEZUZnSGlK\n-----END PRIVATE KEY-----\n";

fn scan_with(layers: &[Vec<u8>], config: &ScanConfig) -> content::Result<Scan> {
    let store = store();
    let image = import(&store, &legacy(layers)).unwrap();
    scan_image(&store, &image.root, &ImageLimits::default(), config)
}

fn scan(layers: &[Vec<u8>]) -> Scan {
    scan_with(layers, &ScanConfig::default()).unwrap()
}

/// An entry with these permission bits.
fn with_mode(kind: EntryType, path: &str, mode: &[u8; 8], data: &[u8]) -> Vec<u8> {
    let mut out = entry(kind, path, "", data);
    out[100..108].copy_from_slice(mode);
    let sum: u32 = out[..512]
        .iter()
        .enumerate()
        .map(|(at, byte)| if (148..156).contains(&at) { 32 } else { u32::from(*byte) })
        .sum();
    out[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    out
}

/// `id severity layer path` of each finding.
#[track_caller]
fn check(layers: &[Vec<u8>], expected: &[&str]) -> Scan {
    let scan = scan(layers);
    let found: Vec<_> = scan
        .findings
        .iter()
        .map(|finding| {
            let layer = finding.layer.map_or("-".to_owned(), |layer| layer.to_string());
            format!("{} {:?} {layer} {}", finding.id, finding.severity, finding.path)
        })
        .collect();
    assert_eq!(found, expected);
    scan
}

#[test]
fn a_clean_image_has_none_and_is_counted() {
    let layers = [
        tar(&[
            entry(EntryType::Directory, "etc/", "", b""),
            with_mode(EntryType::Directory, "var/mail/", b"0002775\0", b""),
            file("etc/motd", b"hello\n"),
            file("usr/bin/tool", &[&[0x7f, b'E', b'L', b'F', 0, 0], KEY.as_bytes()].concat()),
            file("usr/share/large", &Keystream::bytes("large", 3 << 20)),
            with_mode(EntryType::Regular, "etc/locked", b"0002644\0", b"mandatory locking, nothing to run"),
        ]),
        tar(&[entry(EntryType::Symlink, "etc/mtab", "/proc/self/mounts", b""), file("etc/.wh.motd", b"")]),
    ];
    let scan = check(&layers, &[]);
    let totals = &scan.totals;
    assert_eq!((totals.layers, totals.files, totals.folders, totals.links), (2, 5, 2, 1));
    assert_eq!(totals.largest[0], (3 << 20, "usr/share/large".to_owned()));
    assert!(totals.bytes > 3 << 20 && scan.left_out == 0);
}

#[test]
fn files_that_give_rights_are_found() {
    let pax = |record: &str| {
        let length = record.len() + 4;
        entry(EntryType::XHeader, "pax", "", format!("{length} {record}\n").as_bytes())
    };
    let layers = [
        tar(&[with_mode(EntryType::Regular, "./bin/su", b"0004755\0", b"binary")]),
        tar(&[
            with_mode(EntryType::Regular, "bin/mail", b"0002755\0", b"binary"),
            with_mode(EntryType::Regular, "bin/both", b"0006711\0", b"binary"),
            pax("SCHILY.xattr.security.capability=0123456"),
            file("bin/ping", b"binary"),
            with_mode(EntryType::Regular, "bin/odd", &[0x80, 0, 0, 0, 0, 0, 9, 0xed], b"binary"),
        ]),
    ];
    let expected = [
        "odd-mode High 1 bin/odd",
        "setuid Medium 0 bin/su",
        "setgid Medium 1 bin/both",
        "setuid Medium 1 bin/both",
        "setgid Medium 1 bin/mail",
        "capability Medium 1 bin/ping",
    ];
    let mut found: Vec<_> = expected.to_vec();
    // Within one severity by layer and path.
    found.sort_by_key(|line| (!line.contains("High"), line.split(' ').nth(2), line.split(' ').nth(3)));
    check(&layers, &found);
}

#[test]
fn secrets_are_found_in_text_and_never_repeated() {
    let aws = concat!("AKIA", "Q3EGRTYUIOPASDFG");
    let layers = [
        tar(&[file("root/.ssh/id_ed25519", KEY.as_bytes())]),
        tar(&[
            file("app/settings.py", format!("# settings\nAWS = '{aws}'\nAGAIN = '{aws}'\n").as_bytes()),
            file("app/large.txt", format!("{}{aws}", " ".repeat(2 << 20)).as_bytes()),
            file("root/.ssh/.wh.id_ed25519", b""),
        ]),
    ];
    let scan = check(&layers, &["private-key High 0 root/.ssh/id_ed25519", "aws-key High 1 app/settings.py"]);
    assert_eq!(scan.findings[1].what, "an access key of AWS in line 2");
    let text = serde_json::to_string(&scan).unwrap();
    assert!(!text.contains(aws) && !text.contains("MC4CAQ"), "{text}");
}

#[test]
fn known_bad_files_are_found_whatever_their_size() {
    let bad = Keystream::bytes("bad", 2 << 20);
    let layers = [tar(&[file("good", b"good"), file("usr/bin/miner", &bad), file("note", b"evil")])];
    let known_bad = HashSet::from([sha256(&bad), sha256(b"evil")]);
    let scan = scan_with(&layers, &ScanConfig { known_bad, ..ScanConfig::default() }).unwrap();
    let found: Vec<_> = scan.findings.iter().map(|finding| (finding.path.as_str(), finding.severity)).collect();
    assert_eq!(found, [("note", Severity::Critical), ("usr/bin/miner", Severity::Critical)]);
}

#[test]
fn findings_are_bounded_and_the_worst_are_kept() {
    let mut files: Vec<_> = (0..50)
        .map(|number| with_mode(EntryType::Regular, &format!("bin/{number}"), b"0004755\0", b"binary"))
        .collect();
    files.push(file("key", KEY.as_bytes()));
    let scan = scan_with(&[tar(&files)], &ScanConfig { findings_max: 10, ..ScanConfig::default() }).unwrap();
    assert_eq!((scan.findings.len(), scan.left_out, scan.findings[0].id), (10, 41, "private-key"));
}

#[test]
fn what_is_scanned_is_verified() {
    let store = store();
    let image = import(&store, &legacy(&[tar(&[file("a", &[b'a'; 3000])])])).unwrap();
    let few = ImageLimits { bytes_max: 2000, ..ImageLimits::default() };
    let refused = scan_image(&store, &image.root, &few, &ScanConfig::default());
    assert!(matches!(refused, Err(Error::TooLarge { .. })), "{refused:?}");
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("layout");
    content::export(&store, &image.root, &folder, &content::ExportLimits::default()).unwrap();
    let blob = folder.join("blobs/sha256").join(&image.layers[0].digest["sha256:".len()..]);
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let forged = content::add_tree(&store, &folder, &content::ImportConfig::default()).unwrap().cid;
    let refused = scan_image(&store, &forged, &ImageLimits::default(), &ScanConfig::default());
    assert!(matches!(refused, Err(Error::BadImage { .. })), "{refused:?}");
}
