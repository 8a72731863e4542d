//! `GET /api/v1/instances`: what whoever asks rents now.

use axum::{Json, extract::State};
use wire::http::{JobJson, Page};

use crate::{
    GatewayError,
    auth::SignedIn,
    http::jobs::{JobQuery, list},
    state::Shared,
};

/// The jobs of whoever is signed in that are not over; `live=false` for those that are.
#[utoipa::path(get, path = "/api/v1/instances", tag = "jobs", params(JobQuery),
    security(("bearer" = []), ("session" = [])),
    responses((status = 200, description = "A page of jobs.", body = Page<JobJson>)),
)]
pub(crate) async fn mine(
    State(shared): State<Shared>,
    SignedIn(who): SignedIn,
    asked: JobQuery,
) -> Result<Json<Page<JobJson>>, GatewayError> {
    let mine = JobQuery { renter: Some(who), live: asked.live.or(Some(true)), ..asked };
    list::jobs(&shared, &mine).await.map(Json)
}
