//! Images: in from every layout, out to Docker, and nothing in them that reaches out.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use content::image::{
    Image, ImageConfig, ImageFile, LayerSource, build_image, docker_archive, image_from_root_fs, import_image,
};
use content::{Cid, Error, ExportLimits, ImageLimits, export, total_size};
use futures_util::StreamExt;
use serde_json::{Value, json};
use tar::EntryType;

use crate::archives::{
    GZIPPED, PLAIN, ZSTD, config, digest, entry, file, gzip, import, import_with, layers, legacy, legacy_of, oci, tar,
    zstd_of,
};
use crate::fixture::{Keystream, Store, skip, store};

#[test]
fn the_same_image_has_one_cid_whatever_wrote_it() {
    let layers = layers();
    let store = store();
    let image = import(&store, &legacy(&layers)).unwrap();
    assert_eq!(image.layers.len(), 3);
    assert_eq!(image.config_digest, digest(&config(&layers)));
    assert_eq!(image.size, layers.iter().map(|layer| layer.len() as u64).sum::<u64>());
    assert_eq!(image.layers[0].digest, image.layers[0].diff_id);
    let size = total_size(&store, &image.root).unwrap();
    assert!(size.bytes < 1_600_000, "the layer that occurs twice is stored once");
    let gzipped: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    let others = [
        legacy(&layers),
        gzip(&legacy(&layers)),
        oci(&layers, &layers, PLAIN, |_| {}),
        oci(&layers, &gzipped, GZIPPED, |_| {}),
        oci(&layers, &zstd_of(&layers), ZSTD, |_| {}),
        legacy_of(&layers, &zstd_of(&layers)),
        zstd::encode_all(legacy(&layers).as_slice(), 3).unwrap(),
    ];
    for (number, archive) in others.iter().enumerate() {
        assert_eq!(import(&store, archive).unwrap(), image, "archive {number}");
    }
    assert_eq!(Image::verify(&store, &image.root, &ImageLimits::default()).unwrap(), image);
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("layout");
    export(&store, &image.root, &folder, &ExportLimits::default()).unwrap();
    assert_eq!(import_image(&store, &folder, &ImageLimits::default()).unwrap(), image, "an OCI layout as a folder");
}

async fn archive_of(store: &Store, root: Cid, tag: Option<&str>) -> content::Result<Vec<u8>> {
    let mut pieces = Box::pin(docker_archive(store.store.clone(), root, tag.map(str::to_owned)));
    let mut out = Vec::new();
    while let Some(piece) = pieces.next().await {
        out.extend_from_slice(&piece?);
    }
    Ok(out)
}

#[tokio::test]
async fn what_goes_to_docker_comes_back_the_same() {
    let from = store();
    let image = import(&from, &legacy(&layers())).unwrap();
    let archive = archive_of(&from, image.root, None).await.unwrap();
    assert_eq!(import(&store(), &archive).unwrap(), image);
    let mut names: Vec<_> = Vec::new();
    let mut manifest: Value = Value::Null;
    for member in tar::Archive::new(archive.as_slice()).entries().unwrap() {
        let mut member = member.unwrap();
        names.push(member.path().unwrap().display().to_string());
        if names.last().unwrap() == "manifest.json" {
            manifest = serde_json::from_reader(&mut member).unwrap();
        }
    }
    assert!(
        ["oci-layout", "index.json", "manifest.json"].iter().all(|name| names.contains(&(*name).to_owned())),
        "{names:?}"
    );
    assert_eq!(manifest[0]["Layers"].as_array().unwrap().len(), 3);
}

fn refused_layer(what: &str, entries: &[Vec<u8>]) {
    let layers = vec![tar(entries)];
    let refused = import(&store(), &legacy(&layers));
    assert!(
        matches!(refused, Err(Error::UnsafePath { .. } | Error::BadImage { .. } | Error::TooLarge { .. })),
        "{what}: {refused:?}"
    );
}

#[test]
fn layers_that_reach_out_are_refused() {
    let long = |path: &str| entry(EntryType::GNULongName, "././@LongLink", "", path.as_bytes());
    let pax =
        |record: &str| entry(EntryType::XHeader, "pax", "", format!("{} {record}\n", record.len() + 4).as_bytes());
    refused_layer("goes up", &[file("../x", b"")]);
    refused_layer("goes up within", &[file("a/../../x", b"")]);
    refused_layer("goes up by a long name", &[long("a/../../x"), file("harmless", b"")]);
    refused_layer("goes up by an extended header", &[pax("path=../x0"), file("harmless", b"")]);
    refused_layer("two sizes", &[pax("size=99990"), file("harmless", b"12345")]);
    refused_layer(
        "writes through a link",
        &[entry(EntryType::Symlink, "out", "/etc", b""), file("out/passwd", b"root::0:0")],
    );
    refused_layer("writes deep through a link", &[entry(EntryType::Symlink, "./a", "b", b""), file("a/b/c", b"")]);
    refused_layer("a link that climbs out", &[entry(EntryType::Symlink, "a/out", "../../etc", b"")]);
    refused_layer("a hard link that climbs out", &[entry(EntryType::Link, "shadow", "../../etc/shadow", b"")]);
    refused_layer("an absolute hard link", &[entry(EntryType::Link, "shadow", "/etc/shadow", b"")]);
    refused_layer(
        "a hard link through a link",
        &[entry(EntryType::Symlink, "o", "/etc", b""), entry(EntryType::Link, "s", "o/shadow", b"")],
    );
    refused_layer("a disk", &[entry(EntryType::Block, "dev/sda", "", b"")]);
    refused_layer("a character device", &[entry(EntryType::Char, "dev/mem", "", b"")]);
    refused_layer("removes its parent", &[file("a/.wh...", b"")]);
    refused_layer("sparse", &[entry(EntryType::GNUSparse, "sparse", "", b"")]);
    refused_layer("an endless extended header", &[entry(EntryType::XHeader, "x", "", &vec![b' '; (1 << 20) + 1])]);
    refused_layer("not a tar", &[vec![7; 5120]]);
    refused_layer("cut off", &[file("a", &[1; 600])[..700].to_vec()]);
}

#[test]
fn images_that_are_not_what_they_say_are_refused() {
    let layers = layers();
    let check = |what: &str, archive: &[u8]| {
        let refused = import(&store(), archive);
        assert!(matches!(refused, Err(Error::BadImage { .. } | Error::UnsafePath { .. })), "{what}: {refused:?}");
    };
    let change = |what: &str, change: &dyn Fn(&mut Value)| check(what, &oci(&layers, &layers, PLAIN, change));
    change("a foreign layer", &|manifest| {
        manifest["layers"][0]["mediaType"] = json!("application/vnd.docker.image.rootfs.foreign.diff.tar.gzip");
    });
    change("an unknown layer", &|manifest| manifest["layers"][0]["mediaType"] = json!("application/x-shockwave-flash"));
    change("a layer elsewhere", &|manifest| manifest["layers"][0]["urls"] = json!(["http://example.org/layer"]));
    change("too few layers", &|manifest| drop(manifest["layers"].as_array_mut().unwrap().pop()));
    change("layers swapped", &|manifest| manifest["layers"].as_array_mut().unwrap().swap(0, 1));
    change("a path as digest", &|manifest| manifest["config"]["digest"] = json!("sha256:../../../etc/passwd"));
    change("a wrong size", &|manifest| manifest["config"]["size"] = json!(1));
    change("an odd version", &|manifest| manifest["schemaVersion"] = json!(1));
    let mut tampered = legacy(&layers);
    let middle = tampered.len() / 3;
    tampered[middle] ^= 1;
    check("a flipped bit", &tampered);
    check("an empty archive", &tar(&[]));
    check("a member that leads out", &tar(&[file("../manifest.json", b"[]")]));
    let two = json!([{ "Config": "a", "Layers": [] }, { "Config": "b", "Layers": [] }]).to_string();
    check("two images", &tar(&[file("manifest.json", two.as_bytes())]));
}

#[test]
fn bombs_are_refused() {
    let zeros = vec![tar(&[file("zeros", &vec![0; 30 << 20])])];
    let bomb: Vec<_> = zeros.iter().map(|layer| gzip(layer)).collect();
    let refused = import(&store(), &oci(&zeros, &bomb, GZIPPED, |_| {}));
    assert!(matches!(refused, Err(Error::TooLarge { limit: 200, .. })), "{refused:?}");
    let refused = import(&store(), &oci(&zeros, &zstd_of(&zeros), ZSTD, |_| {}));
    assert!(matches!(refused, Err(Error::TooLarge { limit: 200, .. })), "{refused:?}");
    let refused = import(&store(), &zstd::encode_all(tar(&[file("zeros", &vec![0; 30 << 20])]).as_slice(), 3).unwrap());
    assert!(matches!(refused, Err(Error::TooLarge { limit: 200, .. })), "{refused:?}");
    let layers = layers();
    let small = |change: &dyn Fn(&mut ImageLimits)| {
        let mut limits = ImageLimits::default();
        change(&mut limits);
        let refused = import_with(&store(), &legacy(&layers), &limits);
        assert!(matches!(refused, Err(Error::TooLarge { .. })), "{limits:?}: {refused:?}");
    };
    small(&|limits| limits.bytes_max = 1_000_000);
    small(&|limits| limits.entries_max = 4);
    small(&|limits| limits.layers_max = 2);
}

#[test]
fn zstd_may_not_ask_for_more_memory_than_a_window() {
    let layers = vec![tar(&[file("a", &Keystream::bytes("window", 5_000_000))])];
    for (window_log, expected) in [(27, true), (28, false)] {
        let mut out = zstd::Encoder::new(Vec::new(), 1).unwrap();
        out.window_log(window_log).unwrap();
        out.write_all(&layers[0]).unwrap();
        let found = import(&store(), &oci(&layers, &[out.finish().unwrap()], ZSTD, |_| {}));
        assert_eq!(found.is_ok(), expected, "2^{window_log}: {found:?}");
    }
    let cut = zstd_of(&layers)[0][..2_000_000].to_vec();
    let refused = import(&store(), &oci(&layers, &[cut], ZSTD, |_| {}));
    assert!(matches!(refused, Err(Error::BadImage { .. })), "{refused:?}");
}

#[test]
fn a_stored_image_is_verified_before_it_is_used() {
    let store = store();
    let image = import(&store, &legacy(&layers())).unwrap();
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("layout");
    export(&store, &image.root, &folder, &ExportLimits::default()).unwrap();
    let blob = folder.join("blobs/sha256").join(&image.layers[1].digest["sha256:".len()..]);
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[600] ^= 1;
    std::fs::write(&blob, bytes).unwrap();
    let forged = content::add_tree(&store, &folder, &content::ImportConfig::default()).unwrap().cid;
    assert!(Image::inspect(&store, &forged).is_ok(), "inspecting does not read layers");
    assert!(matches!(Image::verify(&store, &forged, &ImageLimits::default()), Err(Error::BadImage { .. })));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    assert!(runtime.block_on(archive_of(&store, forged, None)).is_err(), "and it is not handed to Docker");
}

fn root_fs(dir: &Path) -> PathBuf {
    let path = dir.join("rootfs.tar");
    let entries = [
        entry(EntryType::Directory, "./", "", b""),
        entry(EntryType::Symlink, "./bin", "usr/bin", b""),
        entry(EntryType::Directory, "./usr/", "", b""),
        entry(EntryType::Directory, "./usr/bin/", "", b""),
        file("./usr/bin/busybox", b"not really"),
        entry(EntryType::Link, "./usr/bin/ash", "./usr/bin/busybox", b""),
    ];
    std::fs::write(&path, tar(&entries)).unwrap();
    path
}

#[test]
fn built_images_depend_on_nothing_but_their_files() {
    let store = store();
    let dir = tempfile::tempdir().unwrap();
    let limits = ImageLimits::default();
    let settings =
        ImageConfig { entrypoint: vec!["/app/run".to_owned()], env: vec!["A=b".to_owned()], ..ImageConfig::default() };
    let binary = dir.path().join("binary");
    std::fs::write(&binary, "#!/bin/true").unwrap();
    let build = || {
        let files = vec![ImageFile { source: binary.clone(), path: "app/run".to_owned(), mode: 0o755 }];
        let folder = LayerSource::Folder(dir.path().join("folder"));
        build_image(
            &store,
            &[folder, LayerSource::Files(files), LayerSource::RootFs(root_fs(dir.path()))],
            &settings,
            &limits,
        )
        .unwrap()
    };
    crate::fixture::plant(
        &dir.path().join("folder"),
        &[("b", b"b"), (&format!("{}/long", "a".repeat(150)), b"long"), ("empty/", b"")],
    );
    let first = build();
    let touched = std::fs::File::open(&binary).unwrap();
    touched.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    assert_eq!(build(), first);
    assert_eq!(first.layers.len(), 3);
    std::fs::write(&binary, "#!/bin/false").unwrap();
    assert_ne!(build().root, first.root);
    let alone = image_from_root_fs(&store, &root_fs(dir.path()), &settings, &limits).unwrap();
    assert_eq!(alone.layers[0].digest, first.layers[2].digest);
    let up = ImageFile { source: binary, path: "../out".to_owned(), mode: 0o755 };
    assert!(build_image(&store, &[LayerSource::Files(vec![up])], &settings, &limits).is_err());
}

#[tokio::test]
async fn docker_loads_what_we_hand_it() {
    let is_up = Command::new("docker").arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !is_up.is_ok_and(|status| status.success()) {
        skip("docker load: no Docker daemon answers");
        return;
    }
    let store = store();
    let dir = tempfile::tempdir().unwrap();
    let settings =
        ImageConfig { labels: [("made-by".to_owned(), "a test".to_owned())].into(), ..ImageConfig::default() };
    let image = image_from_root_fs(&store, &root_fs(dir.path()), &settings, &ImageLimits::default()).unwrap();
    let tag = "bourse-content-test:latest";
    let archive = archive_of(&store, image.root, Some(tag)).await.unwrap();
    let docker = |arguments: &[&str], input: &[u8]| {
        let mut child =
            Command::new("docker").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        let out = child.wait_with_output().unwrap();
        assert!(out.status.success(), "docker {arguments:?}");
        out.stdout
    };
    docker(&["load"], &archive);
    let id = docker(&["image", "inspect", "--format", "{{.Id}}", tag], b"");
    let id = String::from_utf8(id).unwrap();
    assert!([&image.config_digest, &image.manifest_digest].iter().any(|digest| id.trim() == digest.as_str()), "{id}");
    let saved = docker(&["save", tag], b"");
    assert_eq!(import(&store, &saved).unwrap().config_digest, image.config_digest, "and saves it again");
    docker(&["image", "rm", tag], b"");
}
