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
        E::JobAccepted { cover, .. } => ("JobAccepted", json!({"coverSeconds": cover.0})),
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
        E::OrderFilled { .. }
        | E::CancelFeePaid { .. }
        | E::JobDisputed { .. }
        | E::DisputeResolved { .. }
        | E::Staked { .. }
        | E::UnstakeRequested { .. }
        | E::Unstaked { .. }
        | E::SlashProposed { .. }
        | E::SlashContested { .. }
        | E::SlashSettled { .. } => of_the_court(event),
        other => of_the_rest(other),
    }
}

/// Orders, disputes, stake and slashes.
fn of_the_court(event: &MarketEvent) -> (&'static str, Value) {
    use MarketEvent as E;
    match event {
        E::OrderFilled { renter, nonce, spent, .. } => {
            ("OrderFilled", json!({"renter": renter, "nonce": nonce.to_string(), "spent": spent.to_string()}))
        }
        E::CancelFeePaid { paid, fee, .. } => {
            ("CancelFeePaid", json!({"paid": paid.to_string(), "fee": fee.to_string()}))
        }
        E::JobDisputed { opener, pot, bond, reason, .. } => (
            "JobDisputed",
            json!({"opener": opener, "pot": pot.to_string(), "bond": bond.to_string(), "reason": reason}),
        ),
        E::DisputeResolved { by, provider, returned, from_cover, evidence, .. } => (
            "DisputeResolved",
            json!({
                "by": by,
                "providerBps": provider.0,
                "returned": returned.to_string(),
                "fromCover": from_cover.to_string(),
                "evidenceCid": evidence,
            }),
        ),
        E::Staked { from, amount, stake, .. } => {
            ("Staked", json!({"from": from, "amount": amount.to_string(), "stake": stake.to_string()}))
        }
        E::UnstakeRequested { amount, unbonding, available_at, .. } => (
            "UnstakeRequested",
            json!({"amount": amount.to_string(), "unbonding": unbonding.to_string(), "availableAt": available_at.0}),
        ),
        E::Unstaked { to, amount, stake, .. } => {
            ("Unstaked", json!({"to": to, "amount": amount.to_string(), "stake": stake.to_string()}))
        }
        E::SlashProposed { proposal, harmed, amount, loss, contestable_until, evidence, .. } => (
            "SlashProposed",
            json!({
                "proposalId": proposal,
                "harmed": harmed,
                "amount": amount.to_string(),
                "loss": loss.to_string(),
                "contestableUntil": contestable_until.0,
                "evidenceCid": evidence,
            }),
        ),
        E::SlashContested { proposal, evidence } => {
            ("SlashContested", json!({"proposalId": proposal, "evidenceCid": evidence}))
        }
        E::SlashSettled { proposal, slashed, to_harmed, burned } => (
            "SlashSettled",
            json!({
                "proposalId": proposal,
                "slashed": slashed,
                "toHarmed": to_harmed.to_string(),
                "burned": burned.to_string(),
            }),
        ),
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
        E::MinBondChanged { amount } => ("MinBondChanged", json!({"amount": amount.to_string()})),
        E::CancelFeeChanged { cancel_fee, .. } => ("CancelFeeChanged", json!({"cancelFeeBps": cancel_fee.0})),
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
