//! Bringing a file into blocks, durably, and reading it back verified; beside what OpenSSL hashes in the same time.

use std::{io::Write, process::Command, time::Instant};

use content::{BlockStore, ImportConfig, StoreConfig};

use crate::{Outcome, bench};

const MIB: usize = 1 << 20;
const FILE_MIB: usize = 256;
const ROUNDS: usize = 5;

pub(crate) fn measure() -> Outcome<()> {
    let dir = tempfile::tempdir()?;
    let path = dir.path().join("random");
    let mut file = std::fs::File::create(&path)?;
    for _ in 0..FILE_MIB {
        file.write_all(&(0..MIB / 32).flat_map(|_| rand::random::<[u8; 32]>()).collect::<Vec<_>>())?;
    }
    file.sync_all()?;
    let (mut added, mut read, mut openssl) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..ROUNDS {
        let store = BlockStore::open(dir.path().join(format!("store-{round}")), StoreConfig::default())?;
        let begun = Instant::now();
        let root = content::add_file(&store, &path, &ImportConfig::default())?.cid;
        added.push(speed(begun));
        let begun = Instant::now();
        let mut seen = 0;
        content::read_file(&store, &root, 0..u64::MAX, |piece| {
            seen += piece.len();
            Ok(())
        })?;
        read.push(speed(begun));
        if seen != FILE_MIB * MIB {
            return Err(format!("read {seen} bytes back").into());
        }
        openssl.push(openssl_speed()?);
        std::fs::remove_dir_all(store.dir())?;
    }
    bench("content.add_mb_s", median(&mut added), "MB/s");
    bench("content.read_mb_s", median(&mut read), "MB/s");
    bench("content.openssl_sha256_mb_s", median(&mut openssl), "MB/s");
    Ok(())
}

fn speed(begun: Instant) -> f64 {
    (FILE_MIB * MIB) as f64 / 1e6 / begun.elapsed().as_secs_f64()
}

/// One thread, blocks of 1 MiB, as our leaves are.
fn openssl_speed() -> Outcome<f64> {
    let bytes = MIB.to_string();
    let output = Command::new("openssl")
        .args(["speed", "-elapsed", "-mr", "-seconds", "1", "-bytes", &bytes, "-evp", "sha256"])
        .output()?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let line = text.lines().find(|line| line.starts_with("+F:")).ok_or("openssl printed no figure")?;
    let figure: f64 = line.rsplit(':').next().unwrap_or_default().parse()?;
    Ok(figure / 1e6)
}

pub(crate) fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}
