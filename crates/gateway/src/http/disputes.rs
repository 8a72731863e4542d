//! Disputes: opened and decided with the parties' own keys; this gateway prepares the calls and shows what the chain says.

pub(crate) mod list;
pub(crate) mod open;
pub(crate) mod resolve;
pub(crate) mod show;

use alloy_primitives::{Address, B256};
use chain::Call;
use market::{JobId, rules};
use store::{DisputeRow, JobRow};
use wire::http::{DisputeJson, DisputeState, Money, UnsignedTx, VerdictJson};

use crate::{
    GatewayError,
    auth::{is_operator, is_party_of},
    http::jobs::view,
    state::Shared,
};

/// The dispute over a job with the job, when `who` is a party of it or an operator.
async fn visible(shared: &Shared, id: B256, who: Address) -> Result<(DisputeRow, JobRow), GatewayError> {
    let job = JobId(id.0);
    let missing = || GatewayError::NotFound {
        what: format!("nobody disputes job {id}; POST /api/v1/jobs/{id}/dispute prepares the calls that do"),
    };
    let row = shared.store.job(job).await?.ok_or_else(missing)?;
    if !is_operator(shared, who) && !is_party_of(shared, &row, who).await? {
        let reason = "only the job's parties and this market's operators may".into();
        return Err(GatewayError::Forbidden { who, reason });
    }
    let dispute = shared.store.dispute(job).await?.ok_or_else(missing)?;
    Ok((dispute, row))
}

/// A dispute as its parties read it.
fn shown(shared: &Shared, row: DisputeRow, job: &JobRow) -> DisputeJson {
    let token = shared.market.token();
    let verdict = row.decision.map(|decision| VerdictJson {
        by: decision.by,
        at: view::moment(decision.at),
        provider_bps: decision.verdict.share().0,
        returned: Money::new(decision.returned, token),
        from_cover: Money::new(decision.from_cover, token),
        evidence: decision.evidence,
    });
    DisputeJson {
        job_id: B256::from(row.job.0),
        state: if verdict.is_some() { DisputeState::Resolved } else { DisputeState::Open },
        opener: row.opener,
        renter: job.terms.renter,
        provider: job.provider.to_string(),
        opened_at: view::moment(row.opened_at),
        answer_by: view::moment(row.opened_at.after(rules::ANSWER_WITHIN)),
        reason: row.reason,
        pot: Money::new(row.pot, token),
        bond: Money::new(row.bond, token),
        verdict,
    }
}

/// A call that `from` signs and sends himself.
pub(crate) fn prepared(shared: &Shared, from: Address, call: Call, does: String) -> UnsignedTx {
    let chain_id = shared.market.domain().chain_id;
    UnsignedTx { chain_id, from, to: call.to, data: call.input, value: "0".into(), does }
}
