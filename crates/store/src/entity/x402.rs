//! Payments over HTTP.

pub(crate) mod channel {
    //! Channels, as their contract had them.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Account, Decimal, Hash, Whole};

    /// A channel.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_channels")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Hash,
        pub payer: Account,
        pub receiver: Account,
        pub config: String,
        pub balance: Decimal,
        pub claimed: Decimal,
        pub withdraw_at: Whole,
        pub refund_nonce: Decimal,
        pub synced_at: Whole,
        pub claimed_at: Whole,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod voucher {
    //! The newest voucher of each channel.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Decimal, Hash};

    /// A voucher.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_vouchers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Hash,
        pub charged: Decimal,
        pub signed_max: Decimal,
        pub signature: Option<Vec<u8>>,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod answer {
    //! The newest answer of each channel.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Decimal, Hash};

    /// An answer.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_answers")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: Hash,
        pub total: Decimal,
        pub body: Vec<u8>,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod payment {
    //! Authorizations that paid.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Account, Decimal, Hash, Whole};

    /// An authorization.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_payments")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub payer: Account,
        #[sea_orm(primary_key, auto_increment = false)]
        pub token: Account,
        #[sea_orm(primary_key, auto_increment = false)]
        pub chain_id: Whole,
        #[sea_orm(primary_key, auto_increment = false)]
        pub nonce: Hash,
        pub bound: Hash,
        pub pay_to: Account,
        pub amount: Decimal,
        pub begun_at: Whole,
        pub from_block: Whole,
        pub valid_before: Whole,
        pub state: String,
        pub tx: Option<Hash>,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod send {
    //! Transactions sent for others.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Account, Hash, Whole};

    /// A transaction.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_sends")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub purpose: String,
        pub chain_id: Whole,
        pub sender: Account,
        pub nonce: Whole,
        pub tx: Hash,
        pub raw: Vec<u8>,
        pub earlier: String,
        pub state: String,
        pub block: Option<Whole>,
        pub begun_at: Whole,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}

pub(crate) mod gas {
    //! Gas paid for others.

    use sea_orm::entity::prelude::*;

    use crate::entity::stored::{Account, Whole};

    /// A payer's day.
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "x402_gas")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub payer: Account,
        #[sea_orm(primary_key, auto_increment = false)]
        pub day: Whole,
        pub gas: Whole,
        pub calls: Whole,
    }

    /// No table refers to another.
    #[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
    pub enum Relation {}

    impl ActiveModelBehavior for ActiveModel {}
}
