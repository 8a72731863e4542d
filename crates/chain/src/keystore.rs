//! Keys at rest: Web3 Secret Storage (keystore) version 3 files, which every Ethereum wallet reads.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use alloy::signers::{
    k256::elliptic_curve::rand_core::OsRng,
    local::{LocalSignerError, PrivateKeySigner},
};

use crate::{ChainError, Wallet};

/// Encrypts the key with `password` into a new file that only its owner can read. An existing file is never
/// overwritten: it may hold the only copy of a key.
pub fn save(path: &Path, wallet: &Wallet, password: &str) -> Result<(), ChainError> {
    let failed = |reason: String| ChainError::Keystore { path: path.to_owned(), reason };
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(|e| failed(e.to_string()))?;
    // Written where nobody else can look, then moved into place whole.
    let private = tempfile::Builder::new().prefix(".keystore").tempdir_in(parent).map_err(|e| failed(e.to_string()))?;
    PrivateKeySigner::encrypt_keystore(private.path(), &mut OsRng, wallet.secret(), password, Some("key"))
        .map_err(|e| failed(e.to_string()))?;
    let written = private.path().join("key");
    let place = || {
        fs::set_permissions(&written, fs::Permissions::from_mode(0o600))?;
        fs::File::open(&written)?.sync_all()?;
        fs::hard_link(&written, path)
    };
    place().map_err(|e| match e.kind() {
        std::io::ErrorKind::AlreadyExists => {
            failed("the file exists already; move it away or choose another name".into())
        }
        _ => failed(e.to_string()),
    })
}

/// Decrypts a file.
pub fn load(path: &Path, password: &str) -> Result<Wallet, ChainError> {
    let failed = |reason: String| ChainError::Keystore { path: path.to_owned(), reason };
    let text = fs::read_to_string(path).map_err(|e| failed(e.to_string()))?;
    check(&text).map_err(failed)?;
    PrivateKeySigner::decrypt_keystore(path, password).map(Wallet::from).map_err(|error| match error {
        LocalSignerError::EthKeystoreError(inner) if inner.to_string() == MAC_MISMATCH => {
            ChainError::WrongPassword { path: path.to_owned() }
        }
        other => failed(format!("is no keystore file of version 3 ({other})")),
    })
}

/// Refuses what the keystore library would run into: missing or short fields, and work without an end.
fn check(text: &str) -> Result<(), String> {
    let file: serde_json::Value = serde_json::from_str(text).map_err(|e| format!("is no JSON ({e})"))?;
    let crypto = &file["crypto"];
    let number = |name: &str| crypto["kdfparams"][name].as_u64();
    let bounded = |name: &str, max: u64| number(name).is_none_or(|value| (1..=max).contains(&value));
    let sound = number("dklen") == Some(KEY_BYTES)
        && crypto["cipherparams"]["iv"].as_str().is_some_and(|iv| iv.len() == IV_DIGITS)
        && [("n", SCRYPT_N_MAX), ("r", SCRYPT_R_MAX), ("p", SCRYPT_P_MAX), ("c", PBKDF2_ROUNDS_MAX)]
            .into_iter()
            .all(|(name, max)| bounded(name, max));
    if sound { Ok(()) } else { Err("is no keystore file of version 3".to_owned()) }
}

/// A version 3 key derivation gives 32 bytes: half for the cipher, half for the check.
const KEY_BYTES: u64 = 32;
/// The cipher starts from 16 bytes, in hexadecimal.
const IV_DIGITS: usize = 32;
/// Four times what geth writes; with `r` 8 a gibibyte of memory.
const SCRYPT_N_MAX: u64 = 1 << 20;
/// As every wallet writes it.
const SCRYPT_R_MAX: u64 = 8;
/// As geth's light setting writes it.
const SCRYPT_P_MAX: u64 = 6;
/// Forty times what geth wrote.
const PBKDF2_ROUNDS_MAX: u64 = 10_000_000;

/// How the keystore library names a wrong password; its error type is not exported through the signer.
const MAC_MISMATCH: &str = "Mac Mismatch";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_key_comes_back_with_its_password_only() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("keys/renter.json");
        let wallet = Wallet::random();
        save(&path, &wallet, "correct horse").unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(load(&path, "correct horse").unwrap().address(), wallet.address());
        assert!(matches!(load(&path, "wrong"), Err(ChainError::WrongPassword { .. })));
        let error = save(&path, &Wallet::random(), "other").unwrap_err().to_string();
        assert!(error.contains("exists already"), "{error}");
        assert_eq!(load(&path, "correct horse").unwrap().address(), wallet.address(), "the first key is still there");
        assert_eq!(fs::read_dir(dir.path().join("keys")).unwrap().count(), 1, "nothing is left beside it");
    }

    /// Would make the library cut a key that is too short.
    const SHORT: &str = r#"{"version": 3, "crypto": {"cipherparams": {"iv": "00"}, "kdfparams": {"dklen": 8}}}"#;

    #[test]
    fn other_files_are_refused_with_their_name() {
        let dir = tempfile::tempdir().unwrap();
        for (name, content) in [("empty", ""), ("json", "{}"), ("text", "hello"), ("short", SHORT)] {
            let path = dir.path().join(name);
            fs::write(&path, content).unwrap();
            let error = load(&path, "x").unwrap_err();
            assert!(matches!(&error, ChainError::Keystore { .. }) && error.to_string().contains(name), "{error}");
        }
        assert!(matches!(load(&dir.path().join("absent"), "x"), Err(ChainError::Keystore { .. })));
    }
}
