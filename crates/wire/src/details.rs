//! The details of a listing: what its owner says of it beside the figures, as `key=value` pairs joined by `; `.
//!
//! ```text
//! region=eu-west; driver=550.1
//! ```
//!
//! They stand on chain as they were when the resource was listed and never change. Whoever reads them reads a
//! stranger's words: a pair that is not written like this is nobody's pair.

use crate::WireError;

/// Where the resource stands.
pub const REGION: &str = "region";
/// The version of the cards' driver.
pub const DRIVER: &str = "driver";
/// The longest region: names of clouds' regions and of cities are shorter, and gas is paid by the byte.
pub const REGION_BYTES_MAX: usize = 64;

/// Writes pairs; those without a value are left out.
#[must_use]
pub fn write(pairs: &[(&str, &str)]) -> String {
    let pairs: Vec<String> =
        pairs.iter().filter(|(_, value)| !value.is_empty()).map(|(key, value)| format!("{key}={value}")).collect();
    pairs.join("; ")
}

/// The value of `key`, the first where it stands twice.
#[must_use]
pub fn get<'a>(details: &'a str, key: &str) -> Option<&'a str> {
    let mut pairs = details.split(';').filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == key).map(|(_, value)| value)
}

/// Where the resource stands, when its owner wrote it as it should be.
#[must_use]
pub fn region(details: &str) -> Option<&str> {
    get(details, REGION).filter(|region| check_region(region).is_ok())
}

/// Whether `region` can stand in a listing: small letters, digits, `-`, `_`, `.` and `/`, 1 to 64 of them.
pub fn check_region(region: &str) -> Result<(), WireError> {
    let may = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_./".contains(&byte);
    if region.is_empty() || region.len() > REGION_BYTES_MAX || !region.bytes().all(may) {
        let reason = format!(
            "{region:?} is no region: write 1 to {REGION_BYTES_MAX} small letters, digits, -, _, . or /, as in eu-west"
        );
        return Err(WireError::field(REGION, reason));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let details = write(&[(REGION, "eu-west"), (DRIVER, "550.1")]);
        assert_eq!(details, "region=eu-west; driver=550.1");
        assert_eq!((region(&details), get(&details, DRIVER)), (Some("eu-west"), Some("550.1")));
        assert_eq!(write(&[(REGION, ""), (DRIVER, "")]), "");
        assert_eq!(get("driver=1;region=a=b", REGION), Some("a=b"));
        assert_eq!(get("NVIDIA driver 550.1", DRIVER), None);
    }

    #[test]
    fn a_strangers_region_is_no_text_for_a_terminal() {
        for good in ["eu-west", "de/berlin", "us-east-1", "x"] {
            check_region(good).unwrap();
        }
        for bad in ["", "EU", "eu west", "a;b=c", "a\u{1b}[8m", "ü", &"a".repeat(REGION_BYTES_MAX + 1)] {
            assert!(check_region(bad).is_err(), "{bad}");
        }
        assert_eq!(region("region=\u{1b}[8m"), None);
    }
}
