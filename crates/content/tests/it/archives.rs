//! Image archives made by hand, each entry as odd as a test wants it.

use std::io::Write;

use content::image::{Image, import_image};
use content::{ImageLimits, hex, sha256};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use tar::{EntryType, Header};

use crate::fixture::{Keystream, Store};

/// An entry with exactly these bytes in its header, however odd.
pub(crate) fn entry(kind: EntryType, path: &str, link: &str, data: &[u8]) -> Vec<u8> {
    let mut header = Header::new_gnu();
    header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
    header.as_mut_bytes()[157..157 + link.len()].copy_from_slice(link.as_bytes());
    header.set_entry_type(kind);
    header.set_size(data.len() as u64);
    header.set_mode(0o755);
    header.set_mtime(1_700_000_000);
    header.set_uid(0);
    header.set_gid(0);
    header.set_cksum();
    let mut out = header.as_bytes().to_vec();
    out.extend_from_slice(data);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

pub(crate) fn file(path: &str, data: &[u8]) -> Vec<u8> {
    entry(EntryType::Regular, path, "", data)
}

pub(crate) fn tar(entries: &[Vec<u8>]) -> Vec<u8> {
    let mut out = entries.concat();
    out.extend_from_slice(&[0; 1024]);
    out
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = GzEncoder::new(Vec::new(), Compression::default());
    out.write_all(bytes).unwrap();
    out.finish().unwrap()
}

/// Each in two frames with a skippable one between them, as tools write that compress in pieces.
pub(crate) fn zstd_of(layers: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let skippable = [0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
    let halves = |layer: &Vec<u8>| {
        let (first, second) = layer.split_at(layer.len() / 2);
        [zstd::encode_all(first, 3).unwrap(), skippable.to_vec(), zstd::encode_all(second, 3).unwrap()].concat()
    };
    layers.iter().map(halves).collect()
}

pub(crate) fn digest(bytes: &[u8]) -> String {
    format!("sha256:{}", hex(&sha256(bytes)))
}

pub(crate) fn config(layers: &[Vec<u8>]) -> Vec<u8> {
    let diff_ids: Vec<_> = layers.iter().map(|layer| digest(layer)).collect();
    json!({ "architecture": "amd64", "os": "linux", "config": { "Cmd": ["/hello"] }, "rootfs": { "type": "layers", "diff_ids": diff_ids } })
        .to_string()
        .into_bytes()
}

/// What Docker 20.10 writes: a folder per layer, and a link where a layer occurs twice.
pub(crate) fn legacy(layers: &[Vec<u8>]) -> Vec<u8> {
    legacy_of(layers, layers)
}

/// The same with these blobs as layers.
pub(crate) fn legacy_of(layers: &[Vec<u8>], blobs: &[Vec<u8>]) -> Vec<u8> {
    let config = config(layers);
    let config_name = format!("{}.json", hex(&sha256(&config)));
    let mut members = vec![file(&config_name, &config)];
    let mut names: Vec<String> = Vec::new();
    for (number, layer) in blobs.iter().enumerate() {
        let name = format!("layer{number}/layer.tar");
        match blobs[..number].iter().position(|earlier| earlier == layer) {
            Some(first) => members.push(entry(EntryType::Symlink, &name, &format!("../layer{first}/layer.tar"), b"")),
            None => members.push(file(&name, layer)),
        }
        names.push(name);
    }
    let manifest = json!([{ "Config": config_name, "RepoTags": ["hello:latest"], "Layers": names }]).to_string();
    members.push(file("manifest.json", manifest.as_bytes()));
    tar(&members)
}

/// An OCI layout with these blobs as layers.
pub(crate) fn oci(layers: &[Vec<u8>], blobs: &[Vec<u8>], media_type: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let config = config(layers);
    let described =
        |kind: &str, bytes: &[u8]| json!({ "mediaType": kind, "digest": digest(bytes), "size": bytes.len() });
    let layers: Vec<_> = blobs.iter().map(|blob| described(media_type, blob)).collect();
    let mut manifest = json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": described("application/vnd.oci.image.config.v1+json", &config),
        "layers": layers,
        "annotations": { "note": "not part of the image" },
    });
    change(&mut manifest);
    let manifest = manifest.to_string().into_bytes();
    let index = json!({ "schemaVersion": 2, "manifests": [described("application/vnd.oci.image.manifest.v1+json", &manifest)] });
    let mut members = vec![
        file("oci-layout", br#"{"imageLayoutVersion":"1.0.0"}"#),
        file("index.json", index.to_string().as_bytes()),
    ];
    for blob in blobs.iter().chain([&config, &manifest]) {
        members.push(file(&format!("blobs/sha256/{}", hex(&sha256(blob))), blob));
    }
    tar(&members)
}

pub(crate) const PLAIN: &str = "application/vnd.oci.image.layer.v1.tar";
pub(crate) const GZIPPED: &str = "application/vnd.oci.image.layer.v1.tar+gzip";
pub(crate) const ZSTD: &str = "application/vnd.oci.image.layer.v1.tar+zstd";

pub(crate) fn layers() -> Vec<Vec<u8>> {
    let first =
        tar(&[entry(EntryType::Directory, "etc/", "", b""), file("etc/a", &Keystream::bytes("layer", 1_500_000))]);
    let second = tar(&[
        file("hello", b"#!/bin/sh\n"),
        entry(EntryType::Symlink, "etc/mtab", "/proc/self/mounts", b""),
        entry(EntryType::Link, "hello2", "hello", b""),
        file("etc/.wh.a", b""),
        file("etc/.wh..wh..opq", b""),
    ]);
    vec![first.clone(), second, first]
}

pub(crate) fn import(store: &Store, archive: &[u8]) -> content::Result<Image> {
    import_with(store, archive, &ImageLimits::default())
}

pub(crate) fn import_with(store: &Store, archive: &[u8], limits: &ImageLimits) -> content::Result<Image> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), archive).unwrap();
    import_image(store, file.path(), limits)
}
