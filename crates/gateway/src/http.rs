//! The routes, one file for each verb.

pub(crate) mod body;
mod content;
mod cors;
mod disputes;
mod docs;
mod limits;
mod openapi;
pub(crate) mod page;
mod path;
mod problem;
mod socket;

mod agents;
pub(crate) mod auth;
mod gpus;
mod health;
mod instances;
pub(crate) mod jobs;
mod leases;
mod payments;
mod providers;
mod receipts;
mod wallets;
mod ws;
mod x402;

pub(crate) use limits::{Client, Peer, Rates};
pub(crate) use openapi::Contract;
pub use openapi::openapi;

use axum::{Router, extract::Request, http::Uri, middleware, routing::get};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{GatewayConfig, GatewayError, idempotency, state::Shared};

/// The routes that the contract of the API describes, each by its handler.
fn api() -> OpenApiRouter<Shared> {
    OpenApiRouter::with_openapi(openapi::base())
        .routes(routes!(health::health))
        .routes(routes!(health::ready::ready))
        .routes(routes!(gpus::list::list))
        .routes(routes!(gpus::show::show))
        .routes(routes!(providers::available::available))
        .routes(routes!(providers::check_new::check_new))
        .routes(routes!(providers::show::show))
        .routes(routes!(providers::metrics::metrics))
        .routes(routes!(providers::earnings::earnings))
        .routes(routes!(providers::register::register))
        .routes(routes!(providers::availability::availability))
        .routes(routes!(providers::price::price))
        .routes(routes!(providers::stake::show, providers::stake::stake))
        .routes(routes!(providers::stake::unstake))
        .routes(routes!(auth::nonce::nonce))
        .routes(routes!(auth::verify::verify))
        .routes(routes!(auth::signup::signup))
        .routes(routes!(auth::login::login))
        .routes(routes!(auth::refresh::refresh))
        .routes(routes!(auth::link::link))
        .routes(routes!(auth::logout::logout))
        .routes(routes!(auth::me::me))
        .routes(routes!(jobs::list::list, jobs::create::create))
        .routes(routes!(jobs::list::history))
        .routes(routes!(jobs::show::show))
        .routes(routes!(jobs::status::status))
        .routes(routes!(jobs::terms::terms))
        .routes(routes!(jobs::events::events))
        .routes(routes!(jobs::result::result))
        .routes(routes!(jobs::stop::stop))
        .routes(routes!(jobs::ready::ready))
        .routes(routes!(jobs::logs::logs))
        .routes(routes!(jobs::metrics::metrics))
        .routes(routes!(x402::jobs::create))
        .routes(routes!(x402::facilitator::verify))
        .routes(routes!(x402::facilitator::settle))
        .routes(routes!(x402::facilitator::supported))
        .routes(routes!(x402::facilitator::discovery))
        .routes(routes!(wallets::balance::mine))
        .routes(routes!(wallets::balance::of))
        .routes(routes!(wallets::deposit::deposit))
        .routes(routes!(wallets::withdraw::withdraw))
        .routes(routes!(wallets::withdraw::list))
        .routes(routes!(wallets::transactions::list))
        .routes(routes!(wallets::analytics::analytics))
        .routes(routes!(wallets::suspense::list))
        .routes(routes!(payments::stream::stream))
        .routes(routes!(disputes::list::list))
        .routes(routes!(disputes::show::show))
        .routes(routes!(disputes::resolve::resolve))
        .routes(routes!(disputes::open::open))
        .routes(routes!(instances::list::mine))
        .routes(routes!(instances::show::instance, instances::stop::end))
        .routes(routes!(leases::create::create))
        .routes(routes!(leases::tick::tick))
        .routes(routes!(leases::reads::show))
        .routes(routes!(leases::reads::logs))
        .routes(routes!(leases::reads::result))
        .routes(routes!(leases::stop::stop))
        .routes(routes!(receipts::list::list))
        .routes(routes!(receipts::show::show))
        .routes(routes!(receipts::timeline::timeline))
        .routes(routes!(receipts::verify::verify))
        .routes(routes!(receipts::page::page))
        .routes(routes!(openapi::contract))
        .routes(routes!(docs::page))
}

/// Everything that the gateway answers.
pub(crate) fn router(shared: &Shared, config: &GatewayConfig) -> Router {
    let (described, _) = api().split_for_parts();
    let api = described
        .route("/api/v1/ws", get(ws::connect))
        .route("/api/v1/instances/{id}/logs", get(instances::logs::connect))
        .route("/api/v1/instances/{id}/metrics", get(instances::metrics::connect))
        .route("/api/v1/x402/leases/{id}/tick", get(leases::tick::offer))
        .route("/api/v1/discovery/resources", get(x402::facilitator::discovery))
        .route(wire::link::PATH, get(agents::link::connect))
        .layer(middleware::from_fn_with_state(shared.clone(), idempotency::guard))
        .with_state(shared.clone())
        .merge(content::router(shared, config))
        .fallback(unknown)
        .method_not_allowed_fallback(method);
    // A layer of the router that routes would come too late to change the path.
    Router::new()
        .fallback_service(api)
        .layer(middleware::from_fn_with_state(shared.clone(), limits::limit))
        .layer(middleware::from_fn(cors::share))
        .layer(middleware::map_request(path::normalise))
}

async fn unknown(uri: Uri) -> GatewayError {
    let path: String = uri.path().chars().take(120).collect();
    GatewayError::NotFound { what: format!("there is nothing at {path}; the API begins at /api/v1/health") }
}

async fn method(request: Request) -> GatewayError {
    GatewayError::Method { method: request.method().to_string() }
}
