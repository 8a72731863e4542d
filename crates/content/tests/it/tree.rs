//! Trees in and out: what is kept, what is refused, and ranges of files.

use std::collections::BTreeMap;
use std::os::unix::fs::symlink;
use std::path::Path;

use bytes::Bytes;
use content::{
    Added, Block, BlockStore, Cid, DAG_PB, Error, ExportLimits, Exported, ImportConfig, Kind, Link, Node, OutsideLinks,
    RAW, add_bytes, add_file, add_tree, export, hash_file, hash_tree, list_directory, missing, read_file, resolve,
    stat, total_size,
};
use proptest::prelude::*;

use crate::fixture::{Keystream, plant, store};

fn small_chunks() -> ImportConfig {
    ImportConfig { chunk_bytes: 1000, ..ImportConfig::default() }
}

/// Everything in a folder: paths with their content, or the target of a link.
fn snapshot(dir: &Path) -> BTreeMap<String, String> {
    let mut out = BTreeMap::new();
    let mut waiting = vec![dir.to_owned()];
    while let Some(folder) = waiting.pop() {
        for entry in std::fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(dir).unwrap().display().to_string();
            let metadata = path.symlink_metadata().unwrap();
            let what = if metadata.is_symlink() {
                format!("-> {}", path.read_link().unwrap().display())
            } else if metadata.is_dir() {
                waiting.push(path);
                "folder".to_owned()
            } else {
                content::hex(&content::sha256(&std::fs::read(path).unwrap()))
            };
            out.insert(name, what);
        }
    }
    out
}

#[test]
fn a_tree_comes_back_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    plant(
        &from,
        &[
            ("a", b"one"),
            ("b/c", &Keystream::bytes("x", 5000)),
            ("b/empty/", b""),
            (".hidden", b"h"),
            ("ü/文", b"u"),
            ("zero", b""),
        ],
    );
    symlink("b/c", from.join("link")).unwrap();
    symlink("nowhere", from.join("b/dangling")).unwrap();
    let store = store();
    let added = add_tree(&store, &from, &small_chunks()).unwrap();
    assert_eq!(added.size, 5005);
    assert_eq!(hash_tree(&from, &small_chunks()).unwrap(), added, "hashing only gives the same");
    let done = export(&store, &added.cid, &to, &ExportLimits::default()).unwrap();
    assert_eq!(done, Exported { files: 5, directories: 4, symlinks: 2, symlinks_skipped: 0, bytes: 5005 });
    assert_eq!(snapshot(&from), snapshot(&to));
    let plain = hash_tree(&from, &ImportConfig { include_hidden: false, ..small_chunks() }).unwrap();
    assert_eq!(plain.size, 5004, "hidden files stay away when asked");
    let size = total_size(&store, &added.cid).unwrap();
    assert!(size.bytes <= added.dag_size && size.blocks > 10);
}

#[test]
fn a_sharded_directory_is_read_as_any_other() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("from"), dir.path().join("to"));
    std::fs::create_dir(&from).unwrap();
    for number in 0..5000 {
        std::fs::write(from.join(format!("a rather long name so that it takes up room {number}")), number.to_string())
            .unwrap();
    }
    let store = store();
    let added = add_tree(&store, &from, &ImportConfig::default()).unwrap();
    assert!(store.block_len(&added.cid).unwrap() < 100_000, "its root is a shard");
    let mut names = 0;
    list_directory(&store, &added.cid, |_| {
        names += 1;
        Ok(())
    })
    .unwrap();
    assert_eq!(names, 5000);
    let found = resolve(&store, &added.cid, "a rather long name so that it takes up room 4711").unwrap();
    assert_eq!(store.get(&found).unwrap().unwrap(), "4711");
    let none = resolve(&store, &added.cid, "no such name");
    assert!(matches!(none, Err(Error::NoSuchPath { .. })), "{none:?}");
    export(&store, &added.cid, &to, &ExportLimits::default()).unwrap();
    assert_eq!(snapshot(&from), snapshot(&to));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_range_of_a_file_is_its_bytes(length in 0u64..20_000, chunk in 1usize..3000, from in 0u64..21_000, size in 0u64..21_000) {
        let bytes = Keystream::bytes("range", length);
        let store = store();
        let config = ImportConfig { chunk_bytes: chunk, ..ImportConfig::default() };
        let added = add_bytes(&store, &bytes, &config).unwrap();
        prop_assert_eq!(stat(&store, &added.cid).unwrap().size, length);
        let mut read = Vec::new();
        read_file(&store, &added.cid, from..from + size, |piece| { read.extend_from_slice(&piece); Ok(()) }).unwrap();
        let (from, to) = (from.min(length) as usize, (from + size).min(length) as usize);
        prop_assert_eq!(read, &bytes[from..to]);
        let mut whole = Vec::new();
        std::io::Read::read_to_end(&mut content::FileReader::new(&store, &added.cid), &mut whole).unwrap();
        prop_assert_eq!(whole, bytes);
    }
}

/// A directory node with any names, honest or not.
fn directory(store: &BlockStore, entries: &[(&str, Cid)]) -> Cid {
    let links =
        entries.iter().map(|(name, cid)| Link { cid: *cid, name: Bytes::copy_from_slice(name.as_bytes()), tsize: 1 });
    let node = Node { links: links.collect(), data: Bytes::from_static(&[8, 1]) };
    let block = Block::new(DAG_PB, node.encode()).unwrap();
    store.put(block.clone()).unwrap();
    *block.cid()
}

fn leaf(store: &BlockStore, data: &str) -> Cid {
    let block = Block::new(RAW, data.to_owned()).unwrap();
    store.put(block.clone()).unwrap();
    *block.cid()
}

fn link_to(store: &BlockStore, target: &str) -> Cid {
    let data = [&[8, 4, 0x12, target.len() as u8], target.as_bytes()].concat();
    let block = Block::new(DAG_PB, Node { links: Vec::new(), data: data.into() }.encode()).unwrap();
    store.put(block.clone()).unwrap();
    *block.cid()
}

#[test]
fn names_that_would_leave_the_folder_are_refused() {
    let store = store();
    let dir = tempfile::tempdir().unwrap();
    let evil = leaf(&store, "evil");
    for name in ["..", ".", "", "../evil", "/etc/evil", "a/b", "a\0b"] {
        let root = directory(&store, &[(name, evil)]);
        let refused = export(&store, &root, &dir.path().join("out"), &ExportLimits::default());
        assert!(matches!(refused, Err(Error::UnsafePath { .. })), "{name:?}: {refused:?}");
    }
    // A link and a folder of the same name: writing into the folder must not follow the link.
    let inner = directory(&store, &[("evil", evil)]);
    let root = directory(&store, &[("x", link_to(&store, "y")), ("x", inner)]);
    assert!(export(&store, &root, &dir.path().join("out"), &ExportLimits::default()).is_err());
    let left: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
    assert!(left.is_empty(), "a refused export leaves nothing: {left:?}");
}

#[test]
fn links_that_leave_the_tree_do_as_asked() {
    let store = store();
    let dir = tempfile::tempdir().unwrap();
    let inside = directory(&store, &[("up", link_to(&store, "../file")), ("out", link_to(&store, "../../out"))]);
    let root = directory(
        &store,
        &[("absolute", link_to(&store, "/etc/passwd")), ("file", leaf(&store, "f")), ("inside", inside)],
    );
    let with = |outside_links| ExportLimits { outside_links, ..ExportLimits::default() };
    let refused = export(&store, &root, &dir.path().join("1"), &with(OutsideLinks::Refuse));
    assert!(matches!(refused, Err(Error::UnsafePath { .. })));
    let skipped = export(&store, &root, &dir.path().join("2"), &with(OutsideLinks::Skip)).unwrap();
    assert_eq!((skipped.symlinks, skipped.symlinks_skipped), (1, 2));
    let kept = export(&store, &root, &dir.path().join("3"), &with(OutsideLinks::Keep)).unwrap();
    assert_eq!((kept.symlinks, kept.symlinks_skipped), (3, 0));
}

#[test]
fn exports_end_at_their_limits() {
    let store = store();
    let dir = tempfile::tempdir().unwrap();
    // Thirty folders, each twice in the one above: a billion names out of thirty blocks.
    let mut bomb = leaf(&store, "boom");
    for _ in 0..30 {
        bomb = directory(&store, &[("a", bomb), ("b", bomb)]);
    }
    let check = |limits: ExportLimits| {
        let ended = export(&store, &bomb, &dir.path().join("out"), &limits);
        assert!(matches!(ended, Err(Error::TooLarge { .. })), "{ended:?}");
    };
    check(ExportLimits { entries_max: 200, ..ExportLimits::default() });
    check(ExportLimits { bytes_max: 20, ..ExportLimits::default() });
    check(ExportLimits { depth_max: 5, ..ExportLimits::default() });
    assert_eq!(total_size(&store, &bomb).unwrap().blocks, 31);
    std::fs::write(dir.path().join("taken"), "mine").unwrap();
    assert!(export(&store, &leaf(&store, "x"), &dir.path().join("taken"), &ExportLimits::default()).is_err());
    assert_eq!(std::fs::read(dir.path().join("taken")).unwrap(), b"mine");
}

#[test]
fn files_that_lie_about_their_sizes_are_refused() {
    let store = store();
    let child = leaf(&store, "12345");
    let file = |sizes: &[u8], total: u8| {
        let mut data = vec![8, 2, 0x18, total];
        sizes.iter().for_each(|size| data.extend([0x20, *size]));
        let links = vec![Link { cid: child, name: Bytes::new(), tsize: 5 }; 2];
        let block = Block::new(DAG_PB, Node { links, data: data.into() }.encode()).unwrap();
        store.put(block.clone()).unwrap();
        read_file(&store, block.cid(), 0..100, |_| Ok(()))
    };
    assert!(file(&[5, 5], 10).is_ok());
    for (sizes, total) in [(&[5, 6][..], 11), (&[5, 5], 11), (&[5], 5), (&[5, 5, 5], 15), (&[4, 5], 9)] {
        assert!(matches!(file(sizes, total), Err(Error::Malformed { .. })), "{sizes:?} {total}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let store = store();
    let here = leaf(&store, "here");
    let gone = *Block::new(RAW, "gone").unwrap().cid();
    let root = directory(&store, &[("a", here), ("b", gone)]);
    assert_eq!(missing(&store, &root, 10).unwrap(), [gone]);
    assert!(matches!(total_size(&store, &root), Err(Error::NotFound { cid }) if cid == gone));
    assert_eq!(missing(&store, &gone, 10).unwrap(), [gone]);
}

#[test]
fn files_of_disk_and_of_memory_agree() {
    let dir = tempfile::tempdir().unwrap();
    let store = store();
    for length in [0, 1, 999, 1000, 1001, 1_024_000, 1_024_001] {
        let path = dir.path().join("file");
        let bytes = Keystream::bytes("same", length);
        std::fs::write(&path, &bytes).unwrap();
        let added: Added = add_file(&store, &path, &small_chunks()).unwrap();
        assert_eq!(hash_file(&path, &small_chunks()).unwrap(), added);
        assert_eq!(add_bytes(&store, &bytes, &small_chunks()).unwrap(), added);
        assert_eq!(stat(&store, &added.cid).unwrap().kind, Kind::File);
        assert_eq!(missing(&store, &added.cid, 1).unwrap(), []);
    }
}

/// A shard of a sharded directory with these links; its bit field is not read.
fn shard(store: &BlockStore, links: &[(&str, Cid)]) -> Cid {
    let links =
        links.iter().map(|(name, cid)| Link { cid: *cid, name: Bytes::copy_from_slice(name.as_bytes()), tsize: 1 });
    let data = Bytes::from_static(&[8, 5, 0x28, 0x22, 0x30, 0x80, 2]);
    let block = Block::new(DAG_PB, Node { links: links.collect(), data }.encode()).unwrap();
    store.put(block.clone()).unwrap();
    *block.cid()
}

#[test]
fn shards_linked_from_many_slots_are_refused() {
    let store = store();
    let listed = |root: Cid| list_directory(&store, &root, |_| Ok(()));
    // Murmur3 of "hello" begins with CB D8.
    let file = leaf(&store, "x");
    assert!(listed(shard(&store, &[("CBhello", file)])).is_ok());
    assert!(listed(shard(&store, &[("CAhello", file)])).is_err());
    let inner = shard(&store, &[("D8hello", file)]);
    assert!(listed(shard(&store, &[("CB", inner)])).is_ok());
    assert!(listed(shard(&store, &[("CB", inner), ("CC", inner)])).is_err());
    let empty = shard(&store, &[]);
    assert!(listed(shard(&store, &[("00", empty)])).is_err());
}
