//! `/api/v1/x402/verify`, `/settle`, `/supported` and `/discovery/resources`, where this gateway settles for others.

use std::sync::Arc;

use axum::Router;
use payments::facilitator::{Listed, routes};
use wire::x402::DiscoveredResource;

use crate::state::Shared;

/// The routes, below `/api/v1/x402`; none where nothing is settled for others.
pub(crate) fn router(shared: &Shared) -> Router {
    let facilitator = shared.x402.as_ref().and_then(|x402| x402.facilitator.clone());
    let Some(facilitator) = facilitator else { return Router::new() };
    let weak = Arc::downgrade(shared);
    let listed: Listed = Arc::new(move || weak.upgrade().map(|shared| resources(&shared)).unwrap_or_default());
    Router::new().nest("/api/v1/x402", routes(facilitator, listed))
}

/// What can be bought here over x402: a job, whose price follows from what is asked for.
fn resources(shared: &Shared) -> Vec<DiscoveredResource> {
    let Some(url) = shared.public_url.as_ref().and_then(|url| url.join("api/v1/x402/jobs").ok()) else {
        return Vec::new();
    };
    super::jobs::discovered(shared, url.as_str()).into_iter().collect()
}
