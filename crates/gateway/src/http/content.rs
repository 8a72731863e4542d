//! `/ipfs` and uploads are served by crate `content`; who may upload is decided here.

use std::sync::Arc;

use axum::{
    Router,
    http::{HeaderMap, StatusCode, header},
};
use content::{Cid, gateway, upload};
use wire::{Domain, http::UploadPass};

use crate::{
    GatewayConfig, GatewayError,
    state::{Shared, now},
};

/// The routes of content.
pub(crate) fn router(shared: &Shared, config: &GatewayConfig) -> Router {
    let domain = shared.market.domain();
    let authorise: upload::Authorise = Arc::new(move |headers, root| {
        who(headers, root, &domain, now())
            .map_err(|error| upload::Refused { status: StatusCode::UNAUTHORIZED.as_u16(), detail: error.to_string() })
    });
    let mut serving = config.content.clone();
    serving.serves.get_or_insert_with(|| content::serves_pinned(&shared.blocks));
    gateway::router(shared.blocks.clone(), serving).merge(upload::router(
        shared.blocks.clone(),
        config.upload.clone(),
        authorise,
    ))
}

/// The address that signed for the upload of `root`.
fn who(headers: &HeaderMap, root: &Cid, domain: &Domain, now: u64) -> Result<String, GatewayError> {
    // No header is read like an empty one: the answer says what one looks like.
    let pass = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let signer = UploadPass::verify(pass, &root.to_string(), domain, now);
    signer.map(|signer| signer.to_string()).map_err(|source| GatewayError::Pass { source })
}
