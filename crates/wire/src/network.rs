//! What a job may reach over the network.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::WireError;

/// Destinations that one job may name.
pub const DESTINATIONS_MAX: usize = 32;
/// Longest name of a host, as in DNS (RFC 1035, section 2.3.4).
const HOST_BYTES_MAX: usize = 253;
/// Longest part of one.
const LABEL_BYTES_MAX: usize = 63;
/// Ports that a destination without one has: HTTP and HTTPS.
const WEB: [u16; 2] = [80, 443];

/// What a job may reach over the network.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "camelCase")]
pub enum Network {
    /// Nothing, not even the host.
    #[default]
    None,
    /// Everything the provider's machine reaches.
    Full,
    /// These hosts and no others, through the provider's proxy: each is `name`, `name:port` or `*.name`.
    Allow(Vec<String>),
}

/// One host that a job may reach.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    host: String,
    /// Every name below it, and not the name itself.
    below: bool,
    /// `None` for the ports of the web.
    port: Option<u16>,
}

impl Network {
    /// Checks what the shape alone does not say.
    pub(crate) fn check(&self) -> Result<(), WireError> {
        let Self::Allow(list) = self else { return Ok(()) };
        if list.is_empty() || list.len() > DESTINATIONS_MAX {
            let reason = format!("must name 1 to {DESTINATIONS_MAX} hosts; write \"none\" for no network");
            return Err(WireError::field("network.allow", reason));
        }
        self.destinations().map(drop)
    }

    /// The hosts that may be reached; none where there is no list.
    pub fn destinations(&self) -> Result<Vec<Destination>, WireError> {
        let Self::Allow(list) = self else { return Ok(Vec::new()) };
        let read = |(index, text): (usize, &String)| {
            text.parse().map_err(|reason: String| WireError::field(format!("network.allow[{index}]"), reason))
        };
        list.iter().enumerate().map(read).collect()
    }
}

impl Destination {
    /// Whether it covers a host, in small letters, and a port.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let named = match host.strip_suffix(&self.host) {
            Some(before) if self.below => before.len() > 1 && before.ends_with('.'),
            Some(before) => before.is_empty(),
            None => false,
        };
        named && self.port.map_or(WEB.contains(&port), |own| own == port)
    }
}

impl FromStr for Destination {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (name, port) = match text.split_once(':') {
            Some((name, port)) => {
                let number = port.parse().ok().filter(|port| *port > 0);
                (name, Some(number.ok_or_else(|| format!("{port:?} is no port"))?))
            }
            None => (text, None),
        };
        let (host, below) = name.strip_prefix("*.").map_or((name, false), |rest| (rest, true));
        // A name that ends in a number is read as an address by some programs (WHATWG URL, "ends in a number").
        let is_number = host.rsplit('.').next().is_some_and(|last| last.bytes().all(|byte| byte.is_ascii_digit()));
        let is_name = host.len() <= HOST_BYTES_MAX && host.contains('.') && host.split('.').all(is_label);
        if !is_name || is_number {
            return Err(format!(
                "{text:?} is no host: write a full name in small letters, like example.org or *.example.org"
            ));
        }
        Ok(Self { host: host.to_owned(), below, port })
    }
}

impl fmt::Display for Destination {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

fn is_label(label: &str) -> bool {
    let inside = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_';
    (1..=LABEL_BYTES_MAX).contains(&label.len())
        && label.bytes().all(inside)
        && !label.starts_with('-')
        && !label.ends_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_destination_covers_what_it_names_and_nothing_beside_it() {
        let covers =
            |destination: &str, host: &str, port| destination.parse::<Destination>().unwrap().covers(host, port);
        assert!(covers("example.org", "example.org", 443) && covers("example.org", "example.org", 80));
        assert!(!covers("example.org", "example.org", 22), "only the web without a port");
        assert!(covers("example.org:22", "example.org", 22) && !covers("example.org:22", "example.org", 443));
        assert!(!covers("example.org", "a.example.org", 443) && !covers("example.org", "badexample.org", 443));
        assert!(covers("*.example.org", "a.example.org", 443) && covers("*.example.org", "b.a.example.org", 443));
        assert!(!covers("*.example.org", "example.org", 443) && !covers("*.example.org", ".example.org", 443));
        assert!(!covers("*.example.org", "badexample.org", 443));
    }

    #[test]
    fn what_is_no_public_name_is_refused() {
        let long = format!("{}.org", "a".repeat(LABEL_BYTES_MAX + 1));
        let wrong = [
            "",
            "localhost",
            "10.0.0.1",
            "1.2.3.4:80",
            "[::1]",
            "::1",
            "a..b",
            ".org",
            "org.",
            "*.",
            "*",
            "a.*.org",
            "*.*.org",
            "Example.org",
            "ex ample.org",
            "-a.org",
            "a-.org",
            "a.org:0",
            "a.org:65536",
            "a.org:",
            "a.0",
            "http://a.org",
            "a.org/b",
            "a.örg",
            &long,
        ];
        for text in wrong {
            assert!(text.parse::<Destination>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_list_says_where_it_is_wrong() {
        let allow = |list: &[&str]| Network::Allow(list.iter().map(|text| (*text).to_owned()).collect());
        allow(&["a.org", "*.b.org:8443"]).check().unwrap();
        let said = allow(&["a.org", "10.0.0.1"]).check().unwrap_err().to_string();
        assert!(said.contains("network.allow[1]"), "{said}");
        allow(&[]).check().unwrap_err();
        allow(&["a.org"; DESTINATIONS_MAX + 1]).check().unwrap_err();
        let text = serde_json::to_string(&allow(&["a.org"])).unwrap();
        assert_eq!(text, r#"{"allow":["a.org"]}"#);
        assert_eq!(serde_json::from_str::<Network>(r#""none""#).unwrap(), Network::None);
    }
}
