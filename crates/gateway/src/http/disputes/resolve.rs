//! `POST /api/v1/disputes/{id}/resolve`: the call by which a judge decides.

use axum::{Json, extract::State};
use chain::calls;
use market::{BasisPoints, Verdict};
use wire::http::{CallsJson, EVIDENCE_BYTES_MAX, ResolveBody};

use super::{prepared, visible};
use crate::{
    GatewayError,
    auth::{ByWallet, is_operator},
    http::{body, page::malformed, path::Id},
    state::Shared,
};

/// The call by which a judge decides a dispute, for the judge's own wallet. Operators of this gateway may ask for it; the
/// market takes it only from who holds its judge's role.
#[utoipa::path(post, path = "/api/v1/disputes/{id}/resolve", tag = "disputes",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    request_body = ResolveBody,
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "What to sign and send.", body = CallsJson),
        (status = 409, description = "It is decided already."),
    ),
)]
pub(crate) async fn resolve(
    State(shared): State<Shared>,
    ByWallet(who): ByWallet,
    Id(id): Id,
    body::Json(body): body::Json<ResolveBody>,
) -> Result<Json<CallsJson>, GatewayError> {
    if !is_operator(&shared, who) {
        let reason = "only this market's operators may prepare a verdict".into();
        return Err(GatewayError::Forbidden { who, reason });
    }
    let verdict = Verdict::of(BasisPoints(body.provider_bps))
        .ok_or_else(|| malformed("providerBps", "a verdict is 0, 5000 or 10000: the renter, halves, the provider"))?;
    if body.evidence.is_empty() || body.evidence.len() > EVIDENCE_BYTES_MAX {
        return Err(malformed("evidence", format!("name the CID of the evidence, at most {EVIDENCE_BYTES_MAX} bytes")));
    }
    let (dispute, job) = visible(&shared, id, who).await?;
    if let Some(decision) = dispute.decision {
        let what = format!("it was decided: the provider's share of the pot is {}", decision.verdict.share().0);
        return Err(GatewayError::Conflict { what });
    }
    let call = calls::dispute::resolve_dispute(shared.market.address(), &job.terms, verdict.share(), &body.evidence);
    let does = format!("gives the provider {} of 10000 of the pot and settles the job", verdict.share().0);
    let calls = vec![prepared(&shared, who, call, does.clone())];
    Ok(Json(CallsJson { does, moves: None, calls }))
}
