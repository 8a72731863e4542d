//! The routes, one file for each verb.

mod body;
mod content;
mod docs;
mod limits;
mod openapi;
pub(crate) mod page;
mod path;
mod problem;
mod socket;

mod agents;
mod gpus;
mod health;
mod jobs;
mod ws;

pub(crate) use limits::{Peer, Rates};
pub use openapi::openapi;

use axum::{
    Extension, Router,
    extract::Request,
    http::Uri,
    middleware,
    routing::{get, post},
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{GatewayConfig, GatewayError, state::Shared};

/// The routes that the contract of the API describes, each by its handler.
fn api() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::health))
        .routes(routes!(health::ready::ready))
        .routes(routes!(gpus::list::list))
        .routes(routes!(gpus::show::show))
        .routes(routes!(openapi::contract))
        .routes(routes!(docs::page))
        .route("/api/v1/jobs/{id}/ready", post(jobs::ready::ready))
}

/// Everything that the gateway answers.
pub(crate) fn router(shared: &Shared, config: &GatewayConfig) -> Router {
    let (described, contract) = api().split_for_parts();
    let api = described
        .layer(Extension(openapi::Contract::new(contract)))
        .route("/api/v1/ws", get(ws::connect))
        .route(wire::link::PATH, get(agents::link::connect))
        .with_state(shared.clone())
        .merge(content::router(shared, config))
        .fallback(unknown)
        .method_not_allowed_fallback(method);
    // A layer of the router that routes would come too late to change the path.
    Router::new()
        .fallback_service(api)
        .layer(middleware::from_fn_with_state(shared.clone(), limits::limit))
        .layer(middleware::map_request(path::normalise))
}

async fn unknown(uri: Uri) -> GatewayError {
    let path: String = uri.path().chars().take(120).collect();
    GatewayError::NotFound { what: format!("there is nothing at {path}; the API begins at /api/v1/health") }
}

async fn method(request: Request) -> GatewayError {
    GatewayError::Method { method: request.method().to_string() }
}
