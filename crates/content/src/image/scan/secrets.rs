//! Secrets in text, by the forms that their issuers publish. A secret itself is never given back.

use std::collections::BTreeSet;

use super::Severity;

/// A secret in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Secret {
    pub(super) id: &'static str,
    pub(super) severity: Severity,
    pub(super) what: &'static str,
    /// Counted from 1.
    pub(super) line: usize,
}

/// A token: one of these words, then so many of these characters and no more of them.
struct Form {
    id: &'static str,
    what: &'static str,
    begins: &'static [&'static str],
    follows: fn(u8) -> bool,
    least: usize,
    most: usize,
}

fn upper(byte: u8) -> bool {
    byte.is_ascii_uppercase() || (b'2'..=b'7').contains(&byte)
}

fn plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
}

fn word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn dashed(byte: u8) -> bool {
    word(byte) || byte == b'-'
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

const AWS: [&str; 4] = ["AKIA", "ASIA", "ABIA", "ACCA"];
const AZURE: [&str; 1] = ["AccountKey="];
const GITHUB: [&str; 5] = ["ghp_", "gho_", "ghu_", "ghs_", "ghr_"];

#[rustfmt::skip]
const FORMS: [Form; 10] = [
    Form { id: "aws-key", what: "an access key of AWS", begins: &AWS, follows: upper, least: 16, most: 16 },
    Form { id: "azure-key", what: "a storage key of Azure", begins: &AZURE, follows: base64, least: 88, most: 88 },
    Form { id: "google-key", what: "an API key of Google", begins: &["AIza"], follows: dashed, least: 35, most: 35 },
    Form { id: "github-token", what: "a token of GitHub", begins: &GITHUB, follows: plain, least: 36, most: 36 },
    Form { id: "github-token", what: "a token of GitHub", begins: &["github_pat_"], follows: word, least: 82, most: 82 },
    Form { id: "gitlab-token", what: "a token of GitLab", begins: &["glpat-"], follows: dashed, least: 20, most: 20 },
    Form { id: "huggingface-token", what: "a token of Hugging Face", begins: &["hf_"], follows: plain, least: 34, most: 34 },
    Form { id: "npm-token", what: "a token of npm", begins: &["npm_"], follows: plain, least: 36, most: 36 },
    Form { id: "slack-token", what: "a token of Slack", begins: &["xoxb-", "xoxp-"], follows: dashed, least: 40, most: 90 },
    Form { id: "stripe-key", what: "a live key of Stripe", begins: &["sk_live_", "rk_live_"], follows: plain, least: 24, most: 99 },
];

const KEY_BEGINS: &[u8] = b"-----BEGIN ";
const KEY_ENDS: &[u8] = b"-----END ";
/// Longest name of a kind of key: `ENCRYPTED PRIVATE KEY` and its like.
const KEY_KIND_BYTES_MAX: usize = 40;
/// The shortest private key, 32 bytes in its envelope, has so many characters; examples in texts have fewer.
const KEY_CHARACTERS_MIN: usize = 60;
/// How far the key is looked at.
const KEY_BYTES_MAX: usize = 8 << 10;

/// The first secret of each form.
pub(super) fn find(text: &[u8]) -> Vec<Secret> {
    let mut found = BTreeSet::new();
    let mut ids = BTreeSet::new();
    let mut line = 1;
    for (at, byte) in text.iter().enumerate() {
        let secret = match byte {
            b'\n' => {
                line += 1;
                continue;
            }
            b'-' => private_key(&text[at..]),
            b'A' | b'g' | b'h' | b'n' | b'r' | b's' | b'x' => token(text, at),
            _ => continue,
        };
        if let Some((id, severity, what)) = secret
            && ids.insert(id)
        {
            found.insert(Secret { id, severity, what, line });
        }
    }
    found.into_iter().collect()
}

type Kind = (&'static str, Severity, &'static str);

fn token(text: &[u8], at: usize) -> Option<Kind> {
    if at.checked_sub(1).and_then(|before| text.get(before)).is_some_and(|byte| word(*byte)) {
        return None;
    }
    let rest = &text[at..];
    FORMS.iter().find_map(|form| {
        let begin = form.begins.iter().find(|begin| rest.starts_with(begin.as_bytes()))?;
        let body = &rest[begin.len()..];
        let length = body.iter().take(form.most + 1).take_while(|byte| (form.follows)(**byte)).count();
        // Handbooks use keys that say so themselves.
        let is_example = body[..length].ends_with(b"EXAMPLE");
        let fits = (form.least..=form.most).contains(&length) && !is_example;
        fits.then_some((form.id, Severity::High, form.what))
    })
}

fn private_key(rest: &[u8]) -> Option<Kind> {
    let rest = rest.strip_prefix(KEY_BEGINS)?;
    let end = rest.iter().take(KEY_KIND_BYTES_MAX).position(|byte| *byte == b'-')?;
    let kind = &rest[..end];
    if !kind.ends_with(b"PRIVATE KEY") && !kind.ends_with(b"PRIVATE KEY BLOCK") {
        return None;
    }
    let body = &rest[end..rest.len().min(end + KEY_BYTES_MAX)];
    let end = body.windows(KEY_ENDS.len()).position(|window| window == KEY_ENDS).unwrap_or(body.len());
    let characters = body[..end].iter().filter(|byte| base64(**byte)).count();
    if characters < KEY_CHARACTERS_MIN {
        return None;
    }
    let is_locked = kind.starts_with(b"ENCRYPTED") || body[..end].windows(9).any(|window| window == b"ENCRYPTED");
    let severity = if is_locked { Severity::Medium } else { Severity::High };
    Some(("private-key", severity, "a private key"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, usize)]) {
        let found: Vec<_> = find(text.as_bytes()).iter().map(|secret| (secret.id, secret.line)).collect();
        assert_eq!(found, expected, "{text}");
    }

    #[test]
    fn each_form_is_known_and_near_misses_are_not() {
        for form in &FORMS {
            for begin in form.begins {
                let fit = |length: usize| format!("first\nkey = \"{begin}{}\"\n", "A".repeat(length));
                check(&fit(form.least), &[(form.id, 2)]);
                check(&fit(form.most), &[(form.id, 2)]);
                check(&fit(form.least - 1), &[]);
                check(&fit(form.most + 1), &[]);
                check(&format!("x{begin}{}", "A".repeat(form.least)), &[]);
            }
        }
        check(concat!("AKIA", "IOSFODNN7EXAMPLE"), &[]);
        check(concat!("AKIA", "IOSFODNN76543210"), &[]);
    }

    #[test]
    fn private_keys_are_told_from_talk_about_them() {
        let key = |kind: &str, body: &str| format!("\n-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n");
        let body = "MC4CAQAwBQYDK2VwBCIEIFNUMnFRbFJkV0FqZ3ZHb1pSc1RhQmNEZUZnSGlK";
        for kind in ["PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"] {
            check(&key(kind, body), &[("private-key", 2)]);
            check(&key(kind, "..."), &[]);
        }
        check(&key("PUBLIC KEY", body), &[]);
        check(&key("CERTIFICATE", body), &[]);
        check(&format!("{{\"private_key\": \"-----BEGIN PRIVATE KEY-----\\n{body}\\n\"}}"), &[("private-key", 1)]);
        check("if line == '-----BEGIN PRIVATE KEY-----':\n    pass\n", &[]);
        assert_eq!(find(key("ENCRYPTED PRIVATE KEY", body).as_bytes())[0].severity, Severity::Medium);
    }
}
