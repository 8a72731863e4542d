//! `GET /api/v1/receipts/{nid}`: one receipt, with all that it takes to check it elsewhere.

use axum::{Json, extract::State};
use wire::receipt::Receipt;

use super::{Nid, found, record, told};
use crate::{GatewayError, auth::Headers, state::Shared};

/// A receipt: the document whose CID is its name, where it is committed, and where to look for what it claims.
#[utoipa::path(get, path = "/api/v1/receipts/{nid}", tag = "receipts",
    params(("nid" = String, Path, description = "The receipt: the CID of its document.")),
    responses((status = 200, description = "The receipt.", body = Receipt)),
)]
pub(crate) async fn show(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Nid(nid): Nid,
) -> Result<Json<Receipt>, GatewayError> {
    let row = found(&shared, &nid).await?;
    let record = record(&shared, row.job).await?;
    told(&shared, &headers, row, record).map(Json)
}
