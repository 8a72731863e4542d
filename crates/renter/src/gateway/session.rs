//! Signing in with a wallet (EIP-4361), and what is kept of it.

use std::{fs, io::Write, path::Path};

use alloy_primitives::Address;
use chain::Wallet;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use url::Url;
use wire::http::{NonceBody, NonceJson, SessionJson, VerifyBody};

use super::GatewayClient;
use crate::RenterError;

/// What is said above the figures of the message that is signed.
const STATEMENT: &str = "Sign in to Bourse. This costs nothing and moves no money.";
/// EIP-4361 wants at least eight characters; a nonce has no reason to be longer than a hash.
const NONCE_LENGTHS: std::ops::RangeInclusive<usize> = 8..=128;

/// A session at one gateway. Whoever has it is that address there, until it expires.
#[derive(Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Session {
    /// Where.
    pub gateway: Url,
    /// On which chain's market.
    pub chain_id: u64,
    #[serde(flatten)]
    pub(super) json: SessionJson,
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Session({} at {} until {})", self.json.address, self.gateway, self.json.expires_at)
    }
}

impl Session {
    /// Who is signed in.
    #[must_use]
    pub fn address(&self) -> Address {
        self.json.address
    }

    /// Until when.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.json.expires_at
    }

    /// Whether it may be shown to this gateway: it is its own, and has not expired.
    #[must_use]
    pub fn is_good(&self, gateway: &Url, now: Timestamp) -> bool {
        self.gateway.origin() == gateway.origin() && now < self.json.expires_at
    }

    pub(super) fn token(&self) -> &str {
        &self.json.token
    }

    /// Keeps it in a file that is nobody else's.
    pub fn save(&self, path: &Path) -> Result<(), RenterError> {
        let bytes = serde_json::to_vec_pretty(self).map_err(|err| RenterError::BadJob(err.to_string()))?;
        let dir = path.parent().unwrap_or_else(|| Path::new("."));
        let write = || {
            fs::create_dir_all(dir)?;
            // Temporary files are made with mode 0600.
            let mut file = tempfile::NamedTempFile::new_in(dir)?;
            file.write_all(&bytes)?;
            file.as_file().sync_all()?;
            file.persist(path).map(drop).map_err(|err| err.error)
        };
        write().map_err(RenterError::file(path))
    }

    /// The session in a file; `None` where there is none.
    pub fn load(path: &Path) -> Result<Option<Self>, RenterError> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes).map(Some).map_err(|err| {
                // The reason could quote what is in the file.
                let at = format!("line {}, column {}", err.line(), err.column());
                RenterError::BadJob(format!("{} holds no session ({at}); `bourse login` writes one", path.display()))
            }),
            Err(err) if err.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(err) => Err(RenterError::file(path)(err)),
        }
    }

    #[cfg(test)]
    pub(super) fn sample(token: &str) -> Self {
        let json = SessionJson {
            token: token.into(),
            address: Address::repeat_byte(1),
            expires_at: Timestamp::from_second(1_000).unwrap(),
        };
        Self { gateway: "http://127.0.0.1:1/".parse().unwrap(), chain_id: 1, json }
    }
}

impl GatewayClient {
    /// Signs in with a wallet. What is signed names the gateway that was dialled and nothing else: a gateway that says
    /// that it is another could be passing on that one's nonce.
    pub async fn login(&self, wallet: &Wallet, chain_id: u64) -> Result<Session, RenterError> {
        let untrue = |detail| RenterError::Untrue { what: "the gateway's word", detail };
        let origin = self.base().origin().ascii_serialization();
        let address = wallet.address();
        let body = self.post("api/v1/auth/siwe/nonce", &NonceBody { address: Some(address) }).await?;
        let given: NonceJson = self.parsed(&body)?;
        if !given.domain.eq_ignore_ascii_case(authority(&origin)) {
            let detail = format!("at {origin} it calls itself {:?}; dial it by that name", given.domain);
            return Err(untrue(detail));
        }
        if given.chain_id != chain_id {
            return Err(untrue(format!("it serves chain {}, this market lives on chain {chain_id}", given.chain_id)));
        }
        let is_plain = given.nonce.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !is_plain || !NONCE_LENGTHS.contains(&given.nonce.len()) {
            return Err(untrue("its nonce is not made of letters and digits".into()));
        }
        let message = message(&origin, address, chain_id, &given.nonce, Timestamp::now());
        let signature = wallet.sign_message(&message)?.to_string();
        let body = self.post("api/v1/auth/siwe/verify", &VerifyBody { message, signature }).await?;
        let json: SessionJson = self.parsed(&body)?;
        if json.address != address {
            return Err(untrue(format!("it signed {} in, not {address}", json.address)));
        }
        Ok(Session { gateway: self.base().clone(), chain_id, json })
    }

    /// Ends the session that this client shows.
    pub async fn logout(&self) -> Result<(), RenterError> {
        self.post("api/v1/auth/logout", &serde_json::json!({})).await.map(drop)
    }
}

/// The text of EIP-4361, to the byte.
fn message(origin: &str, address: Address, chain_id: u64, nonce: &str, at: Timestamp) -> String {
    let (domain, at) = (authority(origin), at.strftime("%Y-%m-%dT%H:%M:%SZ"));
    format!(
        "{domain} wants you to sign in with your Ethereum account:\n{address}\n\n{STATEMENT}\n\nURI: {origin}\n\
         Version: 1\nChain ID: {chain_id}\nNonce: {nonce}\nIssued At: {at}"
    )
}

/// Host and port of an origin.
fn authority(origin: &str) -> &str {
    origin.split_once("://").map_or(origin, |(_, authority)| authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_that_of_the_standard() {
        let address = "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F".parse().unwrap();
        let at = Timestamp::from_second(1_790_000_000).unwrap();
        assert_eq!(
            message("https://gate.example:8443", address, 31_337, "0123456789abcdef", at),
            "gate.example:8443 wants you to sign in with your Ethereum account:\n\
             0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F\n\nSign in to Bourse. This costs nothing and moves no money.\n\n\
             URI: https://gate.example:8443\nVersion: 1\nChain ID: 31337\nNonce: 0123456789abcdef\n\
             Issued At: 2026-09-21T14:13:20Z"
        );
    }

    #[test]
    fn a_session_is_shown_to_its_own_gateway_until_it_expires() {
        let session = Session::sample("t");
        let good = |url: &str, second| session.is_good(&url.parse().unwrap(), Timestamp::from_second(second).unwrap());
        assert!(good("http://127.0.0.1:1/elsewhere", 999));
        assert!(!good("http://127.0.0.1:1/", 1_000), "it has expired");
        assert!(!good("http://127.0.0.1:2/", 1));
        assert!(!good("https://127.0.0.1:1/", 1));
    }

    #[test]
    fn what_is_kept_is_nobody_elses_and_comes_back() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/session.json");
        assert!(Session::load(&path).unwrap().is_none());
        Session::sample("secret-token").save(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Session::load(&path).unwrap().unwrap().token(), "secret-token");
        fs::write(&path, r#"{"token":"secret-token"}"#).unwrap();
        assert!(!Session::load(&path).unwrap_err().to_string().contains("secret-token"));
    }
}
