//! Accounts with e-mail address and password: what is accepted, and how a password is looked at.
//!
//! A password is kept as an Argon2id digest with the crate's defaults (RFC 9106, 19 MiB, two passes). Whether an address
//! has an account cannot be told from how long a wrong password takes. Wrong ones are counted in the database, before
//! they are looked at, so that neither many connections nor many gateways give more of them.

use alloy_primitives::B256;
use argon2::{
    Argon2,
    password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString},
};
use market::Timestamp;
use store::{AccountId, EMAIL_BYTES_MAX, UserRow};

use crate::{
    GatewayError,
    config::{
        PASSWORD_CHARS_MAX, PASSWORD_CHARS_MIN, PASSWORD_LOCK_MAX_S, PASSWORD_LOCK_S, PASSWORD_WITHIN,
        PASSWORDS_WRONG_MAX,
    },
    http::page::malformed,
    state::{Shared, now},
};

/// Makes an account. No letter is sent: the address names the account and proves nothing.
pub(crate) async fn sign_up(shared: &Shared, email: &str, password: &str) -> Result<AccountId, GatewayError> {
    let email = normalised(email)?;
    let chars = password.chars().count();
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&chars) {
        let reason = format!("has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; several words are good");
        return Err(malformed("password", reason));
    }
    if password.to_lowercase() == email {
        return Err(malformed("password", "is the e-mail address; anybody would try that first"));
    }
    let digest = hashed(shared, password.to_owned()).await?;
    let account = AccountId(super::random::<B256>()?);
    let row = UserRow {
        account,
        email,
        password: digest,
        created_at: Timestamp(now()),
        failed: 0,
        locked_until: Timestamp(0),
    };
    if shared.store.new_user(&row).await? {
        return Ok(account);
    }
    let what = "this e-mail address has an account: sign in with POST /api/v1/auth/login".into();
    Err(GatewayError::Conflict { what })
}

/// Whose address and password these are.
pub(crate) async fn log_in(shared: &Shared, email: &str, password: &str) -> Result<AccountId, GatewayError> {
    let wrong = || GatewayError::SignIn {
        reason: "e-mail address or password is wrong; after many wrong ones wait for a while".into(),
    };
    let row = match normalised(email) {
        Ok(email) => shared.store.user_by_email(&email).await?,
        Err(_) => None,
    };
    let at = now();
    // An account that rests answers like one that nobody has, or the answer would tell them apart.
    let is_looked_at = |row: &UserRow| row.locked_until.0 <= at && password.chars().count() <= PASSWORD_CHARS_MAX;
    let Some(row) = row.filter(is_looked_at) else {
        // As long as it takes to look at one.
        hashed(shared, "no password".into()).await?;
        return Err(wrong());
    };
    let locked_until = locked_until(row.failed.saturating_add(1), at);
    if !shared.store.count_attempt(&row, Timestamp(locked_until)).await? {
        // Somebody else tries at this moment, and was quicker.
        hashed(shared, "no password".into()).await?;
        return Err(wrong());
    }
    if !is_right(shared, password.to_owned(), row.password).await? {
        return Err(wrong());
    }
    shared.store.forget_attempts(row.account).await?;
    Ok(row.account)
}

/// Until when no password is looked at after so many wrong ones; each further one doubles the time.
fn locked_until(failed: u32, at: u64) -> u64 {
    match failed.checked_sub(PASSWORDS_WRONG_MAX) {
        None => 0,
        Some(more) => at + PASSWORD_LOCK_S.saturating_mul(1 << more.min(20)).min(PASSWORD_LOCK_MAX_S),
    }
}

/// One spelling of an address: what is before the @ is not looked into, and no two accounts differ in case alone.
fn normalised(email: &str) -> Result<String, GatewayError> {
    let email = email.trim().to_lowercase();
    let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_plain = email.chars().all(|char| !char.is_whitespace() && !char.is_control());
    let is_address = parts.is_some_and(|(_, host)| !host.contains('@')) && is_plain && email.len() <= EMAIL_BYTES_MAX;
    if !is_address {
        return Err(malformed("email", "is no e-mail address; write it like name@host.example"));
    }
    Ok(email)
}

async fn hashed(shared: &Shared, password: String) -> Result<String, GatewayError> {
    let salt: [u8; 16] = super::random()?;
    let digest = at_work(shared, move || {
        let salt = SaltString::encode_b64(&salt).ok()?;
        Argon2::default().hash_password(password.as_bytes(), &salt).ok().map(|digest| digest.to_string())
    });
    digest.await?.ok_or(GatewayError::Busy { what: "the password cannot be kept" })
}

async fn is_right(shared: &Shared, password: String, digest: String) -> Result<bool, GatewayError> {
    at_work(shared, move || {
        let digest = PasswordHash::new(&digest).ok();
        digest.is_some_and(|digest| Argon2::default().verify_password(password.as_bytes(), &digest).is_ok())
    })
    .await
}

/// Each takes a processor and 19 MiB for a while: few at once.
async fn at_work<T: Send + 'static>(
    shared: &Shared,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, GatewayError> {
    let busy = || GatewayError::Busy { what: "too many passwords are being looked at" };
    let permit = tokio::time::timeout(PASSWORD_WITHIN, shared.passwords.acquire()).await;
    let _permit = permit.map_err(|_| busy())?.map_err(|_| busy())?;
    tokio::task::spawn_blocking(work).await.map_err(|_| busy())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_one_spelling() {
        assert_eq!(normalised(" Ann@Host.Example ").unwrap(), "ann@host.example");
        for bad in ["", "ann", "@host", "ann@", "a@b@c", "a b@host", "a\n@host", &format!("{}@host", "a".repeat(254))] {
            assert!(normalised(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn wrong_passwords_cost_more_and_more_time() {
        let waits: Vec<_> =
            (PASSWORDS_WRONG_MAX - 1..PASSWORDS_WRONG_MAX + 3).map(|failed| locked_until(failed, 0)).collect();
        assert_eq!(waits, [0, PASSWORD_LOCK_S, 2 * PASSWORD_LOCK_S, 4 * PASSWORD_LOCK_S]);
        assert_eq!(locked_until(u32::MAX, 7), 7 + PASSWORD_LOCK_MAX_S);
    }
}
