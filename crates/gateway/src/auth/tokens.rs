//! Tokens of accounts: a short session, and a longer word that makes the next one, once.

use alloy_primitives::{Address, B256, keccak256};
use axum::http::{HeaderMap, header};
use market::Timestamp;
use store::AccountId;
use wire::http::AccountSessionJson;

use super::token_hash;
use crate::{
    GatewayError,
    config::{ACCOUNT_SESSION_FOR, REFRESH_FOR},
    http::auth::time,
    state::{Shared, now},
};

/// The name of the cookie that carries the word for the next session.
pub(crate) const REFRESH_COOKIE: &str = "bourse_refresh";

/// Begins a session of an account.
pub(crate) async fn begin(shared: &Shared, account: AccountId) -> Result<AccountSessionJson, GatewayError> {
    // Its last 20 bytes stand for it where an address does; no key signs for them.
    shared.rates.session(Address::from_word(account.0))?;
    let (token, refresh_token) = (format!("{:x}", super::random::<B256>()?), format!("{:x}", super::random::<B256>()?));
    let at = now();
    let (expires, refresh_expires) = (at + ACCOUNT_SESSION_FOR.as_secs(), at + REFRESH_FOR.as_secs());
    let keep = |hash, until| shared.store.new_account_session(hash, account.0, Timestamp(at), Timestamp(until));
    keep(token_hash(&token), expires).await?;
    keep(refresh_hash(&refresh_token), refresh_expires).await?;
    Ok(AccountSessionJson {
        token,
        refresh_token,
        token_type: "bearer".into(),
        account: account.0,
        expires_at: time(expires),
        refresh_expires_at: time(refresh_expires),
    })
}

/// Uses the word for the next session up and begins that.
pub(crate) async fn next(shared: &Shared, refresh_token: &str) -> Result<AccountSessionJson, GatewayError> {
    let taken = shared.store.take_session(refresh_hash(refresh_token), Timestamp(now())).await?;
    let account = taken.and_then(|row| row.account);
    let gone = "the refresh token was used or has expired; sign in again with POST /api/v1/auth/login";
    let account = account.ok_or_else(|| GatewayError::SignIn { reason: gone.into() })?;
    begin(shared, AccountId(account)).await
}

/// What the store knows of a word for the next session: another digest than that of a session's token, so that neither
/// can stand for the other.
pub(crate) fn refresh_hash(token: &str) -> B256 {
    keccak256(format!("bourse refresh token {token}"))
}

/// The word in a browser's cookie.
pub(crate) fn refresh_cookie(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    pairs.flat_map(|value| value.split(';')).find_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == REFRESH_COOKIE).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neither_token_stands_for_the_other() {
        let word = "ab".repeat(32);
        assert_ne!(refresh_hash(&word), token_hash(&word));
        assert_ne!(refresh_hash(&word), token_hash(&format!("bourse refresh token {word}")));
    }
}
