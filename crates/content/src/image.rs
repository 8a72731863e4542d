//! Container images as DAGs: an OCI image layout as a UnixFS directory, its layers uncompressed.
//!
//! Uncompressed layers have their `diff_id` as digest, so that the manifest follows from the image's
//! configuration alone: the same image has the same CID wherever it was exported from, and images that
//! share a layer share its blocks.

mod archive;
mod build;
mod bundle;
mod check;
mod import;
mod layer;
mod oci;
mod scan;

use cid::Cid;

use crate::block::{Digest, Sha256, hex, sha256};
use crate::config::ImageLimits;
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::read::{FileReader, file_size, read_small, resolve};

pub use archive::docker_archive;
pub use build::{ImageConfig, ImageFile, LayerSource, build_image, image_from_root_fs, image_of_program};
use check::Budget;
pub use import::import_image;
pub use oci::JSON_BYTES_MAX;
use oci::{Compression, Descriptor, Index, Manifest};
pub use scan::{Finding, Scan, Severity, Totals, scan_image};

/// A layer of an image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Digest of the stored blob, `sha256:…`.
    pub digest: String,
    /// Digest of the uncompressed tar, `sha256:…`.
    pub diff_id: String,
    /// Bytes of the stored blob.
    pub size: u64,
    /// The blob as a file.
    pub cid: Cid,
    compression: Compression,
}

/// An image in a store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The directory that is the OCI layout.
    pub root: Cid,
    /// Digest of the manifest, `sha256:…`: what a job names beside the CID.
    pub manifest_digest: String,
    /// Digest of the configuration, `sha256:…`: the image ID that Docker shows.
    pub config_digest: String,
    /// Bytes of all layers.
    pub size: u64,
    /// From the lowest up.
    pub layers: Vec<Layer>,
    /// Operating system it is made for.
    pub os: String,
    /// Processor it is made for, in Go's names: `amd64`, `arm64`.
    pub architecture: String,
}

impl Image {
    /// Reads an image's manifest and configuration, verifying both. Layers are looked up, not read;
    /// [`verify`](Self::verify) reads them.
    pub fn inspect(store: &BlockStore, root: &Cid) -> Result<Image> {
        let layout = read_small(store, &member(store, root, "oci-layout")?, JSON_BYTES_MAX)?;
        oci::check_layout(&layout)?;
        let index = read_small(store, &member(store, root, "index.json")?, JSON_BYTES_MAX)?;
        let index: Index = oci::parse("index.json", &index)?;
        let [described] = index.manifests.as_slice() else {
            return Err(Error::image(format!("its index names {} manifests instead of one", index.manifests.len())));
        };
        let manifest: Manifest = oci::parse("manifest", &read_blob(store, root, described)?)?;
        manifest.check()?;
        let config = read_blob(store, root, &manifest.config)?;
        let config = oci::Config::parse(&config)?;
        let diff_ids = config.diff_ids(manifest.layers.len())?;
        let mut layers = Vec::with_capacity(diff_ids.len());
        for (described, diff_id) in manifest.layers.iter().zip(diff_ids) {
            let cid = member(store, root, &described.blob_path()?)?;
            if file_size(store, &cid)? != described.size {
                return Err(Error::image(format!(
                    "layer {} has another size than the manifest says",
                    described.digest
                )));
            }
            let (digest, size) = (described.digest.clone(), described.size);
            layers.push(Layer { digest, diff_id, size, cid, compression: described.layer_compression()? });
        }
        Ok(Image {
            root: *root,
            manifest_digest: described.digest.clone(),
            config_digest: manifest.config.digest.clone(),
            size: layers.iter().map(|layer| layer.size).sum(),
            layers,
            os: config.os,
            architecture: config.architecture,
        })
    }

    /// Reads every layer: recomputes its digests and checks each entry of its tar. To be called before an
    /// image of a stranger is handed to a container engine.
    pub fn verify(store: &BlockStore, root: &Cid, limits: &ImageLimits) -> Result<Image> {
        let image = Image::inspect(store, root)?;
        if image.layers.len() > limits.layers_max {
            return Err(Error::TooLarge { what: "the number of layers", limit: limits.layers_max as u64 });
        }
        let mut budget = Budget::new(limits);
        let mut seen = std::collections::HashSet::new();
        for layer in &image.layers {
            if !seen.insert((&layer.digest, &layer.diff_id)) {
                continue;
            }
            let reader = FileReader::new(store, &layer.cid);
            let read = layer::read(reader, layer.size, layer.compression, &mut budget, None, &mut ())?;
            expect_digest("layer", &layer.digest, &read.blob)?;
            expect_digest("uncompressed layer", &layer.diff_id, &read.tar)?;
        }
        Ok(image)
    }
}

/// A blob of an image as a registry hands it out.
pub(crate) struct Blob {
    pub(crate) cid: Cid,
    pub(crate) size: u64,
    pub(crate) media_type: String,
}

impl Image {
    /// The configuration as it stands.
    fn config(&self, store: &BlockStore) -> Result<bytes::Bytes> {
        let path = format!("blobs/sha256/{}", oci::digest_hex(&self.config_digest)?);
        read_small(store, &member(store, &self.root, &path)?, JSON_BYTES_MAX)
    }

    /// The manifest, the configuration or a layer by its digest; nothing else that may lie in the layout.
    pub(crate) fn blob(&self, store: &BlockStore, digest: &str) -> Result<Option<Blob>> {
        if let Some(layer) = self.layers.iter().find(|layer| layer.digest == digest) {
            let media_type = layer.compression.media_type().to_owned();
            return Ok(Some(Blob { cid: layer.cid, size: layer.size, media_type }));
        }
        let is_manifest = digest == self.manifest_digest;
        if !is_manifest && digest != self.config_digest {
            return Ok(None);
        }
        let cid = member(store, &self.root, &format!("blobs/sha256/{}", oci::digest_hex(digest)?))?;
        let media_type = if is_manifest {
            let manifest: Manifest = oci::parse("manifest", &read_small(store, &cid, JSON_BYTES_MAX)?)?;
            Some(manifest.media_type).filter(|name| !name.is_empty()).unwrap_or_else(|| oci::MANIFEST_TYPE.to_owned())
        } else {
            oci::CONFIG_TYPE.to_owned()
        };
        Ok(Some(Blob { cid, size: file_size(store, &cid)?, media_type }))
    }
}

fn member(store: &BlockStore, root: &Cid, path: &str) -> Result<Cid> {
    resolve(store, root, path).map_err(|error| match error {
        Error::NoSuchPath { .. } => Error::image(format!("it has no {path}")),
        other => other,
    })
}

fn read_blob(store: &BlockStore, root: &Cid, described: &Descriptor) -> Result<bytes::Bytes> {
    let bytes = read_small(store, &member(store, root, &described.blob_path()?)?, JSON_BYTES_MAX)?;
    expect_digest("blob", &described.digest, &sha256(&bytes))?;
    if bytes.len() as u64 != described.size {
        return Err(Error::image(format!("blob {} has another size than it should", described.digest)));
    }
    Ok(bytes)
}

fn expect_digest(what: &str, expected: &str, found: &Digest) -> Result<()> {
    let found = oci_digest(found);
    if expected == found { Ok(()) } else { Err(Error::image(format!("{what} {expected} holds the bytes of {found}"))) }
}

fn oci_digest(digest: &Digest) -> String {
    format!("sha256:{}", hex(digest))
}

/// Counts and hashes what is read through it.
struct Hashed<R> {
    inner: R,
    hash: Sha256,
    bytes: u64,
}

impl<R> Hashed<R> {
    fn new(inner: R) -> Self {
        Self { inner, hash: Sha256::default(), bytes: 0 }
    }
}

impl<R: std::io::Read> std::io::Read for Hashed<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let read = self.inner.read(out)?;
        self.hash.update(&out[..read]);
        self.bytes += read as u64;
        Ok(read)
    }
}
