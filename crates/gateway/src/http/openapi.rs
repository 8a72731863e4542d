//! `GET /api/v1/openapi.json`: the contract of the API, gathered from the handlers.

use std::collections::BTreeMap;

use axum::{
    extract::State,
    http::header,
    response::{IntoResponse, Response},
};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, RefOr,
        path::{Operation, PathItem},
        response::Response as Described,
        security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme},
    },
};
use wire::{
    http::Problem,
    schema::{Account, BytesHex, Hash, SignatureHex},
};

use crate::{auth::COOKIE, state::Shared};

/// The name of the security scheme of programs.
const BEARER: &str = "bearer";
/// The name of the security scheme of browsers.
const SESSION: &str = "session";

/// How a path names a provider: its number, or the address of its owner or its agent.
#[derive(utoipa::ToSchema)]
#[schema(value_type = String, pattern = "^([0-9]{1,9}|0x[0-9a-fA-F]{40})$", example = "1")]
pub(crate) struct ProviderName(#[expect(dead_code, reason = "only described")] String);

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Bourse",
        description = "An open exchange for GPU time. Money is `{amount, token}`: digits are smallest units, a value \
                       with a point whole tokens. Errors are RFC 9457 `application/problem+json`. Lists page with \
                       `limit` and an opaque `cursor`. `/api/x` answers as `/api/v1/x`.",
        license(name = "Apache-2.0", identifier = "Apache-2.0"),
    ),
    components(schemas(Problem, ProviderName, Account, BytesHex, Hash, SignatureHex)),
    tags(
        (name = "gpus", description = "What can be rented."),
        (name = "providers", description = "Who rents it out."),
        (name = "jobs", description = "What runs: create, read, control."),
        (name = "wallets", description = "Money that the market keeps for people."),
        (name = "x402", description = "Payments over HTTP, for clients that can do no more than pay."),
        (name = "disputes", description = "What is contested, and who decides."),
        (name = "receipts", description = "What is proven."),
        (name = "auth", description = "Signing in with a wallet."),
        (name = "health", description = "Whether this gateway works."),
        (name = "contract", description = "This description."),
    ),
)]
struct Base;

/// What every gateway of this release answers, without the paths.
pub(super) fn base() -> utoipa::openapi::OpenApi {
    let mut api = Base::openapi();
    let components = api.components.get_or_insert_default();
    let bearer = Http::builder()
        .scheme(HttpAuthScheme::Bearer)
        .description(Some("The token of `POST /api/v1/auth/siwe/verify`, for programs."));
    components.add_security_scheme(BEARER, SecurityScheme::Http(bearer.build()));
    let cookie = ApiKeyValue::with_description(COOKIE, "The same token as browsers get it.");
    components.add_security_scheme(SESSION, SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    api
}

/// Adds to each operation the problems that any may answer.
fn finish(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut api.paths.paths {
        let named = path.contains('{');
        for (method, operation) in operations(item) {
            operation.operation_id = Some(id(method, path));
            title(operation);
            common(operation, named);
        }
    }
    api
}

/// A name that no other operation has: `getJobsByIdEvents`.
fn id(method: &str, path: &str) -> String {
    let parts = path.trim_start_matches("/api/v1/").split(['/', '-', '.']).filter(|part| !part.is_empty());
    parts.fold(method.to_owned(), |mut id, part| {
        let (by, name) = match part.strip_prefix('{') {
            Some(name) => ("By", name.trim_end_matches('}')),
            None => ("", part),
        };
        id.push_str(by);
        let mut letters = name.chars();
        id.extend(letters.next().map(|first| first.to_ascii_uppercase()));
        id.push_str(letters.as_str());
        id
    })
}

/// A handler that says everything in one paragraph has its first sentence for a title.
fn title(operation: &mut Operation) {
    let Some(summary) = operation.summary.take() else { return };
    let words = summary.split_whitespace().collect::<Vec<_>>().join(" ");
    let first = words.split_once(". ").map_or(words.as_str(), |(first, _)| first).trim_end_matches('.').to_owned();
    if words != first && operation.description.is_none() {
        operation.description = Some(words);
    }
    operation.summary = Some(first);
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = (&'static str, &mut Operation)> {
    let methods = [
        ("get", &mut item.get),
        ("post", &mut item.post),
        ("put", &mut item.put),
        ("patch", &mut item.patch),
        ("delete", &mut item.delete),
    ];
    methods.into_iter().filter_map(|(method, operation)| Some((method, operation.as_mut()?)))
}

fn common(operation: &mut Operation, named: bool) {
    let has_body = operation.request_body.is_some();
    let has_parameters = operation.parameters.as_ref().is_some_and(|parameters| !parameters.is_empty());
    let signed_in = operation.security.as_ref().is_some_and(|security| !security.is_empty());
    let problems = [
        (has_body || has_parameters, "400", "Something in the request cannot be read; `field` says what."),
        (signed_in, "401", "Nobody is signed in, or no longer."),
        (signed_in, "403", "Whoever is signed in may not do this."),
        (named, "404", "There is no such thing."),
        (has_body, "408", "The body did not come in time."),
        (has_body, "413", "The body is larger than its limit."),
        (true, "429", "Too many requests; `Retry-After` says when to come again."),
        (true, "503", "Something that this gateway depends on does not answer now."),
    ];
    let responses: &mut BTreeMap<String, RefOr<Described>> = &mut operation.responses.responses;
    for (_, status, words) in problems.into_iter().filter(|(applies, ..)| *applies) {
        responses.entry(status.into()).or_insert_with(|| described(words).into());
    }
    let summary = operation.summary.as_deref().unwrap_or_default();
    for (status, response) in responses {
        let RefOr::T(response) = response else { continue };
        if response.description.is_empty() {
            response.description = summary.to_owned();
        }
        // A handler names its own problems by status and words; how they look is the same for all.
        if status.starts_with(['4', '5']) && response.content.is_empty() {
            *response = described(&response.description);
        }
    }
}

fn described(words: &str) -> Described {
    let problem = Content::new(Some(Ref::from_schema_name("Problem")));
    Described::builder().description(words).content("application/problem+json", problem).build()
}

/// What the API is, as OpenAPI.
#[must_use]
pub fn openapi() -> utoipa::openapi::OpenApi {
    finish(super::api().into_openapi())
}

/// The description as text; made once for each gateway.
#[derive(Clone)]
pub(crate) struct Contract(axum::body::Bytes);

impl Contract {
    pub(crate) fn new() -> Self {
        // All of it has a JSON form; an empty text would only mean that this stops being so.
        Self(openapi().to_pretty_json().unwrap_or_default().into())
    }
}

impl IntoResponse for Contract {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// This description
#[utoipa::path(get, path = "/api/v1/openapi.json", tag = "contract", responses((status = 200, description = "OpenAPI 3.1.", body = Object)))]
pub(crate) async fn contract(State(shared): State<Shared>) -> Contract {
    shared.contract.clone()
}
