//! The JSON documents of an OCI image, as far as they are used, and what of them is allowed.
//!
//! Format: <https://github.com/opencontainers/image-spec>.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Longest manifest, index or configuration: the limit that registries set.
pub const JSON_BYTES_MAX: u64 = 4 << 20;

pub(super) const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
pub(super) const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
pub(super) const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
pub(super) const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
const GZIP_LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
const ZSTD_LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar+zstd";
const DOCKER_INDEX_TYPE: &str = "application/vnd.docker.distribution.manifest.list.v2+json";
const DOCKER_MANIFEST_TYPE: &str = "application/vnd.docker.distribution.manifest.v2+json";
const DOCKER_CONFIG_TYPE: &str = "application/vnd.docker.container.image.v1+json";

/// What `oci-layout` says.
pub(super) const LAYOUT: &str = r#"{"imageLayoutVersion":"1.0.0"}"#;

/// Whether a tar is stored as it is or compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Compression {
    None,
    Gzip,
    Zstd,
}

impl Compression {
    /// The type of a layer that is stored so.
    pub(super) fn media_type(self) -> &'static str {
        match self {
            Compression::None => LAYER_TYPE,
            Compression::Gzip => GZIP_LAYER_TYPE,
            Compression::Zstd => ZSTD_LAYER_TYPE,
        }
    }

    /// Told by the first bytes, where nothing names it.
    pub(super) fn of(magic: &[u8]) -> Self {
        match magic {
            [0x1f, 0x8b, ..] => Compression::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Compression::Zstd,
            _ => Compression::None,
        }
    }
}

/// Points at a blob.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Descriptor {
    #[serde(rename = "mediaType", default)]
    pub(super) media_type: String,
    pub(super) digest: String,
    pub(super) size: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) urls: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) platform: Option<Platform>,
}

/// What an image runs on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Platform {
    pub(super) architecture: String,
    pub(super) os: String,
}

/// `index.json`, or an index of several platforms.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Index {
    #[serde(rename = "schemaVersion")]
    pub(super) schema_version: u32,
    #[serde(rename = "mediaType", default)]
    pub(super) media_type: String,
    pub(super) manifests: Vec<Descriptor>,
}

/// An image manifest.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Manifest {
    #[serde(rename = "schemaVersion")]
    pub(super) schema_version: u32,
    #[serde(rename = "mediaType", default)]
    pub(super) media_type: String,
    pub(super) config: Descriptor,
    pub(super) layers: Vec<Descriptor>,
}

/// An image configuration.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct Config {
    #[serde(default)]
    pub(super) architecture: String,
    #[serde(default)]
    pub(super) os: String,
    rootfs: RootFs,
}

#[derive(Clone, Debug, Deserialize)]
struct RootFs {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    diff_ids: Vec<String>,
}

/// One image within the `manifest.json` of `docker save`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    #[serde(rename = "Config")]
    pub(super) config: String,
    #[serde(rename = "RepoTags", default)]
    pub(super) repo_tags: Option<Vec<String>>,
    #[serde(rename = "Layers")]
    pub(super) layers: Vec<String>,
}

/// Reads a document.
pub(super) fn parse<T: serde::de::DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T> {
    if bytes.len() as u64 > JSON_BYTES_MAX {
        return Err(Error::TooLarge { what: "a document of an image", limit: JSON_BYTES_MAX });
    }
    serde_json::from_slice(bytes).map_err(|error| Error::image(format!("{what}: {error}")))
}

/// Writes a document; these types have no keys that JSON cannot hold.
pub(super) fn write(document: &impl Serialize) -> Result<Vec<u8>> {
    serde_json::to_vec(document).map_err(|error| Error::image(error.to_string()))
}

/// Checks the marker file.
pub(super) fn check_layout(bytes: &[u8]) -> Result<()> {
    let layout: serde_json::Value = parse("oci-layout", bytes)?;
    match layout.get("imageLayoutVersion").and_then(|version| version.as_str()) {
        Some(version) if version.starts_with("1.") => Ok(()),
        _ => Err(Error::image("oci-layout is not of version 1")),
    }
}

/// The hexadecimal part of a digest, checked: it becomes a file name.
pub(super) fn digest_hex(digest: &str) -> Result<&str> {
    let hex = digest.strip_prefix("sha256:");
    let hex = hex.filter(|hex| {
        hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
    });
    hex.ok_or_else(|| Error::image(format!("{digest:?} is not a sha256 digest")))
}

impl Descriptor {
    pub(super) fn new(media_type: &str, digest: String, size: u64) -> Self {
        Self { media_type: media_type.to_owned(), digest, size, urls: Vec::new(), platform: None }
    }

    /// Where the blob lies within the layout.
    pub(super) fn blob_path(&self) -> Result<String> {
        Ok(format!("blobs/sha256/{}", digest_hex(&self.digest)?))
    }

    pub(super) fn is_index(&self) -> bool {
        self.media_type == INDEX_TYPE || self.media_type == DOCKER_INDEX_TYPE
    }

    pub(super) fn is_manifest(&self) -> bool {
        self.media_type == MANIFEST_TYPE || self.media_type == DOCKER_MANIFEST_TYPE
    }

    /// How a layer is stored; only types on this list are taken, and none that lies elsewhere.
    pub(super) fn layer_compression(&self) -> Result<Compression> {
        if !self.urls.is_empty() {
            return Err(Error::image(format!("layer {} is to be fetched from somewhere else", self.digest)));
        }
        match self.media_type.as_str() {
            LAYER_TYPE | "application/vnd.docker.image.rootfs.diff.tar" => Ok(Compression::None),
            GZIP_LAYER_TYPE | "application/vnd.docker.image.rootfs.diff.tar.gzip" => Ok(Compression::Gzip),
            ZSTD_LAYER_TYPE | "application/vnd.docker.image.rootfs.diff.tar.zstd" => Ok(Compression::Zstd),
            other => Err(Error::image(format!(
                "layers of type {other:?} are not taken; save the image with tar, gzip or zstd layers"
            ))),
        }
    }
}

impl Manifest {
    /// Checks versions and types; layers are checked one by one.
    pub(super) fn check(&self) -> Result<()> {
        if self.schema_version != 2 {
            return Err(Error::image(format!("its manifest has version {} instead of 2", self.schema_version)));
        }
        if ![MANIFEST_TYPE, DOCKER_MANIFEST_TYPE, ""].contains(&self.media_type.as_str()) {
            return Err(Error::image(format!("its manifest is of type {:?}", self.media_type)));
        }
        if ![CONFIG_TYPE, DOCKER_CONFIG_TYPE].contains(&self.config.media_type.as_str()) {
            return Err(Error::image(format!("its configuration is of type {:?}", self.config.media_type)));
        }
        if !self.config.urls.is_empty() {
            return Err(Error::image("its configuration is to be fetched from somewhere else"));
        }
        Ok(())
    }
}

impl Config {
    /// Reads a configuration.
    pub(super) fn parse(bytes: &[u8]) -> Result<Config> {
        let config: Config = parse("configuration", bytes)?;
        if config.os != "linux" {
            return Err(Error::image(format!("it is made for {:?}, not for linux", config.os)));
        }
        Ok(config)
    }

    /// Digests of the uncompressed layers, of which there must be `count`.
    pub(super) fn diff_ids(&self, count: usize) -> Result<Vec<String>> {
        if self.rootfs.kind != "layers" || self.rootfs.diff_ids.len() != count {
            return Err(Error::image(format!(
                "its configuration lists {} layers, not {count}",
                self.rootfs.diff_ids.len()
            )));
        }
        for diff_id in &self.rootfs.diff_ids {
            digest_hex(diff_id)?;
        }
        Ok(self.rootfs.diff_ids.clone())
    }
}
