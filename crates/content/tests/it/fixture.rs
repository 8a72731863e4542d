//! Stores, servers and reproducible bytes for the tests.

use std::io::Read;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use axum::Router;
use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use content::{BlockStore, StoreConfig};
use tempfile::TempDir;
use url::Url;

/// A store in a folder that goes away with it.
pub(crate) struct Store {
    pub(crate) store: Arc<BlockStore>,
    _dir: TempDir,
}

impl std::ops::Deref for Store {
    type Target = Arc<BlockStore>;
    fn deref(&self) -> &Self::Target {
        &self.store
    }
}

pub(crate) fn store() -> Store {
    let dir = TempDir::new().unwrap();
    let store = Arc::new(BlockStore::open(dir.path().join("store"), StoreConfig::default()).unwrap());
    Store { store, _dir: dir }
}

/// A store in which what was put a moment ago may be garbage already.
pub(crate) fn impatient_store() -> Store {
    let dir = TempDir::new().unwrap();
    let config = StoreConfig { young: std::time::Duration::ZERO, ..StoreConfig::default() };
    let store = Arc::new(BlockStore::open(dir.path().join("store"), config).unwrap());
    Store { store, _dir: dir }
}

/// The ChaCha20 key stream of a seed, as the published vectors use it.
pub(crate) struct Keystream {
    cipher: ChaCha20,
    left: u64,
}

impl Keystream {
    pub(crate) fn new(seed: &str, length: u64) -> Self {
        let key = content::sha256(seed.as_bytes());
        Self { cipher: ChaCha20::new(&key.into(), &[0; 12].into()), left: length }
    }

    pub(crate) fn bytes(seed: &str, length: u64) -> Vec<u8> {
        let mut out = Vec::new();
        Keystream::new(seed, length).read_to_end(&mut out).unwrap();
        out
    }
}

impl Read for Keystream {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let length = out.len().min(usize::try_from(self.left).unwrap());
        out[..length].fill(0);
        self.cipher.apply_keystream(&mut out[..length]);
        self.left -= length as u64;
        Ok(length)
    }
}

/// Serves a router on a free port until the test's runtime ends.
pub(crate) async fn serve(router: Router) -> Url {
    let listener = tokio::net::TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0))).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    Url::parse(&format!("http://{address}/")).unwrap()
}

/// Writes files given as `(path, bytes)`; a path that ends in a slash is a folder.
pub(crate) fn plant(dir: &Path, files: &[(&str, &[u8])]) {
    for (path, bytes) in files {
        let path = dir.join(path);
        if path.as_os_str().as_encoded_bytes().ends_with(b"/") {
            std::fs::create_dir_all(path).unwrap();
            continue;
        }
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
}

/// A small disk in memory, until it is dropped; `None` where mounting is not allowed.
pub(crate) struct SmallDisk(std::path::PathBuf);

pub(crate) fn small_disk(dir: &Path, size: &str) -> Option<SmallDisk> {
    let size = format!("size={size}");
    let mount = std::process::Command::new("mount").args(["-t", "tmpfs", "-o", &size, "none"]).arg(dir).status();
    mount.is_ok_and(|status| status.success()).then(|| SmallDisk(dir.to_owned()))
}

/// Takes every byte that the disk under a folder has left.
pub(crate) fn fill(dir: &Path) {
    let mut filler = std::fs::File::create(dir.join("filler")).unwrap();
    while std::io::Write::write(&mut filler, &[1; 4096]).is_ok_and(|written| written > 0) {}
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: files in it may still be open.
        drop(std::process::Command::new("umount").arg("-l").arg(&self.0).status());
    }
}

/// Says loudly that something was not tested; fails instead where `BOURSE_REQUIRE_PEERS=1` is set.
pub(crate) fn skip(what: &str) {
    assert!(std::env::var("BOURSE_REQUIRE_PEERS").as_deref() != Ok("1"), "required but not here: {what}");
    eprintln!("\n*** SKIPPED: {what} ***\n");
}
