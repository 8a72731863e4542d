//! The tar that is handed to `docker load`: an OCI layout and the older `manifest.json` at once, because
//! engines disagree about which they read.

use std::sync::Arc;

use bytes::Bytes;
use cid::Cid;
use futures_util::Stream;
use tar::{EntryType, Header};

use super::oci::{self, Saved};
use super::{Image, expect_digest, member};
use crate::block::Sha256;
use crate::blocking::{self, Emit};
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::read::{file_size, read_file};

/// Tars are made of these.
const RECORD: usize = 512;

/// An image as a tar for a container engine, under `tag` where one is given. Memory stays at a few blocks;
/// every blob's digest is checked as it goes out, and a wrong one breaks the stream off.
pub fn docker_archive(
    store: Arc<BlockStore>,
    root: Cid,
    tag: Option<String>,
) -> impl Stream<Item = Result<Bytes>> + Send + 'static {
    blocking::stream(move |emit| emit_archive(&store, &root, tag, emit))
}

fn emit_archive(store: &BlockStore, root: &Cid, tag: Option<String>, emit: Emit<'_>) -> Result<()> {
    let image = Image::inspect(store, root)?;
    let blob = |digest: &str| -> Result<String> { Ok(format!("blobs/sha256/{}", oci::digest_hex(digest)?)) };
    let saved = Saved {
        config: blob(&image.config_digest)?,
        repo_tags: tag.map(|tag| vec![tag]),
        layers: image.layers.iter().map(|layer| blob(&layer.digest)).collect::<Result<_>>()?,
    };
    for folder in ["blobs/", "blobs/sha256/"] {
        emit(header(folder, EntryType::Directory, 0o755, 0)?)?;
    }
    let mut digests = vec![image.config_digest.clone(), image.manifest_digest.clone()];
    digests.extend(image.layers.iter().map(|layer| layer.digest.clone()));
    digests.sort();
    digests.dedup();
    for digest in digests {
        let name = blob(&digest)?;
        let cid = member(store, root, &name)?;
        let mut hash = Sha256::default();
        emit_file(store, &name, &cid, &mut |bytes| hash.update(bytes), emit)?;
        expect_digest("blob", &digest, &hash.finish())?;
    }
    for name in ["index.json", "oci-layout"] {
        emit_file(store, name, &member(store, root, name)?, &mut |_| {}, emit)?;
    }
    let saved = oci::write(&[saved])?;
    emit(header("manifest.json", EntryType::Regular, 0o644, saved.len() as u64)?)?;
    let length = saved.len() as u64;
    emit(saved.into())?;
    emit(padding(length))?;
    emit(Bytes::from_static(&[0; 2 * RECORD]))
}

fn emit_file(store: &BlockStore, name: &str, cid: &Cid, seen: &mut dyn FnMut(&[u8]), emit: Emit<'_>) -> Result<()> {
    let size = file_size(store, cid)?;
    emit(header(name, EntryType::Regular, 0o644, size)?)?;
    read_file(store, cid, 0..size, |bytes| {
        seen(&bytes);
        emit(bytes)
    })?;
    emit(padding(size))
}

fn padding(size: u64) -> Bytes {
    const ZEROS: [u8; RECORD] = [0; RECORD];
    let over = (size % RECORD as u64) as usize;
    if over == 0 { Bytes::new() } else { Bytes::from_static(&ZEROS[over..]) }
}

fn header(name: &str, kind: EntryType, mode: u32, size: u64) -> Result<Bytes> {
    let mut header = Header::new_gnu();
    header.set_path(name).map_err(Error::from)?;
    header.set_entry_type(kind);
    header.set_mode(mode);
    header.set_size(size);
    header.set_mtime(0);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    Ok(Bytes::copy_from_slice(header.as_bytes()))
}
