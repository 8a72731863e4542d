//! Who has money in the market wallet: people with a password, and addresses that proved whose they are.

use alloy_primitives::{Address, B256};
use market::Timestamp;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect};

use crate::bulk;
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, NUL, Small, Whole};
use crate::entity::{holder, link, user};
use crate::error::StoreError;
use crate::ledger::AccountId;

/// The longest e-mail address (RFC 5321, 4.5.3.1.3, less the brackets).
pub const EMAIL_BYTES_MAX: usize = 254;
/// Most addresses of one account.
pub const LINKS_MAX: u64 = 16;

/// Somebody who signs in with e-mail and password.
#[derive(Clone, PartialEq, Eq)]
pub struct UserRow {
    /// His account.
    pub account: AccountId,
    /// Normalised.
    pub email: String,
    /// Digest of the password, in PHC form.
    pub password: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Wrong passwords since the last right one.
    pub failed: u32,
    /// Until when no password is looked at.
    pub locked_until: Timestamp,
}

impl std::fmt::Debug for UserRow {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "UserRow({})", self.account)
    }
}

impl Store {
    /// Adds somebody; false when the e-mail address is taken.
    pub async fn new_user(&self, row: &UserRow) -> Result<bool, StoreError> {
        if row.email.len() > EMAIL_BYTES_MAX {
            return Err(StoreError::TooLarge { what: "the e-mail address", limit: EMAIL_BYTES_MAX });
        }
        let transaction = self.begin_durable().await?;
        let model = user::Model {
            account: Hash(row.account.0),
            email: row.email.clone(),
            password: row.password.clone(),
            created_at: Whole(row.created_at.0),
            failed: Small(row.failed),
            locked_until: Whole(row.locked_until.0),
        };
        if bulk::insert_missing::<user::Entity>(&transaction, vec![model]).await? == 0 {
            return Ok(false);
        }
        put_holder(&transaction, row.account, "email", row.created_at).await?;
        transaction.commit().await?;
        Ok(true)
    }

    /// Somebody by his e-mail address.
    pub async fn user_by_email(&self, email: &str) -> Result<Option<UserRow>, StoreError> {
        if email.contains(NUL) {
            return Ok(None);
        }
        let find = user::Entity::find().filter(user::Column::Email.eq(email));
        Ok(find.one(self.readers()).await?.map(of))
    }

    /// Somebody by his account.
    pub async fn user(&self, account: AccountId) -> Result<Option<UserRow>, StoreError> {
        Ok(user::Entity::find_by_id(Hash(account.0)).one(self.readers()).await?.map(of))
    }

    /// Counts a password that will be looked at, before it is; false when others have used up what was seen, or the
    /// account is locked. `locked_until` is what `failed` wrong ones bring.
    pub async fn count_attempt(&self, row: &UserRow, locked_until: Timestamp) -> Result<bool, StoreError> {
        let counted = user::Entity::update_many()
            .filter(user::Column::Account.eq(Hash(row.account.0)))
            .filter(user::Column::Failed.eq(Small(row.failed)))
            .filter(user::Column::LockedUntil.eq(Whole(row.locked_until.0)))
            .col_expr(user::Column::Failed, Expr::value(Small(row.failed.saturating_add(1))))
            .col_expr(user::Column::LockedUntil, Expr::value(Whole(locked_until.0)));
        Ok(counted.exec(self.writer()).await?.rows_affected == 1)
    }

    /// Forgets wrong passwords after a right one.
    pub async fn forget_attempts(&self, account: AccountId) -> Result<(), StoreError> {
        let cleared = user::Entity::update_many()
            .filter(user::Column::Account.eq(Hash(account.0)))
            .col_expr(user::Column::Failed, Expr::value(Small(0)))
            .col_expr(user::Column::LockedUntil, Expr::value(Whole(0)));
        cleared.exec(self.writer()).await?;
        Ok(())
    }

    /// Keeps another digest of somebody's password.
    pub async fn set_password(&self, account: AccountId, password: &str) -> Result<(), StoreError> {
        let set = user::Entity::update_many()
            .filter(user::Column::Account.eq(Hash(account.0)))
            .col_expr(user::Column::Password, Expr::value(password));
        set.exec(self.durable()).await?;
        Ok(())
    }

    /// Notes that an address proved to belong to an account. The account whose it is then: another's address stays
    /// another's. `Busy` when the account has [`LINKS_MAX`] already.
    pub async fn link(&self, address: Address, account: AccountId, at: Timestamp) -> Result<AccountId, StoreError> {
        let transaction = self.begin_durable().await?;
        let of = link::Entity::find().filter(link::Column::Account.eq(Hash(account.0)));
        if of.count(&transaction).await? >= LINKS_MAX && self.owner(address).await?.is_none() {
            return Err(StoreError::TooLarge { what: "the list of addresses", limit: LINKS_MAX as usize });
        }
        let model = link::Model { address: Account(address), account: Hash(account.0), at: Whole(at.0) };
        bulk::insert_missing::<link::Entity>(&transaction, vec![model]).await?;
        let held = link::Entity::find_by_id(Account(address)).one(&transaction).await?;
        let owner = held.map_or(account, |row| AccountId(row.account.0));
        if owner == account {
            let kind = if account == AccountId::of(address) { "address" } else { "email" };
            put_holder(&transaction, account, kind, at).await?;
        }
        transaction.commit().await?;
        Ok(owner)
    }

    /// To which account an address proved to belong.
    pub async fn owner(&self, address: Address) -> Result<Option<AccountId>, StoreError> {
        let found = link::Entity::find_by_id(Account(address)).one(self.readers()).await?;
        Ok(found.map(|row| AccountId(row.account.0)))
    }

    /// To which accounts these addresses proved to belong, as far as they did.
    pub async fn owners(&self, addresses: &[Address]) -> Result<Vec<(Address, AccountId)>, StoreError> {
        let addresses = addresses.iter().copied().map(Account);
        let found = bulk::find::<link::Entity, _>(self.readers(), link::Column::Address, addresses).await?;
        Ok(found.into_iter().map(|row| (row.address.0, AccountId(row.account.0))).collect())
    }

    /// Addresses that an account proved, oldest first.
    pub async fn links_of(&self, account: AccountId) -> Result<Vec<Address>, StoreError> {
        let find = link::Entity::find().filter(link::Column::Account.eq(Hash(account.0)));
        let find = find.order_by_asc(link::Column::At).order_by_asc(link::Column::Address).limit(LINKS_MAX);
        Ok(find.all(self.readers()).await?.into_iter().map(|row| row.address.0).collect())
    }

    /// Those of these accounts that exist: somebody signed in to them.
    pub async fn known_accounts(&self, accounts: &[AccountId]) -> Result<Vec<AccountId>, StoreError> {
        let ids = accounts.iter().map(|id| Hash(id.0));
        let found = bulk::find::<holder::Entity, _>(self.readers(), holder::Column::Account, ids).await?;
        Ok(found.into_iter().map(|row| AccountId(row.account.0)).collect())
    }

    /// Ends all sessions of an account, or of an address that signed.
    pub async fn end_sessions(&self, address: Address, account: Option<B256>) -> Result<(), StoreError> {
        use crate::entity::session;
        let of = session::Entity::delete_many().filter(session::Column::Address.eq(Account(address)));
        let of = match account {
            Some(account) => of.filter(session::Column::Account.eq(Hash(account))),
            None => of.filter(session::Column::Account.is_null()),
        };
        of.exec(self.writer()).await?;
        Ok(())
    }
}

async fn put_holder(
    db: &impl ConnectionTrait,
    account: AccountId,
    kind: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let model = holder::Model { account: Hash(account.0), kind: kind.to_owned(), created_at: Whole(at.0) };
    bulk::insert_missing::<holder::Entity>(db, vec![model]).await?;
    Ok(())
}

fn of(model: user::Model) -> UserRow {
    UserRow {
        account: AccountId(model.account.0),
        email: model.email,
        password: model.password,
        created_at: Timestamp(model.created_at.0),
        failed: model.failed.0,
        locked_until: Timestamp(model.locked_until.0),
    }
}
