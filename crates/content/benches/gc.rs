//! How long garbage collection takes: 100,000 blocks of 4 KiB, every second file of 500 blocks dead, all interleaved, so
//! that every segment has to be rewritten. `bench: name=value unit` lines on standard output.

use std::io::Write;
use std::time::{Duration, Instant};

use chacha20::ChaCha20;
use chacha20::cipher::{KeyIvInit, StreamCipher};
use content::{BlockStore, CollectConfig, ImportConfig, StoreConfig, add_bytes};

type Outcome = Result<(), Box<dyn std::error::Error>>;

const CHUNK: usize = 4 << 10;
const FILES: u32 = 200;
const CHUNKS_PER_FILE: usize = 500;
const ROUNDS: u32 = 3;

fn main() -> Outcome {
    let mut seconds = Vec::new();
    for round in 0..ROUNDS {
        let dir = tempfile::tempdir()?;
        let config = StoreConfig { young: Duration::ZERO, ..StoreConfig::default() };
        let store = BlockStore::open(dir.path(), config)?;
        let chunks = ImportConfig { chunk_bytes: CHUNK, ..ImportConfig::default() };
        let mut bytes = vec![0; CHUNK * CHUNKS_PER_FILE];
        for file in 0..FILES {
            let mut nonce = [0; 12];
            nonce[..4].copy_from_slice(&(round * FILES + file).to_le_bytes());
            ChaCha20::new(&[7; 32].into(), &nonce.into()).apply_keystream(&mut bytes);
            let root = add_bytes(&store, &bytes, &chunks)?.cid;
            if file % 2 == 0 {
                store.pin("bench", &root)?;
            }
        }
        let before = store.len();
        let begun = Instant::now();
        let done = store.collect(&CollectConfig::default(), &mut |_| {})?;
        seconds.push(begun.elapsed().as_secs_f64());
        if done.blocks < u64::from(FILES / 2) * CHUNKS_PER_FILE as u64 || store.len() + done.blocks as usize != before {
            return Err(format!("of {before} blocks {done:?}").into());
        }
    }
    seconds.sort_unstable_by(f64::total_cmp);
    let median = seconds.get(seconds.len() / 2).copied().unwrap_or(f64::NAN);
    writeln!(std::io::stdout().lock(), "bench: content.gc_100k_s={median:.3} s")?;
    Ok(())
}
