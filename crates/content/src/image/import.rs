//! Importing what `docker save` and OCI tools write.

use std::collections::HashMap;
use std::path::Path;

use super::bundle::Bundle;
use super::check::Budget;
use super::oci::{
    self, CONFIG_TYPE, Compression, Config, Descriptor, INDEX_TYPE, Index, LAYER_TYPE, LAYOUT, MANIFEST_TYPE, Manifest,
    Platform, Saved, digest_hex,
};
use super::{Image, expect_digest, layer, oci_digest};
use crate::block::sha256;
use crate::config::{ImageLimits, ImportConfig};
use crate::error::{Error, Result};
use crate::store::BlockStore;
use crate::unixfs::directory::DirectoryBuilder;
use crate::unixfs::file::{Added, add_reader};
use crate::unixfs::sink::{Sink, into_store};

/// A layer's tar in the store.
#[derive(Clone, Copy, Debug)]
pub(super) struct StoredLayer {
    pub(super) diff_id: [u8; 32],
    pub(super) bytes: u64,
    pub(super) file: Added,
}

/// Imports an image from an archive of `docker save`, or from an OCI layout as a tar or a folder, verifying
/// all of it. The same image gives the same root, whatever wrote the archive.
pub fn import_image(store: &BlockStore, path: &Path, limits: &ImageLimits) -> Result<Image> {
    let bundle = Bundle::open(path, limits)?;
    let root = into_store(store, |sink| {
        if bundle.has("index.json") {
            import_oci(&bundle, limits, sink)
        } else if bundle.has("manifest.json") {
            import_saved(&bundle, limits, sink)
        } else {
            Err(Error::image("it is neither an OCI layout nor an archive of `docker save`"))
        }
    })?;
    Image::inspect(store, &root.cid)
}

fn import_oci(bundle: &Bundle, limits: &ImageLimits, sink: &mut dyn Sink) -> Result<Added> {
    oci::check_layout(&bundle.read("oci-layout")?)?;
    let index: Index = oci::parse("index.json", &bundle.read("index.json")?)?;
    let manifest = choose_manifest(bundle, &index, true)?;
    manifest.check()?;
    let config = read_blob(bundle, &manifest.config)?;
    let parsed = Config::parse(&config)?;
    let diff_ids = parsed.diff_ids(manifest.layers.len())?;
    let mut reading = Reading::new(bundle, limits)?;
    for (described, diff_id) in manifest.layers.iter().zip(&diff_ids) {
        let source = (described.blob_path()?, described.layer_compression()?, Some(described));
        reading.layer(source, diff_id, sink)?;
    }
    compose(&config, &reading.done, sink)
}

fn import_saved(bundle: &Bundle, limits: &ImageLimits, sink: &mut dyn Sink) -> Result<Added> {
    let saved: Vec<Saved> = oci::parse("manifest.json", &bundle.read("manifest.json")?)?;
    let [saved] = saved.as_slice() else {
        return Err(Error::image(format!("it holds {} images; save one at a time", saved.len())));
    };
    let config = bundle.read(&saved.config)?;
    let diff_ids = Config::parse(&config)?.diff_ids(saved.layers.len())?;
    let mut reading = Reading::new(bundle, limits)?;
    for (name, diff_id) in saved.layers.iter().zip(&diff_ids) {
        reading.layer((name.clone(), compression_of(bundle, name)?, None), diff_id, sink)?;
    }
    compose(&config, &reading.done, sink)
}

fn compression_of(bundle: &Bundle, name: &str) -> Result<Compression> {
    let (mut reader, _) = bundle.member(name)?.ok_or_else(|| Error::image(format!("it has no {name}")))?;
    let mut magic = [0; 4];
    let is_long_enough = reader.read_exact(&mut magic).is_ok();
    Ok(if is_long_enough { Compression::of(&magic) } else { Compression::None })
}

fn read_blob(bundle: &Bundle, described: &Descriptor) -> Result<Vec<u8>> {
    let bytes = bundle.read(&described.blob_path()?)?;
    expect_digest("blob", &described.digest, &sha256(&bytes))?;
    if bytes.len() as u64 != described.size {
        return Err(Error::image(format!("blob {} has another size than it should", described.digest)));
    }
    Ok(bytes)
}

/// The one image of an index, or the one for this machine where it has several.
fn choose_manifest(bundle: &Bundle, index: &Index, may_nest: bool) -> Result<Manifest> {
    // Attestations stand beside the images that they speak of, for an unknown platform.
    let is_image =
        |described: &&Descriptor| described.platform.as_ref().is_none_or(|platform| platform.os != "unknown");
    let images: Vec<_> = index.manifests.iter().filter(is_image).collect();
    let here = Platform { architecture: host_architecture().to_owned(), os: "linux".to_owned() };
    let chosen = match images.as_slice() {
        [only] => *only,
        several => {
            let mut fitting = several.iter().filter(|described| described.platform.as_ref() == Some(&here));
            match (fitting.next(), fitting.next()) {
                (Some(only), None) => *only,
                _ => {
                    return Err(Error::image(format!(
                        "it holds {} images and not just one for this machine",
                        several.len()
                    )));
                }
            }
        }
    };
    let bytes = read_blob(bundle, chosen)?;
    if chosen.is_index() && may_nest {
        return choose_manifest(bundle, &oci::parse("index", &bytes)?, false);
    }
    if !chosen.is_manifest() {
        return Err(Error::image(format!("its index names a {:?}", chosen.media_type)));
    }
    oci::parse("manifest", &bytes)
}

/// This machine's processor in Go's names, which images use.
pub(super) fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// The layers of one archive, each read once.
struct Reading<'a> {
    bundle: &'a Bundle,
    limits: &'a ImageLimits,
    budget: Budget,
    by_diff_id: HashMap<String, StoredLayer>,
    done: Vec<StoredLayer>,
}

impl<'a> Reading<'a> {
    fn new(bundle: &'a Bundle, limits: &'a ImageLimits) -> Result<Self> {
        Ok(Self { bundle, limits, budget: Budget::new(limits), by_diff_id: HashMap::new(), done: Vec::new() })
    }

    fn layer(
        &mut self,
        source: (String, Compression, Option<&Descriptor>),
        diff_id: &str,
        sink: &mut dyn Sink,
    ) -> Result<()> {
        if self.done.len() >= self.limits.layers_max {
            return Err(Error::TooLarge { what: "the number of layers", limit: self.limits.layers_max as u64 });
        }
        let (name, compression, described) = source;
        let stored = match self.by_diff_id.get(diff_id) {
            Some(stored) => *stored,
            None => {
                let (reader, size) =
                    self.bundle.member(&name)?.ok_or_else(|| Error::image(format!("it has no {name}")))?;
                let read = layer::read(reader, size, compression, &mut self.budget, Some(sink), &mut ())?;
                if let Some(described) = described {
                    expect_digest("layer", &described.digest, &read.blob)?;
                }
                expect_digest("uncompressed layer", diff_id, &read.tar)?;
                let file = read.added.ok_or(Error::Interrupted)?;
                StoredLayer { diff_id: read.tar, bytes: read.bytes, file }
            }
        };
        self.by_diff_id.insert(diff_id.to_owned(), stored);
        self.done.push(stored);
        Ok(())
    }
}

/// Puts the OCI layout of an image together from its configuration and its layers, of which it follows.
pub(super) fn compose(config: &[u8], layers: &[StoredLayer], sink: &mut dyn Sink) -> Result<Added> {
    let parsed = Config::parse(config)?;
    let config_digest = oci_digest(&sha256(config));
    let described = |layer: &StoredLayer| Descriptor::new(LAYER_TYPE, oci_digest(&layer.diff_id), layer.bytes);
    let manifest = Manifest {
        schema_version: 2,
        media_type: MANIFEST_TYPE.to_owned(),
        config: Descriptor::new(CONFIG_TYPE, config_digest.clone(), config.len() as u64),
        layers: layers.iter().map(described).collect(),
    };
    let manifest = oci::write(&manifest)?;
    let manifest_digest = oci_digest(&sha256(&manifest));
    let mut described = Descriptor::new(MANIFEST_TYPE, manifest_digest.clone(), manifest.len() as u64);
    described.platform = Some(Platform { architecture: parsed.architecture, os: parsed.os });
    let index = Index { schema_version: 2, media_type: INDEX_TYPE.to_owned(), manifests: vec![described] };

    let mut blobs = std::collections::BTreeMap::new();
    for (digest, bytes) in [(&config_digest, config), (&manifest_digest, manifest.as_slice())] {
        blobs.insert(digest_hex(digest)?.to_owned(), document(bytes, sink)?);
    }
    for layer in layers {
        blobs.insert(crate::block::hex(&layer.diff_id), layer.file);
    }
    let mut sha256_folder = DirectoryBuilder::default();
    for (name, file) in &blobs {
        sha256_folder.add(name, file)?;
    }
    let mut blobs_folder = DirectoryBuilder::default();
    blobs_folder.add("sha256", &sha256_folder.finish(sink)?)?;
    let mut root = DirectoryBuilder::default();
    root.add("blobs", &blobs_folder.finish(sink)?)?;
    root.add("index.json", &document(&oci::write(&index)?, sink)?)?;
    root.add("oci-layout", &document(LAYOUT.as_bytes(), sink)?)?;
    root.finish(sink)
}

fn document(bytes: &[u8], sink: &mut dyn Sink) -> Result<Added> {
    add_reader(bytes, ImportConfig::CHUNK_1_MIB, sink)
}
