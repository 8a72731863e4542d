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
use store::{AccountId, EMAIL_BYTES_MAX, Store, UserRow};
use tokio::sync::Semaphore;

use crate::PaymentsError;
use crate::ledger::{Ledger, Posting};

/// Memory of one look at a password, in KiB. Source: OWASP Password Storage Cheat Sheet.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Passes over that memory. Same source.
pub const PASSES: u32 = 2;
/// Lanes. Same source.
pub const LANES: u32 = 1;
/// Passwords that are looked at beside each other: each takes a processor and that memory for some tens of milliseconds.
pub const LOOKS_AT_ONCE: usize = 2;
/// How long a look may wait for its turn before the caller is told to come back.
pub const LOOK_WITHIN: Duration = Duration::from_secs(10);
/// Characters of a password (NIST SP 800-63B, 5.1.1.2); the longest is more than any sentence.
pub const PASSWORD_CHARS_MIN: usize = 8;
/// See [`PASSWORD_CHARS_MIN`].
pub const PASSWORD_CHARS_MAX: usize = 256;
/// Wrong passwords in a row after which an account rests; each further one doubles the time.
pub const WRONG_MAX: u32 = 5;
/// For how long at first, in seconds.
pub const LOCKED_S: u64 = 30;
/// For how long at most, in seconds.
pub const LOCKED_MAX_S: u64 = 3600;
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

    /// Makes an account. Its id is 32 bytes by chance; no key can sign for it. No letter is sent: the e-mail address names
    /// the account and proves nothing. `from` is nobody where the caller's tries are not counted.
    pub async fn sign_up(
        &self,
        email: &str,
        password: &str,
        from: Option<IpAddr>,
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
        from: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<AccountId, PaymentsError> {
        self.count(from)?;
        let user = match normalise(email) {
            Ok(email) if password.chars().count() <= PASSWORD_CHARS_MAX => self.store().user_by_email(&email).await?,
            _ => None,
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
            // After the pause one more try is looked at, and a wrong one brings the next pause.
            let locked_until = locked_until(user.failed.saturating_add(1), now);
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
        from: Option<IpAddr>,
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
    /// is credited now. An address that belongs to another account stays there, and so does one with money of its own,
    /// which nobody could reach any more.
    pub async fn link(&self, address: Address, account: AccountId, now: Timestamp) -> Result<(), PaymentsError> {
        let own = AccountId::of(address);
        if own != account && self.store().owner(address).await?.is_none() && !self.is_empty(own).await? {
            return Err(PaymentsError::OwnMoney { address });
        }
        if self.store().link(address, account, now).await? != account {
            return Err(PaymentsError::LinkedElsewhere { address });
        }
        self.claim(address, account, now).await
    }

    /// Credits what an address sent before anybody knew whose it is; asked again it credits nothing twice.
    pub async fn claim(&self, address: Address, account: AccountId, now: Timestamp) -> Result<(), PaymentsError> {
        for row in self.store().suspense_of(address).await? {
            let posting = Posting::SuspenseClaimed { deposit: row.key, round: row.round, account };
            self.ledger.post(posting, now).await?;
        }
        Ok(())
    }

    /// Whether an account has no money here and owes none.
    async fn is_empty(&self, account: AccountId) -> Result<bool, PaymentsError> {
        let balances = self.store().balances(account).await?;
        Ok(balances.iter().all(|row| (row.available, row.held, row.owed) == (0, 0, 0)))
    }

    /// Counts a try of a network address.
    fn count(&self, from: Option<IpAddr>) -> Result<(), PaymentsError> {
        let Some(from) = from else { return Ok(()) };
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
        let place = tokio::time::timeout(LOOK_WITHIN, self.looks.clone().acquire_owned()).await;
        let place = place.map_err(|_| PaymentsError::LooksBusy)?;
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
        .map_err(|_| PaymentsError::WeakPassword { why: "cannot be kept".into() })?;
    Ok(digest.to_string())
}

/// The parameters of the digest itself are used, so that older digests go on working when the cost rises.
fn verify(password: &str, held: &str) -> bool {
    let Ok(held) = PasswordHash::new(held) else { return false };
    hasher().is_ok_and(|hasher| hasher.verify_password(password.as_bytes(), &held).is_ok())
}

/// Until when no password is looked at after so many wrong ones; each further one doubles the time.
fn locked_until(failed: u32, now: Timestamp) -> Timestamp {
    match failed.checked_sub(WRONG_MAX) {
        None => Timestamp(0),
        Some(more) => Timestamp(now.0 + LOCKED_S.saturating_mul(1 << more.min(20)).min(LOCKED_MAX_S)),
    }
}

/// One spelling of an e-mail address, without spaces around it and in small letters: what is before the @ is not looked
/// into, and no two accounts differ in case alone.
pub fn normalise(email: &str) -> Result<String, PaymentsError> {
    let email = email.trim().to_lowercase();
    let parts = email.split_once('@').filter(|(name, host)| !name.is_empty() && !host.is_empty());
    let is_plain = email.chars().all(|char| !char.is_whitespace() && !char.is_control());
    let is_address = parts.is_some_and(|(_, host)| !host.contains('@')) && is_plain && email.len() <= EMAIL_BYTES_MAX;
    is_address.then_some(email).ok_or(PaymentsError::BadEmail)
}

fn check_password(password: &str, email: &str) -> Result<(), PaymentsError> {
    let weak = |why: &str| Err(PaymentsError::WeakPassword { why: why.into() });
    if !(PASSWORD_CHARS_MIN..=PASSWORD_CHARS_MAX).contains(&password.chars().count()) {
        let reason = format!("has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters; several words are good");
        return weak(&reason);
    }
    let first = password.chars().next();
    if password.chars().all(|c| Some(c) == first) {
        return weak("is one character again and again; several words are good");
    }
    if password.to_lowercase() == email {
        return weak("is the e-mail address; anybody would try that first");
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
    fn an_address_has_one_spelling() {
        assert_eq!(normalise(" Ann@Host.Example ").unwrap(), "ann@host.example");
        for bad in ["", "ann", "@host", "ann@", "a@b@c", "a b@host", "a\n@host", &format!("{}@host", "a".repeat(254))] {
            assert!(normalise(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn passwords_that_anybody_guesses_are_refused() {
        let long = "ab".repeat(PASSWORD_CHARS_MAX);
        for bad in ["seven 7", &long, &long[..=PASSWORD_CHARS_MAX], "aaaaaaaaaaaa", "ADA@example.com"] {
            assert!(check_password(bad, "ada@example.com").is_err(), "{bad}");
        }
        for good in ["eight ch", "correct horse battery", &long[..PASSWORD_CHARS_MAX], &"\u{e4}b".repeat(128)] {
            assert!(check_password(good, "ada@example.com").is_ok(), "{good}");
        }
    }

    #[test]
    fn wrong_passwords_cost_more_and_more_time() {
        let until = |failed| locked_until(failed, Timestamp(7)).0;
        assert_eq!([1, 4, 5, 6, 7].map(until), [0, 0, 7 + 30, 7 + 60, 7 + 120]);
        assert_eq!(until(u32::MAX), 7 + 3600);
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
