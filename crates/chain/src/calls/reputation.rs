//! Calls of the contract of scores, by a reporter, and of the list of versions.

use alloy::primitives::{Address, B256};

use crate::{
    Call, ChainError, PenaltyKind, Totals,
    bindings::around::{Reputation as contract, Versions as list},
    convert,
};

/// Reports what was counted of a provider since ever: once an hour at most, and no figure may fall.
pub fn report(at: Address, provider_id: u32, totals: &Totals) -> Result<Call, ChainError> {
    let totals = contract::Totals {
        seenSeconds: totals.seen,
        listedSeconds: totals.listed,
        challenges: totals.challenges,
        answerMillis: convert::fit("the answers' time", totals.answer_ms.into())?,
        started: convert::fit("the jobs", totals.started.into())?,
        silent: convert::fit("the silent jobs", totals.silent.into())?,
        aborted: convert::fit("the aborted jobs", totals.aborted.into())?,
        lost: convert::fit("the lost disputes", totals.lost.into())?,
    };
    Ok(Call::new(at, &contract::reportCall { providerId: provider_id, totals }))
}

/// Takes points off, with the CID of the evidence, which counts once.
#[must_use]
pub fn penalise(at: Address, provider_id: u32, kind: PenaltyKind, evidence: &str) -> Call {
    let kind = match kind {
        PenaltyKind::Downtime => 0,
        PenaltyKind::DataFraud => 1,
        PenaltyKind::BadSignature => 2,
        PenaltyKind::LostDispute => 3,
        PenaltyKind::Timeout => 4,
    };
    let evidence = evidence.to_owned();
    Call::new(at, &contract::penaliseCall { providerId: provider_id, kind, evidenceCid: evidence })
}

/// Puts on record that a challenge was not answered in time. `was_there` takes points off too: its beats flowed.
#[must_use]
pub fn report_timeout(at: Address, provider_id: u32, job: B256, was_there: bool, evidence: &str) -> Call {
    let call = contract::reportTimeoutCall {
        providerId: provider_id,
        jobId: job,
        wasThere: was_there,
        evidenceCid: evidence.to_owned(),
    };
    Call::new(at, &call)
}

/// Takes points of penalties back; it can restore nothing else.
#[must_use]
pub fn reward(at: Address, provider_id: u32, points: u16, evidence: &str) -> Call {
    Call::new(at, &contract::rewardCall { providerId: provider_id, points, evidenceCid: evidence.to_owned() })
}

/// Names the market's successor, by a publisher.
#[must_use]
pub fn publish(at: Address, market: Address, name: &str) -> Call {
    Call::new(at, &list::publishCall { market, name: name.to_owned() })
}
