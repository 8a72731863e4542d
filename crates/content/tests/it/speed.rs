//! How fast content is added durably and read verified; run with `--ignored --nocapture`.

use std::time::Instant;

use content::{BlockStore, ImportConfig, StoreConfig, add_file, hash_file, read_file};

use crate::fixture::Keystream;

const BYTES: u64 = 256 << 20;

#[test]
#[ignore = "it measures, it does not check"]
fn megabytes_per_second() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("file");
    let mut file = std::fs::File::create(&path).unwrap();
    std::io::copy(&mut Keystream::new("speed", BYTES), &mut file).unwrap();
    // Else the first sync of the store has this file to write as well.
    file.sync_all().unwrap();
    let rate = |begun: Instant| BYTES as f64 / 1e6 / begun.elapsed().as_secs_f64();
    for round in 0..3 {
        let store = BlockStore::open(dir.path().join(round.to_string()), StoreConfig::default()).unwrap();
        let begun = Instant::now();
        hash_file(&path, &ImportConfig::default()).unwrap();
        let hash = rate(begun);
        let begun = Instant::now();
        let added = add_file(&store, &path, &ImportConfig::default()).unwrap();
        let add = rate(begun);
        let begun = Instant::now();
        read_file(&store, &added.cid, 0..BYTES, |_| Ok(())).unwrap();
        println!("hash {hash:.0}, durable add {add:.0}, verified read {:.0} MB/s", rate(begun));
    }
}
