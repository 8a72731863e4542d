//! Accounts of people who hold no key: e-mail address and password.
//!
//! Passwords are looked at by Argon2id with at least the cost that OWASP's cheat sheet asks for, a few at a time, and
//! as long for an address that nobody has as for one that somebody has.

use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use alloy_primitives::{Address, B256};
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{Algorithm, Argon2, Params, Version};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use market::Timestamp;
use store::{AccountId, DepositState, EMAIL_BYTES_MAX, Store, UserRow};
use tokio::sync::Semaphore;

use crate::PaymentsError;
use crate::ledger::{Ledger, Posting};

/// Memory of one look at a password, in KiB. Source: OWASP Password Storage Cheat Sheet.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory. Same source.
pub const PASSES: u32 = 2;
/// Lanes. Same source.
pub const LANES: u32 = 1;
/// Passwords that are looked at beside each other: more would take memory and processors from everybody else.
pub const LOOKS_AT_ONCE: usize = 4;
/// How long a look may wait for its turn before the caller is told to come back.
pub const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// The shortest password (NIST SP 800-63B, 3.1.1.2, for passwords that are all there is, rounded down to what people
/// accept).
pub const PASSWORD_CHARS_MIN: usize = 10;
/// The longest password: longer ones are attacks on the digest.
pub const PASSWORD_BYTES_MAX: usize = 1024;
/// Wrong passwords in a row before an account looks at none for a while.
pub const WRONG_MAX: u32 = 10;
/// For how long, in seconds.
pub const LOCKED_S: u64 = 15 * 60;
/// Tries of one network address in a minute; families and offices share one.
pub const TRIES_A_MINUTE: NonZeroU32 = NonZeroU32::MIN.saturating_add(19);
/// Network addresses that are remembered before those that were quiet are forgotten.
const ADDRESSES_MAX: usize = 100_000;

/// Accounts with passwords. Clones share the limits.
#[derive(Clone)]
pub struct Accounts {
    ledger: Ledger,
    looks: Arc<Semaphore>,
    tries: Arc<DefaultKeyedRateLimiter<IpAddr>>,
    /// A digest of nobody's password, so that nobody's account takes as long as somebody's.
    nobody: Arc<str>,
}

impl std::fmt::Debug for Accounts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Accounts(..)")
    }
}

impl Accounts {
    /// The accounts of this database.
    pub async fn new(ledger: Ledger) -> Result<Self, PaymentsError> {
        let salt = rand::random::<[u8; 16]>();
        let nobody = blocking(move || digest(&rand::random::<u128>().to_string(), &salt)).await?;
        Ok(Self {
            ledger,
            looks: Arc::new(Semaphore::new(LOOKS_AT_ONCE)),
            tries: Arc::new(RateLimiter::keyed(Quota::per_minute(TRIES_A_MINUTE))),
            nobody: nobody.into(),
        })
    }

    fn store(&self) -> &Store {
        self.ledger.store()
    }

    /// Makes an account. Its id is 32 bytes by chance; no key can sign for it.
    pub async fn sign_up(
        &self,
        email: &str,
        password: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<AccountId, PaymentsError> {
        let email = normalise(email)?;
        check_password(password, &email)?;
        self.count(from)?;
        let (password, salt) = (password.to_owned(), rand::random::<[u8; 16]>());
        let password = self.look(move || digest(&password, &salt)).await?;
        let account = loop {
            let id = AccountId(B256::from(rand::random::<[u8; 32]>()));
            // An id that looks like an address would be somebody else's.
            if id.0[..12].iter().any(|byte| *byte != 0) {
                break id;
            }
        };
        let row = UserRow { account, email, password, created_at: now, failed: 0, locked_until: Timestamp(0) };
        if !self.store().new_user(&row).await? {
            return Err(PaymentsError::EmailTaken);
        }
        Ok(account)
    }

    /// Whose account this is. The answer and its time are the same for a wrong password, for an e-mail address that
    /// nobody has, and for an account that had too many wrong ones.
    pub async fn log_in(
        &self,
        email: &str,
        password: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<AccountId, PaymentsError> {
        self.count(from)?;
        if password.len() > PASSWORD_BYTES_MAX {
            return Err(PaymentsError::WrongCredentials);
        }
        let user = match normalise(email) {
            Ok(email) => self.store().user_by_email(&email).await?,
            Err(_) => None,
        };
        // Counted before the password is looked at: of many at once no more than allowed are looked at.
        let user = match user {
            Some(user) if user.locked_until <= now => self.counted(user, now).await?,
            _ => None,
        };
        let (password, held) =
            (password.to_owned(), user.as_ref().map_or_else(|| self.nobody.to_string(), |it| it.password.clone()));
        let right = self.look(move || Ok(verify(&password, &held))).await?;
        let Some(user) = user.filter(|_| right) else { return Err(PaymentsError::WrongCredentials) };
        self.store().forget_attempts(user.account).await?;
        Ok(user.account)
    }

    /// Notes a try; nobody when the account is locked by now or others try at the same moment too often.
    async fn counted(&self, mut user: UserRow, now: Timestamp) -> Result<Option<UserRow>, PaymentsError> {
        for _ in 0..WRONG_MAX {
            let failed = user.failed + 1;
            // After the pause one more try is looked at, and a wrong one brings the next pause.
            let locked_until = if failed >= WRONG_MAX { Timestamp(now.0 + LOCKED_S) } else { Timestamp(0) };
            if self.store().count_attempt(&user, locked_until).await? {
                return Ok(Some(user));
            }
            match self.store().user(user.account).await? {
                Some(again) if again.locked_until <= now => user = again,
                _ => return Ok(None),
            }
        }
        Ok(None)
    }

    /// Changes a password; the old one must be right.
    pub async fn change_password(
        &self,
        email: &str,
        old: &str,
        new: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<AccountId, PaymentsError> {
        check_password(new, &normalise(email)?)?;
        let account = self.log_in(email, old, from, now).await?;
        let (new, salt) = (new.to_owned(), rand::random::<[u8; 16]>());
        let digest = self.look(move || digest(&new, &salt)).await?;
        self.store().set_password(account, &digest).await?;
        self.store().end_sessions(Address::from_word(account.0), Some(account.0)).await?;
        Ok(account)
    }

    /// Notes that an address proved by its signature to belong to an account; what it deposited before it was known
    /// is credited now. An address that belongs to another account stays there.
    pub async fn link(&self, address: Address, account: AccountId, now: Timestamp) -> Result<(), PaymentsError> {
        if self.store().link(address, account, now).await? != account {
            return Err(PaymentsError::LinkedElsewhere { address });
        }
        for row in self.store().suspense().await?.into_iter().filter(|row| row.sender == address) {
            debug_assert_eq!(row.state, DepositState::Suspense);
            let posting = Posting::SuspenseClaimed { deposit: row.key, round: row.round, account };
            self.ledger.post(posting, now).await?;
        }
        Ok(())
    }

    /// Counts a try of a network address.
    fn count(&self, from: IpAddr) -> Result<(), PaymentsError> {
        if self.tries.len() > ADDRESSES_MAX {
            self.tries.retain_recent();
        }
        self.tries.check_key(&network(from)).map_err(|_| PaymentsError::TooManyTries { wait_s: 60 })
    }

    /// Works on a password when there is a place for it.
    async fn look<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, PaymentsError> + Send + 'static,
    ) -> Result<T, PaymentsError> {
        let busy = |_| PaymentsError::TooManyTries { wait_s: LOOK_WITHIN.as_secs() };
        let place = tokio::time::timeout(LOOK_WITHIN, self.looks.clone().acquire_owned()).await.map_err(busy)?;
        // The place is given back when the work ends, even if the caller has gone.
        blocking(move || {
            let done = work();
            drop(place);
            done
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, PaymentsError> + Send + 'static,
) -> Result<T, PaymentsError> {
    tokio::task::spawn_blocking(work).await.map_err(|_| PaymentsError::Ended)?
}

fn hasher() -> Result<Argon2<'static>, PaymentsError> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|_| PaymentsError::Ended)?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn digest(password: &str, salt: &[u8; 16]) -> Result<String, PaymentsError> {
    let salt = SaltString::encode_b64(salt).map_err(|_| PaymentsError::Ended)?;
    let digest = hasher()?
        .hash_password(password.as_bytes(), &salt)
        .map_err(|_| PaymentsError::WeakPassword { why: "it cannot be kept" })?;
    Ok(digest.to_string())
}

/// The parameters of the digest itself are used, so that older digests go on working when the cost rises.
fn verify(password: &str, held: &str) -> bool {
    let Ok(held) = PasswordHash::new(held) else { return false };
    hasher().is_ok_and(|hasher| hasher.verify_password(password.as_bytes(), &held).is_ok())
}

/// An e-mail address as it is compared: without spaces around it, in small letters.
pub fn normalise(email: &str) -> Result<String, PaymentsError> {
    let email = email.trim().to_lowercase();
    let bad = |why| PaymentsError::BadEmail { why };
    if email.len() > EMAIL_BYTES_MAX {
        return Err(bad("it is too long"));
    }
    let (user, domain) = email.rsplit_once('@').ok_or_else(|| bad("it has no @"))?;
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
    if user.is_empty() || user.len() > 64 || email.chars().filter(|c| odd(*c)).count() > 1 {
        return Err(bad("what stands before the @ is no name"));
    }
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && !label.ends_with('-');
    if !domain.contains('.') || !domain.split('.').all(label) {
        return Err(bad("what stands after the @ is no domain"));
    }
    Ok(email)
}

fn check_password(password: &str, email: &str) -> Result<(), PaymentsError> {
    let weak = |why| Err(PaymentsError::WeakPassword { why });
    if password.chars().count() < PASSWORD_CHARS_MIN {
        return weak("it has fewer than 10 characters");
    }
    if password.len() > PASSWORD_BYTES_MAX {
        return weak("it has more than 1024 bytes");
    }
    let first = password.chars().next();
    if password.to_lowercase() == email || password.chars().all(|c| Some(c) == first) {
        return weak("it is the e-mail address, or one character again and again");
    }
    Ok(())
}

/// Of the sixth version of the protocol, people have 64 bits of addresses to themselves.
fn network(from: IpAddr) -> IpAddr {
    match from.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_compared_as_people_mean_them() {
        assert_eq!(normalise(" Ada@Example.COM ").unwrap(), "ada@example.com");
        for bad in
            ["", "ada", "@example.com", "ada@", "ada@example", "a b@example.com", "a@b@c.de", "ada@-x.com", "a@x..de"]
        {
            assert!(normalise(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords_that_anybody_guesses_are_refused() {
        for bad in ["short", "aaaaaaaaaaaa", "ADA@example.com"] {
            assert!(check_password(bad, "ada@example.com").is_err(), "{bad}");
        }
        assert!(check_password("correct horse battery", "ada@example.com").is_ok());
    }

    #[test]
    fn neighbours_of_the_sixth_version_count_as_one() {
        let one: IpAddr = "2001:db8:1:2::1".parse().unwrap();
        let other: IpAddr = "2001:db8:1:2:ffff::9".parse().unwrap();
        assert_eq!(network(one), network(other));
        assert_ne!(network(one), network("2001:db8:1:3::1".parse().unwrap()));
        assert_eq!(network("::ffff:10.0.0.1".parse().unwrap()), network("10.0.0.1".parse().unwrap()));
    }
}
