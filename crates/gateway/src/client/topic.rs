//! What can be followed, by name.

use std::{fmt, str::FromStr};

use alloy_primitives::B256;
use market::JobId;
use store::AccountId;

/// The topic of a job, for its parties, of a provider, for everybody, or of an account, for whose it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Topic {
    Job(JobId),
    Provider(u32),
    Account(AccountId),
}

impl fmt::Display for Topic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Job(job) => write!(f, "job:{job}"),
            Self::Provider(provider) => write!(f, "provider:{provider}"),
            Self::Account(account) => write!(f, "account:{:#x}", account.0),
        }
    }
}

impl FromStr for Topic {
    type Err = String;

    /// Only the one spelling that [`Display`](fmt::Display) gives, so that a client knows its topic again.
    fn from_str(name: &str) -> Result<Self, String> {
        let topic = match name.split_once(':') {
            Some(("job", id)) => id.parse::<B256>().ok().map(|id| Self::Job(JobId(id.0))),
            Some(("provider", number)) => number.parse().ok().map(Self::Provider),
            Some(("account", id)) => id.parse::<B256>().ok().map(|id| Self::Account(AccountId(id))),
            _ => None,
        };
        topic.filter(|topic| topic.to_string() == name).ok_or_else(|| {
            "a topic is job: or account: and an id of 0x and 64 hexadecimal digits, or provider: and a number".into()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_one_spelling() {
        let job = format!("job:0x{}", "ab".repeat(32));
        let account = format!("account:0x{}", "0b".repeat(32));
        for name in [job.as_str(), account.as_str(), "provider:7", "provider:0"] {
            assert_eq!(name.parse::<Topic>().unwrap().to_string(), name);
        }
        let upper = job.to_uppercase();
        for name in [
            "",
            "job:",
            "job:7",
            "account:7",
            "provider:",
            "provider:07",
            "provider:+7",
            "provider:-1",
            "marketplace",
            &upper,
        ] {
            assert!(name.parse::<Topic>().unwrap_err().contains("a topic is"), "{name}");
        }
    }
}
