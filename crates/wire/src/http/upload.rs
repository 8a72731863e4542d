//! Who may upload.

use alloy_primitives::Address;

use crate::{SignatureBytes, WireError, signed};

/// The `Authorization` header of an upload: `Bourse <address> <unix seconds> <signature>` over `signed::Upload`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UploadPass {
    /// Who uploads.
    pub who: Address,
    /// Unix seconds.
    pub at: u64,
    /// Over `signed::Upload`.
    pub signature: SignatureBytes,
}

impl UploadPass {
    /// The header's value.
    #[must_use]
    pub fn header(&self) -> String {
        format!("Bourse {} {} {}", self.who, self.at, self.signature)
    }

    /// Reads the header's value and checks that who it names signed for `root`.
    pub fn verify(header: &str, root: &str, domain: &signed::Domain, now: u64) -> Result<Address, WireError> {
        let malformed = || WireError::Malformed {
            what: "the Authorization header",
            reason: "an upload needs `Bourse <address> <unix seconds> <signature>`".into(),
        };
        let mut words = header.split_whitespace();
        let parts = [words.next(), words.next(), words.next(), words.next(), words.next()];
        let [Some("Bourse"), Some(who), Some(at), Some(signature), None] = parts else {
            return Err(malformed());
        };
        let who: Address = who.parse().map_err(|_| malformed())?;
        let at: u64 = at.parse().map_err(|_| malformed())?;
        let signature: SignatureBytes = signature.parse().map_err(|_| malformed())?;
        signed::fresh("Upload", at, now)?;
        let upload = signed::Upload { root: root.into(), at: alloy_primitives::aliases::U40::saturating_from(at) };
        domain.verify(&upload, &signature, who)?;
        Ok(who)
    }
}
