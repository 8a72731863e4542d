//! Who is asking: a session, by bearer token or by cookie; and whose a job is.
//!
//! A token is 32 random bytes; the store knows only its sha2-256. A cookie travels by itself, so what it authenticates
//! and changes something must come from this gateway's own pages; a bearer token is put there by who holds it.

mod origin;
pub(crate) use origin::{authority, origins, sign_in_origins};

pub(crate) mod siwe;
pub(crate) mod tokens;

use std::convert::Infallible;

use alloy_primitives::{Address, B256};
use aws_lc_rs::digest::{SHA256, digest};
use axum::{
    extract::FromRequestParts,
    http::{HeaderMap, Method, header, request::Parts},
};
use market::{JobId, Timestamp};
use store::{JobRow, ProviderRow};

use crate::{
    GatewayError,
    state::{Shared, now},
};

/// The name of the cookie that carries a session's token.
pub(crate) const COOKIE: &str = "bourse_session";

/// A request by somebody who signed in; 401 without. Who signed in with a password has an address that no key signs for.
pub(crate) struct SignedIn(pub(crate) Address);

/// A request by somebody who signed in with a wallet, and so can sign what is prepared for him; 403 for others.
pub(crate) struct ByWallet(pub(crate) Address);

/// A request by somebody who may have signed in. A bearer token that is no longer good is refused, a cookie that is no
/// longer good is nobody: browsers send theirs with everything.
pub(crate) struct Caller(pub(crate) Option<Address>);

/// A session that is good now.
pub(crate) struct Session {
    pub(crate) address: Address,
    /// The account of who signed in with a password.
    pub(crate) account: Option<B256>,
    pub(crate) expires: Timestamp,
    /// What the store knows of its token.
    pub(crate) hash: B256,
}

/// A token as it came with a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Presented<'a> {
    Bearer(&'a str),
    Cookie(&'a str),
}

impl<'a> Presented<'a> {
    /// A bearer token goes before a cookie: it was put there on purpose.
    pub(crate) fn of(headers: &'a HeaderMap) -> Option<Self> {
        bearer(headers).map(Self::Bearer).or_else(|| cookie(headers).map(Self::Cookie))
    }

    /// What the store knows of it.
    pub(crate) fn hash(&self) -> B256 {
        let (Self::Bearer(token) | Self::Cookie(token)) = self;
        token_hash(token)
    }
}

/// Bytes that nobody can guess.
pub(crate) fn random<T: Default + AsMut<[u8]>>() -> Result<T, GatewayError> {
    let mut bytes = T::default();
    aws_lc_rs::rand::fill(bytes.as_mut()).map_err(|_| GatewayError::Busy { what: "no randomness now" })?;
    Ok(bytes)
}

/// What the store knows of a token.
pub(crate) fn token_hash(token: &str) -> B256 {
    B256::from_slice(digest(&SHA256, token.as_bytes()).as_ref())
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == COOKIE).then_some(value)
    })
}

/// Whether a browser says that a page of somebody else's sent this. Programs say nothing.
pub(crate) fn is_foreign_page(headers: &HeaderMap, origins: &[String]) -> bool {
    let speaks = headers.contains_key(header::ORIGIN) || headers.contains_key("sec-fetch-site");
    speaks && !is_own_page(headers, origins)
}

/// Whether a request that a cookie authenticates was made by a page of this gateway's (or, where `Sec-Fetch-Site` says
/// so, by a person who typed the address).
fn is_own_page(headers: &HeaderMap, origins: &[String]) -> bool {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let origin = text(header::ORIGIN.as_str()).map(|origin| origins.iter().any(|own| own == origin));
    let site = text("sec-fetch-site").map(|site| matches!(site, "same-origin" | "none"));
    match (origin, site) {
        (None, None) => false,
        (origin, site) => origin.unwrap_or(true) && site.unwrap_or(true),
    }
}

/// The session that a request comes with, if any. `strict`: whatever the method, a cookie counts only from our own
/// pages, as for a WebSocket, whose handshake is a GET that any page may send.
pub(crate) async fn session(
    shared: &Shared,
    method: &Method,
    headers: &HeaderMap,
    strict: bool,
) -> Result<Option<Session>, GatewayError> {
    let Some(presented) = Presented::of(headers) else {
        return Ok(None);
    };
    let hash = presented.hash();
    let found = shared.store.session(hash, Timestamp(now())).await?;
    match (found, &presented) {
        (Some(_), Presented::Cookie(_))
            if (strict || !method.is_safe())
                && !is_own_page(headers, &origins(shared.public_url.as_ref(), headers)) =>
        {
            Err(GatewayError::ForeignPage)
        }
        (Some(row), _) => {
            // His address is counted already; an account may have many.
            shared.rates.account(row.address, method)?;
            Ok(Some(Session { address: row.address, account: row.account, expires: row.expires, hash }))
        }
        (None, Presented::Bearer(_)) => Err(GatewayError::NotSignedIn { reason: "the bearer token is not good now" }),
        (None, Presented::Cookie(_)) => Ok(None),
    }
}

impl FromRequestParts<Shared> for Session {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, GatewayError> {
        let found = session(shared, &parts.method, &parts.headers, false).await?;
        found.ok_or(GatewayError::NotSignedIn { reason: "nobody is signed in" })
    }
}

impl FromRequestParts<Shared> for SignedIn {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, GatewayError> {
        Session::from_request_parts(parts, shared).await.map(|session| Self(session.address))
    }
}

impl FromRequestParts<Shared> for ByWallet {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, GatewayError> {
        let session = Session::from_request_parts(parts, shared).await?;
        match session.account {
            None => Ok(Self(session.address)),
            Some(_) => Err(GatewayError::NoWallet),
        }
    }
}

impl FromRequestParts<Shared> for Caller {
    type Rejection = GatewayError;

    async fn from_request_parts(parts: &mut Parts, shared: &Shared) -> Result<Self, GatewayError> {
        let found = session(shared, &parts.method, &parts.headers, false).await?;
        Ok(Self(found.map(|session| session.address)))
    }
}

/// The headers of a request, which always has some.
pub(crate) struct Headers(pub(crate) HeaderMap);

impl<S: Send + Sync> FromRequestParts<S> for Headers {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.headers.clone()))
    }
}

/// Whether `who` is a party of the job: its renter, its controller, or its provider's owner or agent.
pub(crate) fn is_party(job: &JobRow, provider: &ProviderRow, who: Address) -> bool {
    [job.terms.renter, job.terms.controller, provider.owner, provider.agent].contains(&who)
}

/// The same, and of a job that the market's treasury pays for also whoever's money it is: the account that it is held
/// for, and the wallets that proved to belong to that.
pub(crate) async fn is_party_of(shared: &Shared, job: &JobRow, who: Address) -> Result<bool, GatewayError> {
    let provider = shared.store.provider(job.provider).await?;
    if provider.is_some_and(|provider| is_party(job, &provider, who)) {
        return Ok(true);
    }
    crate::funding::pays_for(shared, job.id, who).await
}

/// Whether `who` operates this gateway.
pub(crate) fn is_operator(shared: &Shared, who: Address) -> bool {
    shared.operators.contains(&who)
}

/// The job, when `who` is a party of it as the store has it.
pub(crate) async fn job_of_party(shared: &Shared, job: JobId, who: Address) -> Result<JobRow, GatewayError> {
    let row = shared.store.job(job).await?.ok_or_else(|| GatewayError::NotFound {
        what: format!("there is no job {job} in this market; one that was created a moment ago appears with its block"),
    })?;
    if is_party_of(shared, &row, who).await? {
        return Ok(row);
    }
    let reason = "only the job's renter, its controller and its provider may".into();
    Err(GatewayError::Forbidden { who, reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    #[test]
    fn a_token_comes_as_bearer_or_cookie() {
        let check = |pairs: &[(&'static str, &str)], expected: Option<Presented<'static>>| {
            assert_eq!(Presented::of(&headers(pairs)), expected, "{pairs:?}");
        };
        check(&[], None);
        check(&[("authorization", "Bearer abc")], Some(Presented::Bearer("abc")));
        check(&[("authorization", "bearer abc")], Some(Presented::Bearer("abc")));
        check(&[("authorization", "Bourse 0x00 1 0x00")], None);
        check(&[("authorization", "Bearer")], None);
        check(&[("cookie", "a=b; bourse_session=abc; c=d")], Some(Presented::Cookie("abc")));
        check(&[("cookie", "xbourse_session=abc")], None);
        check(&[("cookie", "bourse_session=a"), ("authorization", "Bearer b")], Some(Presented::Bearer("b")));
    }

    #[test]
    fn a_cookie_counts_only_from_our_own_pages() {
        let own = ["https://gate.example".to_owned()];
        let check = |pairs: &[(&'static str, &str)], expected| {
            assert_eq!(is_own_page(&headers(pairs), &own), expected, "{pairs:?}");
        };
        check(&[], false);
        check(&[("origin", "https://gate.example")], true);
        check(&[("origin", "https://evil.example")], false);
        check(&[("origin", "null")], false);
        check(&[("sec-fetch-site", "same-origin")], true);
        check(&[("sec-fetch-site", "none")], true);
        check(&[("sec-fetch-site", "same-site")], false);
        check(&[("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "https://gate.example"), ("sec-fetch-site", "cross-site")], false);
        check(&[("origin", "https://evil.example"), ("sec-fetch-site", "same-origin")], false);
    }
}
