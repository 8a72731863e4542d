//! What a proof costs who checks it, beside what the chain costs a processor: `bench: name=value unit` lines on standard
//! output. One thread; the profile is the one that people run in development.
#![expect(clippy::unwrap_used, reason = "a measure that cannot be taken ends the program with the reason")]

use std::{io::Write, time::Instant};

use alloy_primitives::{Address, B256};
use proof::{Audit, AuditConfig, Challenge, Layers, Openings, Verdict, examine};

/// Large enough that the square and the cube are far apart, small enough for a processor.
const SIZE: u32 = 1024;
const ROUNDS: u32 = 4;
/// Verifications; the median counts.
const TIMES: usize = 5;

fn main() {
    let challenge = Challenge {
        chain_id: 1,
        market: Address::ZERO,
        nonce: B256::repeat_byte(1),
        agent: Address::ZERO,
        card: B256::ZERO,
        group: B256::ZERO,
        size: SIZE,
        rounds: ROUNDS,
        deadline_ms: 1,
        at: 0,
    };
    let shape = challenge.shape().unwrap();
    let began = Instant::now();
    let mut layers = Layers::compute(&challenge.key(), shape);
    bench("proof.cpu_reference_ms", began.elapsed().as_secs_f64() * 1e3);
    let tree = layers.tree();
    let audit = Audit::new(B256::repeat_byte(2), AuditConfig::default());
    let plan = audit.plan(shape, challenge.digest(), tree.root()).unwrap();
    let openings = Openings::collect(shape, &plan, &tree, &mut layers).unwrap();
    let verify = |_| {
        let (began, mut verdict) = (Instant::now(), Verdict::default());
        examine(&challenge, tree.root(), &audit, &openings, &mut verdict).unwrap();
        assert_eq!(verdict.refused_at(), None);
        began.elapsed().as_secs_f64() * 1e3
    };
    let mut times: Vec<f64> = (0..TIMES).map(verify).collect();
    times.sort_unstable_by(f64::total_cmp);
    bench("proof.verify_ms", times[TIMES / 2]);
}

fn bench(name: &str, value: f64) {
    writeln!(std::io::stdout().lock(), "bench: {name}={value:.2} ms").ok();
}
