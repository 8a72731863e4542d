//! Tables of payments over HTTP: channels and their newest vouchers, authorizations, and what was sent for others.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Bytes, Hash, Maybe, Text, Whole};
use super::table::{Column, Table, TableIndex, create, drop_all};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0005_x402"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create(manager, TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, TABLES).await
    }
}

const TABLES: &[Table] = &[
    Table {
        name: "x402_channels",
        comment: "Payment channels, as their contract had them when it was last asked.",
        key: &["id"],
        columns: &[
            Column("id", Hash, "EIP-712 digest of the configuration; bound to chain and contract."),
            Column("payer", Address, "Who deposits."),
            Column("receiver", Address, "Who is paid."),
            Column("config", Text, "The configuration as JSON."),
            Column("balance", Text, "What was deposited and not given back, smallest units."),
            Column("claimed", Text, "What was claimed in all, smallest units."),
            Column("withdraw_at", Whole, "When the payer asked to withdraw, Unix seconds; 0 when he did not."),
            Column("refund_nonce", Text, "How often money was given back."),
            Column("synced_at", Whole, "When the contract was asked, Unix seconds."),
            Column("claimed_at", Whole, "When a claim was last made, or the channel first seen, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "x402_channels_receiver", columns: &["receiver", "payer"], unique: false }],
    },
    Table {
        name: "x402_vouchers",
        comment: "The newest voucher of each channel, and how much of it was charged.",
        key: &["id"],
        columns: &[
            Column("id", Hash, "The channel."),
            Column("charged", Text, "What was served for in all, smallest units."),
            Column("signed_max", Text, "The running total that the payer signed last."),
            Column("signature", Maybe(&Bytes), "His signature over it."),
        ],
        indexes: &[],
    },
    Table {
        name: "x402_answers",
        comment: "What the newest voucher of each channel bought, for a client that lost the answer.",
        key: &["id"],
        columns: &[
            Column("id", Hash, "The channel."),
            Column("total", Text, "The running total of the voucher that paid for it."),
            Column("body", Bytes, "The answer."),
        ],
        indexes: &[],
    },
    Table {
        name: "x402_payments",
        comment: "Authorizations that paid for something, each once.",
        key: &["payer", "token", "chain_id", "nonce"],
        columns: &[
            Column("payer", Address, "Who signed."),
            Column("token", Address, "The token."),
            Column("chain_id", Whole, "The chain."),
            Column("nonce", Hash, "Of the authorization."),
            Column("bound", Hash, "What it pays for: digest of the request and of the payment."),
            Column("pay_to", Address, "Who is paid."),
            Column("amount", Text, "Smallest units."),
            Column("begun_at", Whole, "When it was first seen, Unix seconds."),
            Column("from_block", Whole, "The first block in which its use can stand."),
            Column("valid_before", Whole, "When the authorization ends, Unix seconds."),
            Column("state", Text, "reserved, paid or failed."),
            Column("tx", Maybe(&Hash), "The transaction in which the money moved."),
        ],
        indexes: &[TableIndex { name: "x402_payments_begun", columns: &["begun_at"], unique: false }],
    },
    Table {
        name: "x402_sends",
        comment: "Transactions sent for others, kept before they are sent.",
        key: &["purpose"],
        columns: &[
            Column("purpose", Text, "What it does; done once."),
            Column("chain_id", Whole, "The chain."),
            Column("sender", Address, "Whose key signed."),
            Column("nonce", Whole, "Of the transaction."),
            Column("tx", Hash, "Its hash as it was last signed."),
            Column("raw", Bytes, "Its signed bytes as last signed."),
            Column("earlier", Text, "Hashes that it had before its fee was raised, JSON."),
            Column("state", Text, "sending, mined, reverted or lost."),
            Column("block", Maybe(&Whole), "Height of its block."),
            Column("begun_at", Whole, "When it was signed, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "x402_sends_state", columns: &["state", "sender"], unique: false }],
    },
    Table {
        name: "x402_gas",
        comment: "Gas paid for others, by day.",
        key: &["payer", "day"],
        columns: &[
            Column("payer", Address, "For whom."),
            Column("day", Whole, "Days since 1970."),
            Column("gas", Whole, "Units of gas, as granted."),
            Column("calls", Whole, "Transactions."),
        ],
        indexes: &[TableIndex { name: "x402_gas_day", columns: &["day"], unique: false }],
    },
];
