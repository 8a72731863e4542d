//! `DELETE /api/v1/instances/{id}`.

use axum::{Json, extract::State};
use wire::http::StoppedJson;

use crate::{
    GatewayError,
    auth::SignedIn,
    http::{jobs, path::Id},
    state::Shared,
};

/// End a job: the same as `POST /api/v1/jobs/{id}/stop`.
#[utoipa::path(delete, path = "/api/v1/instances/{id}", tag = "jobs",
    params(("id" = wire::schema::Hash, Path, description = "The job.")),
    security(("bearer" = []), ("session" = [])),
    responses(
        (status = 200, description = "It is over, or the transaction that ends it.", body = StoppedJson),
        (status = 409, description = "The market refuses."),
        (status = 503, description = "Something does not answer, or the outcome is not known: look at the job, then ask again."),
    ),
)]
pub(crate) async fn end(shared: State<Shared>, who: SignedIn, id: Id) -> Result<Json<StoppedJson>, GatewayError> {
    jobs::stop::stop(shared, who, id).await
}
