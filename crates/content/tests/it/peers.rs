//! Other people's tools must agree with us: `ipfs-car` and `ipfs-unixfs-importer` from npm.

use std::path::{Path, PathBuf};
use std::process::Command;

use content::{Cid, ExportLimits, ImportConfig, add_tree, export, export_car, hash_tree, import_car, parse_cid};

use crate::fixture::{Keystream, plant, skip, store};

fn peers() -> Option<PathBuf> {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/peers");
    if dir.join("node_modules/ipfs-car/package.json").exists() {
        return Some(dir);
    }
    skip("npm peers: run `make setup`");
    None
}

fn run(peers: &Path, arguments: &[&str]) -> String {
    let out = Command::new(arguments[0]).args(&arguments[1..]).current_dir(peers).output().unwrap();
    assert!(out.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&out.stderr));
    String::from_utf8(out.stdout).unwrap()
}

fn ipfs_car(peers: &Path, arguments: &[&str]) -> String {
    run(peers, &[&["npx", "--no-install", "ipfs-car"], arguments].concat())
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

/// Numbers that differ from run to run, so that over time many trees are compared. The seed is printed.
struct Chance(std::vec::IntoIter<u8>);

impl Chance {
    fn new() -> Self {
        let seed = format!("{:?}", std::time::SystemTime::now());
        println!("seed: {seed}");
        Self(Keystream::bytes(&seed, 100_000).into_iter())
    }

    fn below(&mut self, most: u64) -> u64 {
        (0..6).fold(0, |number, _| (number << 8) | u64::from(self.0.next().unwrap())) % most
    }
}

/// A tree of files only: `ipfs-car` knows neither empty folders nor links, and packs a folder of one file
/// as that file.
fn random_tree(dir: &Path, chance: &mut Chance) {
    for number in 0..2 + chance.below(12) {
        let folders = ["", "a/", "a/b/", "ü/", "c.d/e f/"];
        let folder = folders[chance.below(folders.len() as u64) as usize];
        let around = [0, 1, 100, 262_144, 1 << 20, 2 << 20, 3_500_000][chance.below(7) as usize];
        let size = (around + chance.below(3)).saturating_sub(1);
        let name = format!("{folder}file {number}.{}", chance.below(1000));
        plant(dir, &[(&name, &Keystream::bytes(&name, size))]);
    }
}

#[test]
fn ipfs_car_gives_random_trees_the_same_cids() {
    let Some(peers) = peers() else { return };
    let mut chance = Chance::new();
    for _ in 0..3 {
        let dir = tempfile::tempdir().unwrap();
        let (tree, car) = (dir.path().join("tree"), dir.path().join("out.car"));
        random_tree(&tree, &mut chance);
        plant(&tree, &[(".hidden", b"h")]);
        for hidden in [true, false] {
            let mut arguments = vec!["pack", text(&tree), "--no-wrap", "--output", text(&car)];
            arguments.extend(hidden.then_some("--hidden"));
            let theirs = ipfs_car(&peers, &arguments);
            let config = ImportConfig { include_hidden: hidden, ..ImportConfig::default() };
            let ours = hash_tree(&tree, &config).unwrap().cid;
            assert_eq!(ours.to_string(), theirs.trim(), "hidden files: {hidden}");
        }
    }
}

#[test]
fn the_importer_gives_trees_and_sharded_directories_the_same_cids() {
    let Some(peers) = peers() else { return };
    let mut chance = Chance::new();
    let dir = tempfile::tempdir().unwrap();
    let mut trees = Vec::new();
    for number in 0..4 {
        let tree = dir.path().join(format!("tree {number}"));
        random_tree(&tree, &mut chance);
        plant(&tree, &[("empty/", b""), ("a/also empty/", b"")]);
        trees.push(tree);
    }
    let many = 900 + chance.below(4000);
    let large = dir.path().join("large");
    plant(&large, &[("inner/", b"")]);
    for number in 0..many {
        let name = "n".repeat(chance.below(200) as usize);
        std::fs::write(large.join(format!("inner/{number} {name}")), "x").unwrap();
    }
    trees.push(large);
    let arguments: Vec<&str> = ["node", "import.mjs"].into_iter().chain(trees.iter().map(|tree| text(tree))).collect();
    let theirs = run(&peers, &arguments);
    for (tree, theirs) in trees.iter().zip(theirs.lines()) {
        assert_eq!(hash_tree(tree, &ImportConfig::default()).unwrap().cid.to_string(), theirs, "{}", tree.display());
    }
    assert_eq!(theirs.lines().count(), trees.len());
}

#[test]
fn ipfs_car_reads_our_cars_and_we_read_its() {
    let Some(peers) = peers() else { return };
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let files = [("a", Keystream::bytes("a", 2_500_000)), ("b/c", b"see".to_vec()), ("b/d/e", Vec::new())];
    files.iter().for_each(|(name, bytes)| plant(&path("tree"), &[(name, bytes)]));
    let same = |found: &Path| {
        files.iter().for_each(|(name, bytes)| assert_eq!(&std::fs::read(found.join(name)).unwrap(), bytes, "{name}"));
    };

    let ours = store();
    let root = add_tree(&ours, &path("tree"), &ImportConfig::default()).unwrap().cid;
    export_car(&ours, &root, std::fs::File::create(path("ours.car")).unwrap()).unwrap();
    let listed = ipfs_car(&peers, &["ls", text(&path("ours.car"))]);
    let mut listed: Vec<_> = listed.lines().collect();
    listed.sort_unstable();
    assert_eq!(listed, [".", "./a", "./b", "./b/c", "./b/d", "./b/d/e"]);
    ipfs_car(&peers, &["unpack", text(&path("ours.car")), "--output", text(&path("unpacked"))]);
    same(&path("unpacked"));

    let packed = ipfs_car(&peers, &["pack", text(&path("tree")), "--no-wrap", "--output", text(&path("theirs.car"))]);
    let target = store();
    let imported = import_car(&target, std::fs::File::open(path("theirs.car")).unwrap(), 1 << 30).unwrap();
    let packed: Cid = parse_cid(packed.trim()).unwrap();
    assert_eq!((imported.roots.as_slice(), packed), ([root].as_slice(), root));
    export(&target, &root, &path("exported"), &ExportLimits::default()).unwrap();
    same(&path("exported"));
}
