//! The routes, one file for each verb.

mod body;
mod content;
mod path;
mod problem;
mod socket;

mod agents;
mod gpus;
mod health;
mod jobs;
mod ws;

use axum::{
    Router,
    extract::Request,
    http::Uri,
    middleware,
    routing::{get, post},
};

use crate::{GatewayConfig, GatewayError, state::Shared};

/// Everything that the gateway answers.
pub(crate) fn router(shared: &Shared, config: &GatewayConfig) -> Router {
    let api = Router::new()
        .route("/api/v1/health", get(health::health))
        .route("/api/v1/health/ready", get(health::ready::ready))
        .route("/api/v1/gpus", get(gpus::list::list))
        .route("/api/v1/gpus/{id}", get(gpus::show::show))
        .route("/api/v1/jobs/{id}/ready", post(jobs::ready::ready))
        .route("/api/v1/ws", get(ws::connect))
        .route(wire::link::PATH, get(agents::link::connect))
        .with_state(shared.clone())
        .merge(content::router(shared, config))
        .fallback(unknown)
        .method_not_allowed_fallback(method);
    // A layer of the router that routes would come too late to change the path.
    Router::new().fallback_service(api).layer(middleware::map_request(path::normalise))
}

async fn unknown(uri: Uri) -> GatewayError {
    let path: String = uri.path().chars().take(120).collect();
    GatewayError::NotFound { what: format!("there is nothing at {path}; the API begins at /api/v1/health") }
}

async fn method(request: Request) -> GatewayError {
    GatewayError::Method { method: request.method().to_string() }
}
