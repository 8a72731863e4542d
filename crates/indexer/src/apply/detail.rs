//! An event's name and its fields as JSON, named as in the contract. The job, resource or provider that it is about
//! has a column of its own and is not repeated.

use chain::{Listing, MarketEvent};
use serde_json::{Value, json};
use wire::{TermsJson, http::OutcomeJson};

pub(super) fn of(event: &MarketEvent) -> (&'static str, Value) {
    use MarketEvent as E;
    match event {
        E::JobCreated { renter, fee, terms, .. } => {
            ("JobCreated", json!({"renter": renter, "feeBps": fee.0, "terms": TermsJson::from(terms.as_ref())}))
        }
        E::JobAccepted { .. } => ("JobAccepted", json!({})),
        E::JobDeclined { refunded, reason, .. } => {
            ("JobDeclined", json!({"refunded": refunded.to_string(), "reason": reason}))
        }
        E::JobCancelled { by, refunded, .. } => ("JobCancelled", json!({"by": by, "refunded": refunded.to_string()})),
        E::JobStarted { ready_record, .. } => ("JobStarted", json!({"readyRecord": ready_record})),
        E::JobPaused { .. } => ("JobPaused", json!({})),
        E::JobResumed { paused, .. } => ("JobResumed", json!({"pausedSeconds": paused.0})),
        E::JobExtended { extra, locked, .. } => {
            ("JobExtended", json!({"extraSeconds": extra.0, "locked": locked.to_string()}))
        }
        E::JobSilent { clock_stands_at, reporter, .. } => {
            ("JobSilent", json!({"clockStandsAt": clock_stands_at.0, "reporter": reporter}))
        }
        E::JobPaid { seconds, amount, .. } => {
            ("JobPaid", json!({"paidSeconds": seconds.0, "amount": amount.to_string()}))
        }
        E::JobEnded { by, outcome, seconds, refunded, result_digest, .. } => (
            "JobEnded",
            json!({
                "by": by,
                "outcome": OutcomeJson::of(*outcome),
                "secondsRun": seconds.0,
                "refunded": refunded.to_string(),
                "resultDigest": result_digest,
            }),
        ),
        E::JobFinalized { paid, fee, .. } => {
            ("JobFinalized", json!({"paid": paid.to_string(), "fee": fee.to_string()}))
        }
        other => of_the_rest(other),
    }
}

fn of_the_rest(event: &MarketEvent) -> (&'static str, Value) {
    use MarketEvent as E;
    match event {
        E::ProviderRegistered { owner, agent, payout, .. } => {
            ("ProviderRegistered", json!({"owner": owner, "agent": agent, "payout": payout}))
        }
        E::AgentChanged { agent, .. } => ("AgentChanged", json!({"agent": agent})),
        E::PayoutChanged { payout, .. } => ("PayoutChanged", json!({"payout": payout})),
        E::ResourceRegistered { listing, .. } => ("ResourceRegistered", json!({"listing": listed(listing)})),
        E::AvailabilityChanged { available, .. } => ("AvailabilityChanged", json!({"available": available})),
        E::PriceChanged { price, .. } => ("PriceChanged", json!({"pricePerHour": price.0.to_string()})),
        E::Credited { account, amount } => ("Credited", json!({"account": account, "amount": amount.to_string()})),
        E::CreditWithdrawn { account, to, amount } => {
            ("CreditWithdrawn", json!({"account": account, "to": to, "amount": amount.to_string()}))
        }
        E::FeeChanged { fee } => ("FeeChanged", json!({"feeBps": fee.0})),
        E::WatcherChanged { watcher, registered } => {
            ("WatcherChanged", json!({"watcher": watcher, "registered": registered}))
        }
        E::OracleChanged { oracle, registered } => {
            ("OracleChanged", json!({"oracle": oracle, "registered": registered}))
        }
        E::FeesWithdrawn { to, amount } => ("FeesWithdrawn", json!({"to": to, "amount": amount.to_string()})),
        E::PauseChanged { paused } => ("PauseChanged", json!({"paused": paused})),
        _ => ("an event", json!({})),
    }
}

fn listed(listing: &Listing) -> Value {
    let hardware = &listing.hardware;
    json!({
        "key": listing.key,
        "pricePerHour": listing.price.0.to_string(),
        "simulated": hardware.simulated,
        "model": hardware.model,
        "gpuCount": hardware.gpus,
        "vramMib": hardware.vram.0,
        "vcpus": hardware.cpus,
        "memoryMib": hardware.memory.0,
        "storageMib": hardware.disk.0,
        "details": listing.details,
    })
}
