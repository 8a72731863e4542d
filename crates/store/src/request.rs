//! Requests with an idempotency key: carried out once, answered as often as they are repeated.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::{
    ColumnTrait, DeleteMany, EntityTrait, QueryFilter, QueryOrder, QuerySelect, UpdateMany, sea_query::Expr,
};

use crate::bulk;
use crate::connect::Store;
use crate::entity::request;
use crate::entity::stored::{Account, Hash, Short, Whole};
use crate::error::StoreError;
use crate::read::PAGE_MAX;

/// How long an answer is repeated, in seconds: a client that retries later has forgotten his key.
pub const REQUESTS_KEPT_S: u64 = 24 * 3600;
/// After so many seconds a request without an answer counts as abandoned: the gateway that had it is gone. Longer than
/// any request may take that does not say meanwhile that it is alive ([`Store::touch_request`]).
pub const ABANDONED_AFTER_S: u64 = 120;
/// The longest key. A UUID has 36 characters.
pub const KEY_BYTES_MAX: usize = 255;
/// The largest answer that is kept. Answers to what changes something are a few fields.
pub const ANSWER_BYTES_MAX: usize = 64 << 10;

/// What is known of a request with this key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing, or it was abandoned: carry it out, then [`Store::finish_request`] or [`Store::drop_request`].
    New,
    /// It was answered: answer the same.
    Done {
        /// HTTP status.
        status: u16,
        /// The answer's body.
        body: Vec<u8>,
    },
    /// Another is at it: the client comes back later.
    InFlight,
    /// The key was used for another request.
    Different,
}

impl Store {
    /// Begins a request of `who` under `key`. Exactly one of many at once is told `New`.
    pub async fn begin_request(
        &self,
        key: &str,
        who: Address,
        route: &str,
        body_hash: B256,
        now: Timestamp,
    ) -> Result<Begun, StoreError> {
        if key.len() > KEY_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the idempotency key", limit: KEY_BYTES_MAX });
        }
        loop {
            let fresh = request::Model {
                who: who.into(),
                request_key: key.to_owned(),
                route: route.to_owned(),
                body_hash: body_hash.into(),
                begun_at: now.0.into(),
                status: None,
                body: None,
            };
            if bulk::insert_missing::<request::Entity>(self.writer(), vec![fresh]).await? == 1 {
                return Ok(Begun::New);
            }
            let held = request::Entity::find_by_id((Account(who), key.to_owned())).one(self.writer()).await?;
            // Somebody dropped it since: try again.
            let Some(held) = held else { continue };
            let age = now.0.saturating_sub(held.begun_at.0);
            let same = held.route == route && held.body_hash == Hash(body_hash);
            let forgotten = age >= REQUESTS_KEPT_S;
            let abandoned = held.status.is_none() && age >= ABANDONED_AFTER_S;
            match (held.status, held.body) {
                _ if forgotten || (abandoned && same) => {
                    if self.take_over(key, who, route, body_hash, held.begun_at, now).await? {
                        return Ok(Begun::New);
                    }
                }
                _ if !same => return Ok(Begun::Different),
                (Some(status), body) => {
                    return Ok(Begun::Done { status: status.0, body: body.unwrap_or_default() });
                }
                (None, _) => return Ok(Begun::InFlight),
            }
        }
    }

    /// Keeps the answer. The first of two stays.
    pub async fn finish_request(
        &self,
        key: &str,
        who: Address,
        route: &str,
        status: u16,
        body: &[u8],
    ) -> Result<(), StoreError> {
        if body.len() > ANSWER_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the answer", limit: ANSWER_BYTES_MAX });
        }
        self.update_request(key, who)
            .filter(request::Column::Route.eq(route))
            .filter(request::Column::Status.is_null())
            .col_expr(request::Column::Status, Expr::value(Short(status)))
            .col_expr(request::Column::Body, Expr::value(body.to_vec()))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// Says that a request without an answer is still worked on: it counts as begun `now`.
    pub async fn touch_request(&self, key: &str, who: Address, route: &str, now: Timestamp) -> Result<(), StoreError> {
        self.update_request(key, who)
            .filter(request::Column::Route.eq(route))
            .filter(request::Column::Status.is_null())
            .col_expr(request::Column::BegunAt, Expr::value(Whole(now.0)))
            .exec(self.writer())
            .await?;
        Ok(())
    }

    /// Answers under a route that are still repeated, with whose request each was, newest first; at most
    /// [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn answered_requests(&self, route: &str, now: Timestamp) -> Result<Vec<(Address, Vec<u8>)>, StoreError> {
        let since = now.0.saturating_sub(REQUESTS_KEPT_S);
        let find = request::Entity::find()
            .filter(request::Column::Route.eq(route))
            .filter(request::Column::Status.is_not_null())
            .filter(request::Column::BegunAt.gt(Whole(since)))
            .order_by_desc(request::Column::BegunAt);
        let rows = find.limit(PAGE_MAX).all(self.writer()).await?;
        Ok(rows.into_iter().map(|row| (row.who.0, row.body.unwrap_or_default())).collect())
    }

    /// Forgets a request that changed nothing, so that it may be tried again under its key.
    pub async fn drop_request(&self, key: &str, who: Address, route: &str) -> Result<(), StoreError> {
        let unanswered: DeleteMany<request::Entity> = request::Entity::delete_many()
            .filter(request::Column::Who.eq(Account(who)))
            .filter(request::Column::RequestKey.eq(key))
            .filter(request::Column::Route.eq(route))
            .filter(request::Column::Status.is_null());
        unanswered.exec(self.writer()).await?;
        Ok(())
    }

    /// Of several who find the same abandoned request, the one whose update changes the row has it.
    async fn take_over(
        &self,
        key: &str,
        who: Address,
        route: &str,
        body_hash: B256,
        begun_at: Whole,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let taken = self
            .update_request(key, who)
            .filter(request::Column::BegunAt.eq(begun_at))
            .col_expr(request::Column::BegunAt, Expr::value(Whole(now.0)))
            .col_expr(request::Column::Route, Expr::value(route))
            .col_expr(request::Column::BodyHash, Expr::value(Hash(body_hash)))
            .col_expr(request::Column::Status, Expr::value(Option::<i64>::None))
            .col_expr(request::Column::Body, Expr::value(Option::<Vec<u8>>::None))
            .exec(self.writer())
            .await?;
        Ok(taken.rows_affected == 1)
    }

    fn update_request(&self, key: &str, who: Address) -> UpdateMany<request::Entity> {
        request::Entity::update_many()
            .filter(request::Column::Who.eq(Account(who)))
            .filter(request::Column::RequestKey.eq(key))
    }
}
