//! People who sign in with e-mail and password.

use sea_orm::entity::prelude::*;

use super::stored::{Hash, Small, Whole};

/// Somebody with a password.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub account: Hash,
    pub email: String,
    pub password: String,
    pub created_at: Whole,
    pub failed: Small,
    pub locked_until: Whole,
}

/// No table refers to another: rows are read and written by their keys.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
