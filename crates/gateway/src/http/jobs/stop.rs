//! `POST /api/v1/jobs/{id}/stop`: ends a job, or says what its renter must send to end it.

use alloy_primitives::Address;
use axum::{Json, extract::State};
use chain::{Account, ChainError, MarketRevert, Mined, calls};
use market::Status;
use store::JobRow;
use wire::http::{StatusJson, StoppedJson};

use super::{ask, create::unsigned, found, view};
use crate::{GatewayError, auth::SignedIn, funding, http::path::Id, state::Shared};

/// End a job: the seconds up to now are paid, the rest goes back to the renter; before its clock ran, all of it. Only
/// renter and controller may. Where this gateway is the controller and the renter asks, the gateway sends it;
/// otherwise the answer holds the transaction to send.
#[utoipa::path(post, path = "/api/v1/jobs/{id}/stop", tag = "jobs",
    params(
        ("id" = wire::schema::Hash, Path, description = "The job."),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 160 characters; the same key gives the same answer for a day."),
    ),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "It is over, or the transaction that ends it.", body = StoppedJson),
        (status = 409, description = "The market refuses."),
        (status = 422, description = "The idempotency key was used for another body."),
        (status = 503, description = "Something does not answer, or the outcome is not known: look at the job, then ask again."),
    ),
)]
pub(crate) async fn stop(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    Id(id): Id,
) -> Result<Json<StoppedJson>, GatewayError> {
    let row = found(&shared, id).await?;
    let pays = funding::pays_for(&shared, row.id, who).await?;
    if who != row.terms.renter && who != row.terms.controller && !pays {
        let (renter, controller) = (row.terms.renter, row.terms.controller);
        let reason = format!("the renter {renter} and the controller {controller} may stop this job");
        return Err(GatewayError::Forbidden { who, reason });
    }
    // The chain's word, not the index's: it decides what can be sent.
    let status = ask(&shared, shared.market.job(row.id)).await?.status;
    if status.is_over() {
        return Ok(Json(StoppedJson { does: "nothing: it is over".into(), ..answer(&row, status) }));
    }
    match shared.watcher.clone() {
        Some(key) if key.address() == row.terms.controller && (who == row.terms.renter || pays) && status.has_clock() => {
            // A caller who hangs up does not take the transaction back; it must still be followed to its end.
            let work = tokio::spawn(send(shared.clone(), key, row.clone()));
            let lost = |_| Err(unknown(&row, "this gateway stops"));
            work.await.unwrap_or_else(lost).map(Json)
        }
        _ if pays && who != row.terms.renter => Err(GatewayError::Conflict {
            what: "the clock does not run yet, and only its renter, the treasury, could take the job back: it is closed by \
                   itself when its provider does not begin in time, and all of its money comes back"
                .into(),
        }),
        _ => by_caller(&shared, &row, status, who).map(Json),
    }
}

/// What the caller signs and sends himself.
fn by_caller(shared: &Shared, row: &JobRow, status: Status, who: Address) -> Result<StoppedJson, GatewayError> {
    let (data, does) = if status.has_clock() {
        (calls::stop_job(&row.terms), "stops the clock: the seconds up to then are paid, the rest comes back")
    } else if who == row.terms.renter {
        (calls::cancel_job(&row.terms), "takes the job back before its clock runs: the whole lock comes back")
    } else {
        let renter = row.terms.renter;
        let what = format!("the clock does not run yet: until then only the renter {renter} can take the job back");
        return Err(GatewayError::Conflict { what });
    };
    let transaction = unsigned(shared, who, data, does.into());
    Ok(StoppedJson { does: does.into(), transaction: Some(transaction), ..answer(row, status) })
}

/// Ends the job with the controller's key, in the way that costs its renter least.
async fn send(shared: Shared, key: Account, row: JobRow) -> Result<StoppedJson, GatewayError> {
    let _turn = shared.relays.turn(row.id).await?;
    let (does, mined) = match end(&key, &row).await {
        Ok(done) => done,
        Err(ChainError::Reverted(revert)) => {
            // It ended at the same moment: its provider completed it, or another request stopped it.
            let status = ask(&shared, shared.market.job(row.id)).await?.status;
            if status.is_over() {
                return Ok(StoppedJson { does: "nothing: it is over".into(), ..answer(&row, status) });
            }
            return Err(GatewayError::Conflict { what: format!("the market refuses: {revert}; try again") });
        }
        Err(error @ ChainError::Unreachable { .. }) => {
            return Err(GatewayError::Chain { reason: error.to_string() });
        }
        Err(error) => return Err(unknown(&row, &error.to_string())),
    };
    tracing::info!(job = %row.id, tx = %mined.tx, "a job was stopped for its renter");
    Ok(StoppedJson { does: does.into(), tx: Some(mined.tx), ..answer(&row, Status::Ended) })
}

/// Past a deadline of the provider's anyone may close, and then he gets only what is due to one that went away. Whether
/// it has passed is the contract's to say: it knows the time of the block that will hold the answer.
async fn end(key: &Account, row: &JobRow) -> Result<(&'static str, Mined), ChainError> {
    match key.close_job(&row.terms).await {
        Err(ChainError::Reverted(MarketRevert::TooEarly(_))) => {}
        closed => return closed.map(|mined| ("closed it past its provider's deadline", mined)),
    }
    let mined = key.stop_job(&row.terms).await?;
    Ok(("stopped the clock: the seconds up to then are paid, the rest went back", mined))
}

fn answer(row: &JobRow, status: Status) -> StoppedJson {
    let status: StatusJson = view::status_of(status);
    StoppedJson { job_id: row.id.0.into(), status, does: String::new(), tx: None, transaction: None }
}

fn unknown(row: &JobRow, reason: &str) -> GatewayError {
    let job = row.id;
    let what = format!(
        "it is not known yet whether job {job} was stopped ({reason}). Look at GET /api/v1/jobs/{job}/status, and ask \
         again while it runs: it can be stopped once only"
    );
    GatewayError::Unknown { what }
}
