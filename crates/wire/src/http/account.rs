//! Accounts with e-mail address and password.

use alloy_primitives::{Address, B256};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// `POST /api/v1/auth/signup`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignupBody {
    /// Names the account. No letter is sent to it.
    #[schema(max_length = 254)]
    pub email: String,
    /// At least eight characters; several words are better.
    #[schema(min_length = 8, max_length = 256)]
    pub password: String,
    /// What people call him; not kept.
    #[serde(default)]
    #[schema(max_length = 128)]
    pub name: Option<String>,
}

/// `POST /api/v1/auth/login`, as JSON or as a form. A form may call the address `username`.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LoginBody {
    /// The account's address.
    #[serde(alias = "username")]
    #[schema(max_length = 254)]
    pub email: String,
    /// Its password.
    #[schema(max_length = 256)]
    pub password: String,
    /// `password`, where a program sends it.
    #[serde(default, rename = "grant_type")]
    pub grant_type: Option<String>,
}

/// `POST /api/v1/auth/refresh`. Browsers send nothing: their cookie counts.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RefreshBody {
    /// As the last sign-in or refresh gave it; good once.
    #[serde(default)]
    pub refresh_token: Option<String>,
}

/// A session of an account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccountSessionJson {
    /// For programs: `Authorization: Bearer …`. Whoever has it is the account.
    #[serde(alias = "access_token")]
    pub token: String,
    /// Makes the next session, once.
    pub refresh_token: String,
    /// `bearer`.
    pub token_type: String,
    /// The account: 32 bytes, as `Till.deposit` takes them.
    #[schema(value_type = crate::schema::Hash)]
    pub account: B256,
    /// The session is good until then.
    pub expires_at: Timestamp,
    /// The refresh token is good until then.
    pub refresh_expires_at: Timestamp,
}

/// `POST /api/v1/auth/link`: a wallet proves to belong to the account.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct LinkedJson {
    /// The account.
    #[schema(value_type = crate::schema::Hash)]
    pub account: B256,
    /// Its wallets: what they deposit is the account's.
    #[schema(value_type = Vec<crate::schema::Account>)]
    pub wallets: Vec<Address>,
}

macro_rules! silent {
    ($($name:ident),*) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

silent!(SignupBody, LoginBody, RefreshBody, AccountSessionJson);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_secret_is_printed() {
        let login = LoginBody { email: "a@b.example".into(), password: "open sesame".into(), grant_type: None };
        assert_eq!(format!("{login:?}"), "LoginBody");
    }

    #[test]
    fn a_form_may_call_the_address_a_user_name() {
        let body: LoginBody = serde_json::from_str(r#"{"username":"a@b.example","password":"x"}"#).unwrap();
        assert_eq!(body.email, "a@b.example");
    }
}
