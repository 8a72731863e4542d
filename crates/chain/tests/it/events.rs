//! Every event of stake, disputes, slashes and orders, logged by a real node and read again.

use alloy::primitives::{Address, U256};
use chain::{EventStream, Item, MarketEvent as E, StreamConfig};
use market::{Amount, BasisPoints, JobId, ResourceId, Seconds, Timestamp};
use testkit::Emitter;

fn told() -> Vec<E> {
    let (job, resource) = (JobId([1; 32]), ResourceId([2; 32]));
    let [from, by] = [3, 4].map(Address::repeat_byte);
    let [a, b, c] = [1 << 70, 2, 3].map(Amount);
    let evidence = || "bafyevidence".to_owned();
    vec![
        E::OrderFilled { job, renter: from, nonce: U256::MAX, spent: a },
        E::JobAccepted { job, cover: Seconds(3600) },
        E::CancelFeePaid { job, paid: a, fee: b },
        E::JobDisputed { job, opener: by, pot: a, bond: b, reason: "why".into() },
        E::DisputeResolved { job, by, provider: BasisPoints(5000), returned: a, from_cover: b, evidence: evidence() },
        E::CancelFeeChanged { resource, cancel_fee: BasisPoints(2500) },
        E::Staked { resource, from, amount: a, stake: b },
        E::UnstakeRequested { resource, amount: a, unbonding: b, available_at: Timestamp(5) },
        E::Unstaked { resource, to: by, amount: a, stake: b },
        E::SlashProposed {
            proposal: 6,
            resource,
            harmed: from,
            amount: a,
            loss: b,
            contestable_until: Timestamp(7),
            evidence: evidence(),
        },
        E::SlashContested { proposal: 6, evidence: evidence() },
        E::SlashSettled { proposal: 6, slashed: true, to_harmed: b, burned: c },
        E::MinBondChanged { amount: c },
    ]
}

#[tokio::test]
async fn what_is_logged_is_what_is_read() {
    let emitter = Emitter::start().await;
    let events = told();
    emitter.log(&events).await;
    let market = emitter.market().await;
    let mut stream = EventStream::new(market, 0, StreamConfig::default());
    let read = loop {
        let Item::Block(block) = stream.next().await.unwrap() else { panic!("nothing is taken back here") };
        if !block.events.is_empty() {
            break block.events;
        }
    };
    let read: Vec<_> = read.into_iter().map(|logged| logged.event).collect();
    assert_eq!(read, events);
    let of_job = read.iter().filter(|event| event.job() == Some(JobId([1; 32]))).count();
    assert_eq!(of_job, 5, "those of a job name it");
}
