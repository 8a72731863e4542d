//! Signing in: numbers that are good for one attempt, and sessions.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, NUL, Whole};
use crate::entity::{nonce, session};
use crate::error::StoreError;

/// The longest nonce. A gateway makes them, of some 20 characters.
pub const NONCE_BYTES_MAX: usize = 128;

/// Most nonces that wait to be used. They live for minutes; so many at once are an attack, and a full table is a few MiB.
pub const NONCES_MAX: u64 = 16_384;
/// Most sessions of one address, a further one ends its oldest. People have some devices, programs sign in when they
/// start.
pub const SESSIONS_MAX: u64 = 32;

/// Somebody who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// Who. Of somebody with a password: the last 20 bytes of his account, which no key can sign for.
    pub address: Address,
    /// The account of somebody who signed in with a password; nothing for an address that signed.
    pub account: Option<B256>,
    /// Until when.
    pub expires: Timestamp,
}

impl Store {
    /// Keeps a number that a sign-in must carry, until `expires`. `Busy` while [`NONCES_MAX`] wait; those that are
    /// expired wait until [`prune`](Self::prune).
    pub async fn new_nonce(&self, nonce: &str, expires: Timestamp) -> Result<(), StoreError> {
        if nonce.len() > NONCE_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the nonce", limit: NONCE_BYTES_MAX });
        }
        if nonce::Entity::find().count(self.writer()).await? >= NONCES_MAX {
            return Err(StoreError::Busy { reason: format!("{NONCES_MAX} sign-ins are under way") });
        }
        let row = nonce::Model { nonce: nonce.to_owned(), expires: expires.0.into() };
        Ok(bulk::insert::<nonce::Entity>(self.writer(), vec![row]).await?)
    }

    /// Uses a number up. True for exactly one caller ever, and for nobody once it is expired.
    pub async fn take_nonce(&self, nonce: &str, now: Timestamp) -> Result<bool, StoreError> {
        if nonce.contains(NUL) {
            return Ok(false);
        }
        let good = nonce::Entity::delete_many()
            .filter(nonce::Column::Nonce.eq(nonce))
            .filter(nonce::Column::Expires.gt(Whole(now.0)));
        Ok(good.exec(self.writer()).await?.rows_affected == 1)
    }

    /// Begins a session. `token_hash` is the sha2-256 of the token, which is kept nowhere. Of the sessions of this
    /// address the newest [`SESSIONS_MAX`] stay.
    pub async fn new_session(
        &self,
        token_hash: B256,
        address: Address,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        self.begin_session(token_hash, address, None, now, expires).await
    }

    /// Begins a session of an account that signed in with a password.
    pub async fn new_account_session(
        &self,
        token_hash: B256,
        account: B256,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        self.begin_session(token_hash, Address::from_word(account), Some(account), now, expires).await
    }

    async fn begin_session(
        &self,
        token_hash: B256,
        address: Address,
        account: Option<B256>,
        now: Timestamp,
        expires: Timestamp,
    ) -> Result<(), StoreError> {
        let row = session::Model {
            token_hash: token_hash.into(),
            address: address.into(),
            created_at: now.0.into(),
            expires: expires.0.into(),
            account: account.map(Hash),
        };
        bulk::insert::<session::Entity>(self.writer(), vec![row]).await?;
        let too_many = session::Entity::find()
            .filter(session::Column::Address.eq(Account(address)))
            .order_by_desc(session::Column::CreatedAt)
            .order_by_desc(session::Column::Expires)
            .offset(SESSIONS_MAX)
            .limit(SESSIONS_MAX);
        let ended = too_many.all(self.writer()).await?.into_iter().map(|row| row.token_hash);
        Ok(bulk::delete::<session::Entity, _>(self.writer(), session::Column::TokenHash, ended).await?)
    }

    /// Whose session this is, while it lasts.
    pub async fn session(&self, token_hash: B256, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        let find = session::Entity::find_by_id(Hash(token_hash)).filter(session::Column::Expires.gt(Whole(now.0)));
        let row = find.one(self.readers()).await?;
        Ok(row.map(|row| SessionRow {
            address: row.address.0,
            account: row.account.map(|it| it.0),
            expires: Timestamp(row.expires.0),
        }))
    }

    /// Ends a session and says whose it was, to exactly one caller, while it lasts.
    pub async fn take_session(&self, token_hash: B256, now: Timestamp) -> Result<Option<SessionRow>, StoreError> {
        let find = session::Entity::find_by_id(Hash(token_hash)).filter(session::Column::Expires.gt(Whole(now.0)));
        let Some(row) = find.one(self.writer()).await? else { return Ok(None) };
        let ended = session::Entity::delete_by_id(Hash(token_hash)).exec(self.writer()).await?;
        let account = row.account.map(|account| account.0);
        let row = SessionRow { address: row.address.0, account, expires: Timestamp(row.expires.0) };
        Ok((ended.rows_affected == 1).then_some(row))
    }

    /// Ends a session; one that is over stays over.
    pub async fn end_session(&self, token_hash: B256) -> Result<(), StoreError> {
        session::Entity::delete_by_id(Hash(token_hash)).exec(self.writer()).await?;
        Ok(())
    }
}
