//! A look through an image before it runs: what in it takes rights, is known to be bad, or should not have left its
//! owner's machine.
//!
//! All layers are read once, and verified in the same pass. Later layers may hide files of earlier ones; whoever has
//! the image has them still, so every layer counts.

mod secrets;

use std::collections::{BinaryHeap, HashSet};
use std::io::Read;

use cid::Cid;
use serde::Serialize;
use tar::EntryType;

use super::check::{Budget, Look, Member, broken};
use super::{Image, expect_digest, layer};
use crate::block::{Digest, Sha256, hex};
use crate::config::{ImageLimits, ScanConfig};
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::read::FileReader;

/// How many of the largest files are named.
const LARGEST: usize = 10;
/// A file with a zero byte so near to its beginning is no text.
const BINARY_WITHIN: usize = 8 << 10;
const SETUID: u32 = 0o4000;
const SETGID: u32 = 0o2000;
const EXECUTABLE: u32 = 0o111;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// Usual, and worth knowing.
    Low,
    /// Takes rights that a job seldom needs.
    Medium,
    /// Somebody comes to harm if this is used.
    High,
    /// Not to be run.
    Critical,
}

/// Something in an image that its owner or its host should know of. Never holds a secret itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule, a fixed word.
    pub id: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// The layer, the lowest being 0; none for the image's configuration.
    pub layer: Option<usize>,
    /// The file within the layer.
    pub path: String,
    /// What was found.
    pub what: String,
    /// What to do about it.
    pub remedy: &'static str,
}

/// How much there is of what.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Layers, each counted once.
    pub layers: u64,
    /// Regular files of all layers.
    pub files: u64,
    /// Folders.
    pub folders: u64,
    /// Hard and symbolic links.
    pub links: u64,
    /// Bytes of the files.
    pub bytes: u64,
    /// The largest files, the largest first.
    pub largest: Vec<(u64, String)>,
}

/// What a scan found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Scan {
    /// The worst first, then in the order of layers and paths.
    pub findings: Vec<Finding>,
    /// Findings above [`ScanConfig::findings_max`], which are only counted.
    pub left_out: u64,
    /// Sizes and counts.
    pub totals: Totals,
}

/// Scans an image, verifying it as [`Image::verify`] does.
pub fn scan_image(store: &BlockStore, root: &Cid, limits: &ImageLimits, config: &ScanConfig) -> Result<Scan> {
    let image = Image::inspect(store, root)?;
    if image.layers.len() > limits.layers_max {
        return Err(Error::TooLarge { what: "the number of layers", limit: limits.layers_max as u64 });
    }
    let mut scanner = Scanner::new(config);
    scanner.text(None, "the image's configuration", &image.config(store)?);
    let mut budget = Budget::new(limits);
    let mut seen = HashSet::new();
    for (number, layer) in image.layers.iter().enumerate() {
        if !seen.insert((&layer.digest, &layer.diff_id)) {
            continue;
        }
        scanner.layer = number;
        scanner.totals.layers += 1;
        let reader = FileReader::new(store, &layer.cid);
        let read = layer::read(reader, layer.size, layer.compression, &mut budget, None, &mut scanner)?;
        expect_digest("layer", &layer.digest, &read.blob)?;
        expect_digest("uncompressed layer", &layer.diff_id, &read.tar)?;
    }
    Ok(scanner.finish())
}

struct Scanner<'a> {
    config: &'a ScanConfig,
    layer: usize,
    findings: Vec<Finding>,
    left_out: u64,
    totals: Totals,
    /// The smallest of the largest files is on top.
    largest: BinaryHeap<std::cmp::Reverse<(u64, String)>>,
}

impl Scanner<'_> {
    fn new(config: &ScanConfig) -> Scanner<'_> {
        let totals = Totals::default();
        Scanner { config, layer: 0, findings: Vec::new(), left_out: 0, totals, largest: BinaryHeap::new() }
    }

    fn find(&mut self, finding: Finding) {
        if self.findings.len() < self.config.findings_max {
            self.findings.push(finding);
            return;
        }
        self.left_out += 1;
        // A thousand trifles must not hide what is worse.
        let least = self.findings.iter_mut().min_by_key(|kept| kept.severity);
        if let Some(least) = least.filter(|least| least.severity < finding.severity) {
            *least = finding;
        }
    }

    fn finish(mut self) -> Scan {
        self.findings.sort_by(|a, b| {
            b.severity.cmp(&a.severity).then_with(|| (a.layer, &a.path, a.id).cmp(&(b.layer, &b.path, b.id)))
        });
        self.totals.largest = self.largest.into_sorted_vec().into_iter().map(|entry| entry.0).collect();
        Scan { findings: self.findings, left_out: self.left_out, totals: self.totals }
    }

    fn here(&mut self, id: &'static str, severity: Severity, path: &str, what: String, remedy: &'static str) {
        let layer = Some(self.layer);
        self.find(Finding { id, severity, layer, path: path.to_owned(), what, remedy });
    }

    fn rights(&mut self, member: &Member<'_>, path: &str) {
        let Some(mode) = member.mode else {
            let what = "its permission bits cannot be read, and engines may read them differently".to_owned();
            return self.here(
                "odd-mode",
                Severity::High,
                path,
                what,
                "write the layer anew with an ordinary tar program",
            );
        };
        if mode & EXECUTABLE != 0 {
            let uid = member.uid.map_or_else(|| "an odd user".to_owned(), |uid| format!("user {uid}"));
            if mode & SETUID != 0 {
                let remedy = "take the bit off (chmod u-s), or run the image with no-new-privileges";
                self.here("setuid", Severity::Medium, path, format!("whoever starts it becomes {uid}"), remedy);
            }
            if mode & SETGID != 0 {
                let remedy = "take the bit off (chmod g-s), or run the image with no-new-privileges";
                self.here("setgid", Severity::Medium, path, "whoever starts it gets its group".to_owned(), remedy);
            }
        }
        if member.has_capability {
            let remedy = "take them off (setcap -r), or run the image with no-new-privileges";
            let what = "whoever starts it gets capabilities of the system's administrator".to_owned();
            self.here("capability", Severity::Medium, path, what, remedy);
        }
    }

    /// Reads a file's content as far as some rule needs it.
    fn content(&mut self, size: u64, path: &str, data: &mut dyn Read) -> Result<()> {
        let is_small = size <= self.config.text_bytes_max;
        if !is_small && self.config.known_bad.is_empty() {
            return Ok(());
        }
        let mut hash = Sha256::default();
        let mut text = Vec::with_capacity(if is_small { size as usize } else { 0 });
        let mut piece = vec![0; 64 << 10];
        loop {
            let read = data.read(&mut piece).map_err(|error| broken(&error))?;
            if read == 0 {
                break;
            }
            if !self.config.known_bad.is_empty() {
                hash.update(&piece[..read]);
            }
            if is_small {
                text.extend_from_slice(&piece[..read]);
            }
        }
        if !self.config.known_bad.is_empty() {
            let digest: Digest = hash.finish();
            if self.config.known_bad.contains(&digest) {
                let what = format!("it is on the list of known bad files: sha256:{}", hex(&digest));
                self.here("known-bad", Severity::Critical, path, what, "do not run this image");
            }
        }
        if is_small && !text.iter().take(BINARY_WITHIN).any(|byte| *byte == 0) {
            self.text(Some(self.layer), path, &text);
        }
        Ok(())
    }

    fn text(&mut self, layer: Option<usize>, path: &str, text: &[u8]) {
        for secret in secrets::find(text) {
            self.find(Finding {
                id: secret.id,
                severity: secret.severity,
                layer,
                path: path.to_owned(),
                what: format!("{} in line {}", secret.what, secret.line),
                remedy: "revoke it, and build the image anew without it: a later layer does not take it back",
            });
        }
    }
}

impl Look for Scanner<'_> {
    fn look(&mut self, member: &Member<'_>, data: &mut dyn Read) -> Result<()> {
        let path = String::from_utf8_lossy(member.path).into_owned();
        match member.kind {
            EntryType::Directory => self.totals.folders += 1,
            EntryType::Link | EntryType::Symlink => self.totals.links += 1,
            EntryType::Regular | EntryType::Continuous => {
                self.totals.files += 1;
                self.totals.bytes += member.size;
                self.largest.push(std::cmp::Reverse((member.size, path.clone())));
                if self.largest.len() > LARGEST {
                    self.largest.pop();
                }
                self.rights(member, &path);
                self.content(member.size, &path, data)?;
            }
            _ => {}
        }
        Ok(())
    }
}
