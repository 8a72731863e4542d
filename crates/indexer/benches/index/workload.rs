//! A hundred thousand events: the lives of 12,500 jobs on ten machines whose prices move.

use alloy_primitives::{Address, B256, U256, keccak256};
use chain::{Listing, MarketEvent as E};
use market::{Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, PerHour, ResourceId, Seconds};
use wire::Terms;

use testkit::Emitter;

/// Lives of jobs, each of [`EVENTS_OF_LIFE`] events.
const JOBS: u64 = 12_500;
const EVENTS_OF_LIFE: u64 = 8;
/// All events, the first ones included.
pub(crate) const EVENTS: u64 = JOBS * EVENTS_OF_LIFE + 1 + MACHINES;
const MACHINES: u64 = 10;
/// Lives in one block.
const LIVES_A_BLOCK: u64 = 100;
/// More than a reorganisation can take back, so that all events are old.
const BLOCKS_AFTER: u64 = 260;

/// A chain with all of it.
pub(crate) async fn emitted() -> Emitter {
    let emitter = Emitter::start().await;
    let mut events = vec![provider()];
    events.extend((0..MACHINES).map(machine));
    emitter.log(&events).await;
    for first in (0..JOBS).step_by(LIVES_A_BLOCK as usize) {
        let lives: Vec<E> = (first..JOBS.min(first + LIVES_A_BLOCK)).flat_map(life).collect();
        emitter.log(&lives).await;
    }
    emitter.dev.mine(BLOCKS_AFTER).await.unwrap();
    emitter
}

pub(crate) fn provider() -> E {
    let [owner, agent, payout] = [1, 2, 3].map(Address::repeat_byte);
    E::ProviderRegistered { provider_id: 1, owner, agent, payout }
}

pub(crate) fn resource(number: u64) -> ResourceId {
    ResourceId(keccak256(number.to_be_bytes()).0)
}

pub(crate) fn machine(number: u64) -> E {
    let hardware = Hardware {
        model: "NVIDIA H200".into(),
        gpus: 1,
        vram: Mebibytes(143_771),
        cpus: 16,
        memory: Mebibytes(131_072),
        disk: Mebibytes(65_536),
        simulated: false,
    };
    let listing =
        Listing { key: B256::with_last_byte(number as u8), price: PerHour(3_600_000), hardware, details: "FI".into() };
    E::ResourceRegistered { resource: resource(number), provider_id: 1, listing }
}

/// A price, and a job from its order to its settlement.
fn life(number: u64) -> [E; EVENTS_OF_LIFE as usize] {
    let on = resource(number % MACHINES);
    let price = PerHour(3_600_000 + u128::from(number));
    let terms = Terms {
        renter: Address::from_word(keccak256(format!("renter {}", number % 100))),
        controller: Address::repeat_byte(9),
        resourceId: on.0.into(),
        pricePerHour: U256::from(price.0).to(),
        minCharge: U256::from(1000).to(),
        maxDuration: 3600,
        notBefore: U256::ZERO.to(),
        cancelFeeBps: 0,
        specDigest: keccak256(format!("spec {number}")),
        flags: 0,
        salt: number,
        extra: B256::ZERO,
    };
    let job = JobId(keccak256(format!("job {number}")).0);
    let (renter, fee) = (terms.renter, BasisPoints(200));
    let digest = keccak256(job.0);
    [
        E::PriceChanged { resource: on, price },
        E::JobCreated { job, resource: on, renter, fee, terms: Box::new(terms) },
        E::JobAccepted { job, cover: market::Seconds(0) },
        E::JobStarted { job, ready_record: digest },
        E::JobPaid { job, seconds: Seconds(600), amount: Amount(588_000) },
        E::JobPaid { job, seconds: Seconds(1200), amount: Amount(588_000) },
        E::JobEnded {
            job,
            by: Address::repeat_byte(2),
            outcome: Outcome::Succeeded,
            seconds: Seconds(1200),
            refunded: Amount(2_400_000),
            result_digest: digest,
        },
        E::JobFinalized { job, paid: Amount(1_176_000), fee: Amount(24_000) },
    ]
}
