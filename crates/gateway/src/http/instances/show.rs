//! `GET /api/v1/instances/{id}`.

use axum::{Json, extract::State};
use wire::http::JobJson;

use crate::{
    GatewayError,
    auth::Caller,
    http::{jobs, path::Id},
    state::Shared,
};

/// A job: the same as `GET /api/v1/jobs/{id}`.
#[utoipa::path(get, path = "/api/v1/instances/{id}", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    security((), ("bearer" = []), ("session" = [])),
    responses((status = 200, description = "The job.", body = JobJson)),
)]
pub(crate) async fn instance(shared: State<Shared>, who: Caller, id: Id) -> Result<Json<JobJson>, GatewayError> {
    jobs::show::show(shared, who, id).await
}
