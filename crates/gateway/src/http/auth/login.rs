//! `POST /api/v1/auth/login`: e-mail address and password become a session.

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::Response,
};
use market::Timestamp;
use serde_json::{Map, Value};
use url::form_urlencoded;
use wire::http::{AccountSessionJson, LoginBody};

use super::opened;
use crate::{
    GatewayError,
    auth::{Headers, tokens},
    http::{Client, body, page::malformed},
    state::{Shared, now},
    wallet::{account_refused, kept},
};

/// Forms of OAuth 2 programs carry these too; they mean nothing here.
const PASSED_OVER: [&str; 3] = ["scope", "client_id", "client_secret"];

/// Sign in with e-mail address and password, as JSON or as a form. The session is good for an hour; the refresh token
/// makes the next one. After five wrong passwords the account rests, each time longer.
#[utoipa::path(post, path = "/api/v1/auth/login", tag = "auth",
    request_body(content(
        (LoginBody = "application/json"),
        (LoginBody = "application/x-www-form-urlencoded"),
    )),
    responses(
        (status = 200, description = "Signed in.", body = AccountSessionJson),
        (status = 401, description = "Address or password is wrong."),
        (status = 501, description = "This gateway keeps no money, and so no accounts."),
    ),
)]
pub(crate) async fn login(
    State(shared): State<Shared>,
    Headers(headers): Headers,
    Client(from): Client,
    body::Bytes(bytes): body::Bytes,
) -> Result<Response, GatewayError> {
    let accounts = &kept(&shared)?.accounts;
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let body = match kind.starts_with("application/x-www-form-urlencoded") {
        true => form(&bytes)?,
        false => body::parse(&bytes)?,
    };
    let known = accounts.log_in(&body.email, &body.password, from, Timestamp(now())).await;
    let account = known.map_err(account_refused)?;
    let session = tokens::begin(&shared, account).await?;
    Ok(opened(&shared, &headers, StatusCode::OK, session))
}

fn form(bytes: &[u8]) -> Result<LoginBody, GatewayError> {
    let mut fields = Map::new();
    for (name, value) in form_urlencoded::parse(bytes) {
        if PASSED_OVER.contains(&name.as_ref()) {
            continue;
        }
        if fields.insert(name.to_string(), Value::String(value.into_owned())).is_some() {
            return Err(malformed(&name, "is given twice; leave one"));
        }
    }
    serde_json::from_value(Value::Object(fields)).map_err(|error| malformed("body", error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_reads_like_the_json() {
        let read = |text: &str| form(text.as_bytes()).map(|body| (body.email, body.password));
        let (email, password) =
            read("username=user%40example.com&password=a+b%2Bc&grant_type=password&scope=").unwrap();
        assert_eq!((email.as_str(), password.as_str()), ("user@example.com", "a b+c"));
        for bad in ["", "username=a", "username=a&username=b&password=c", "username=a&password=b&colour=red"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
