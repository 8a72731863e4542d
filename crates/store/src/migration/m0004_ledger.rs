//! Tables of the market wallet: assets with their equation, accounts and balances, the ledger's postings, holds,
//! deposits, withdrawals, and people with passwords.

use sea_orm::{ConnectionTrait, DbBackend, DbErr};
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Bool, Bytes, Hash, Maybe, Text, Whole};
use super::table::{Check, Column, Kind, Table, TableIndex, add, create_checked, drop_added, drop_all};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0004_ledger"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        create_checked(manager, TABLES, CHECKS).await?;
        let db = manager.get_connection();
        db.execute_unprepared(OPEN_HOLDS).await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            db.execute_unprepared(ROOM).await?;
        }
        add(manager, "sessions", &[SESSION_ACCOUNT], &[]).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_added(manager, "sessions", &[SESSION_ACCOUNT], &[]).await?;
        drop_all(manager, TABLES).await
    }
}

const MAYBE_ADDRESS: Kind = Maybe(&Address);
const MAYBE_BYTES: Kind = Maybe(&Bytes);
const MAYBE_HASH: Kind = Maybe(&Hash);
const MAYBE_TEXT: Kind = Maybe(&Text);
const MAYBE_WHOLE: Kind = Maybe(&Whole);

const SESSION_ACCOUNT: Column =
    Column("account", MAYBE_HASH, "The wallet account of who signed in with a password; empty for an address.");

/// Of all holds only those that are not over are asked for by their age.
const OPEN_HOLDS: &str = "CREATE INDEX holds_open ON holds (created_at, job) WHERE state = 'open'";
/// Balances change all the time and their keys never: with room on its page a new version needs no entry in the index.
const ROOM: &str = "ALTER TABLE balances SET (fillfactor = 50)";

/// What the engine itself refuses, whatever a program does.
const CHECKS: &[Check] = &[
    Check("assets", "available + held + fees + suspense = treasury + locks - withdrawing"),
    Check("assets", "available >= 0 AND held >= 0 AND fees >= 0"),
    Check("assets", "treasury >= 0 AND locks >= 0 AND withdrawing >= 0"),
    Check("assets", "shortfall >= 0 AND suspense + shortfall >= 0"),
    Check("assets", "decimals >= 0 AND decimals <= 9"),
    Check("postings", "available + held + fees + suspense = treasury + locks - withdrawing"),
    Check("balances", "available >= 0 AND held >= 0 AND owed >= 0"),
    Check("holds", "amount >= 0 AND locked >= 0 AND locked <= amount AND price_per_hour >= 0"),
    Check("holds", "spent >= 0 AND refunded >= 0 AND fee >= 0"),
    Check("deposits", "amount > 0"),
    Check("withdrawals", "amount > 0"),
];

const TABLES: &[Table] = &[
    Table {
        name: "assets",
        comment: "What the market wallet holds, with totals that must agree: available + held + fees + suspense = treasury + locks - withdrawing.",
        key: &["asset"],
        columns: &[
            Column("asset", Whole, "Number of the asset here."),
            Column("chain_id", Whole, "Chain of the token."),
            Column("token", Address, "Contract of the token."),
            Column("symbol", Text, "What people call it."),
            Column("decimals", Whole, "Decimal places, at most 9."),
            Column("testnet", Bool, "The chain is for tests: its money is free."),
            Column("available", Whole, "What accounts may spend, in smallest units."),
            Column("held", Whole, "What accounts have set aside for jobs and withdrawals."),
            Column("fees", Whole, "What the operator earned."),
            Column("suspense", Whole, "What belongs to nobody known, less the shortfall."),
            Column("shortfall", Whole, "What accounts owe since a reorganisation took back a deposit that was spent."),
            Column("treasury", Whole, "What the treasury has on chain, as deep as deposits are credited."),
            Column("locks", Whole, "What is locked in jobs that the treasury pays for."),
            Column("withdrawing", Whole, "What was signed out of the treasury and is not final."),
            Column("scanned", Whole, "Height up to which all deposits were read and are final."),
        ],
        indexes: &[TableIndex { name: "assets_token", columns: &["chain_id", "token"], unique: true }],
    },
    Table {
        name: "accounts",
        comment: "Who has money in the market wallet.",
        key: &["account"],
        columns: &[
            Column("account", Hash, "Id: an address with zeros before it, or 32 bytes by chance."),
            Column("kind", Text, "address, email or operator."),
            Column("created_at", Whole, "Since when, Unix seconds."),
        ],
        indexes: &[],
    },
    Table {
        name: "links",
        comment: "Addresses that proved by a signature whose they are; deposits from them are credited.",
        key: &["address"],
        columns: &[
            Column("address", Address, "The address."),
            Column("account", Hash, "Whose it is."),
            Column("at", Whole, "When it was proven, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "links_account", columns: &["account"], unique: false }],
    },
    Table {
        name: "balances",
        comment: "What an account has of an asset.",
        key: &["account", "asset"],
        columns: &[
            Column("account", Hash, "The account."),
            Column("asset", Whole, "The asset."),
            Column("available", Whole, "What it may spend, in smallest units."),
            Column("held", Whole, "What is set aside for its jobs and withdrawals."),
            Column("owed", Whole, "What it spent of a deposit that the chain took back; while it owes, it is blocked."),
        ],
        indexes: &[],
    },
    Table {
        name: "ledger",
        comment: "One row that every writer of the ledger locks first.",
        key: &["id"],
        columns: &[Column("id", Whole, "Always 1."), Column("next", Whole, "Number of the next posting.")],
        indexes: &[],
    },
    Table {
        name: "postings",
        comment: "What happened in the ledger, once for each reference, only ever added; its changes agree as the totals of an asset do.",
        key: &["posting"],
        columns: &[
            Column("posting", Whole, "Number, in the order of writing."),
            Column("reference", Text, "What it is about; a reference is posted once."),
            Column("why", Text, "Kind of the posting."),
            Column("digest", Hash, "Digest of everything it says, to tell a repeat from another."),
            Column("at", Whole, "When, Unix seconds."),
            Column("asset", Whole, "The asset."),
            Column("account", MAYBE_HASH, "Whose money it changes; empty where it moves the market's own only."),
            Column("available", Whole, "Change of what accounts may spend, in smallest units."),
            Column("held", Whole, "Change of what accounts have set aside."),
            Column("fees", Whole, "Change of what the operator earned."),
            Column("suspense", Whole, "Change of what belongs to nobody known."),
            Column("shortfall", Whole, "Change of what accounts owe."),
            Column("treasury", Whole, "Change of what the treasury has on chain."),
            Column("locks", Whole, "Change of what is locked in jobs."),
            Column("withdrawing", Whole, "Change of what was signed out and is not final."),
        ],
        indexes: &[
            TableIndex { name: "postings_reference", columns: &["reference"], unique: true },
            TableIndex { name: "postings_account", columns: &["account", "posting"], unique: false },
        ],
    },
    Table {
        name: "gas_days",
        comment: "What the keys of this market spend on gas, by day.",
        key: &["chain_id", "signer", "day"],
        columns: &[
            Column("chain_id", Whole, "The chain."),
            Column("signer", Address, "Whose key paid."),
            Column("day", Whole, "Days since 1970."),
            Column("gwei", Whole, "The most that the signed transactions can have cost, in gwei."),
            Column("transactions", Whole, "Transactions, those signed again for more counted again."),
        ],
        indexes: &[],
    },
    HOLDS,
    DEPOSITS,
    WITHDRAWALS,
    Table {
        name: "users",
        comment: "People who sign in with an e-mail address and a password.",
        key: &["account"],
        columns: &[
            Column("account", Hash, "Their account."),
            Column("email", Text, "E-mail address, normalised."),
            Column("password", Text, "Argon2id digest of the password in PHC form."),
            Column("created_at", Whole, "Since when, Unix seconds."),
            Column("failed", Whole, "Wrong passwords since the last right one."),
            Column("locked_until", Whole, "Until when no password is looked at, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "users_email", columns: &["email"], unique: true }],
    },
];

const HOLDS: Table = Table {
    name: "holds",
    comment: "Money that accounts set aside for jobs which the treasury pays for.",
    key: &["job"],
    columns: &[
        Column("job", Hash, "The job."),
        Column("account", Hash, "Who pays."),
        Column("asset", Whole, "In what."),
        Column("amount", Whole, "What is set aside, in smallest units; 0 once it is over."),
        Column("locked", Whole, "What of it is locked on chain."),
        Column("state", Text, "open, settled or released."),
        Column("price_per_hour", Whole, "What the job costs in an hour, in smallest units."),
        Column("resource", MAYBE_HASH, "The rented resource."),
        Column("created_at", Whole, "When it was set aside, Unix seconds."),
        Column("started_at", MAYBE_WHOLE, "When the job began to cost, Unix seconds."),
        Column("ended_at", MAYBE_WHOLE, "When it was settled or released, Unix seconds."),
        Column("spent", Whole, "What the job cost on chain."),
        Column("refunded", Whole, "What the chain gave back."),
        Column("fee", Whole, "What the operator took beside."),
    ],
    indexes: &[TableIndex { name: "holds_account", columns: &["account", "ended_at"], unique: false }],
};

const DEPOSITS: Table = Table {
    name: "deposits",
    comment: "Transfers to the treasury, from when they are first seen.",
    key: &["asset", "tx", "log_index"],
    columns: &[
        Column("asset", Whole, "The asset: chain and token."),
        Column("tx", Hash, "The transaction."),
        Column("log_index", Whole, "Place of its event in the block."),
        Column("sender", Address, "Who sent it."),
        Column("account", MAYBE_HASH, "Whose it is; empty while nobody knows."),
        Column("amount", Whole, "How much, in smallest units."),
        Column("block", Whole, "Height of its block."),
        Column("block_hash", Hash, "Hash of its block."),
        Column("depth", Whole, "Blocks on it and its own, when last looked at."),
        Column("state", Text, "seen, credited, suspense or reorganised."),
        Column("round", Whole, "How often a reorganisation took it back."),
        Column("seen_at", Whole, "When it was first seen, Unix seconds."),
    ],
    indexes: &[
        TableIndex { name: "deposits_block", columns: &["asset", "block"], unique: false },
        TableIndex { name: "deposits_account", columns: &["account", "state"], unique: false },
        TableIndex { name: "deposits_state", columns: &["state", "seen_at"], unique: false },
    ],
};

const WITHDRAWALS: Table = Table {
    name: "withdrawals",
    comment: "Payments out of the treasury, rows before they are broadcast.",
    key: &["id"],
    columns: &[
        Column("id", Hash, "Id, a digest of account and request key."),
        Column("account", Hash, "Who asked."),
        Column("request_key", Text, "Key under which an account asks once."),
        Column("asset", Whole, "The asset."),
        Column("destination", Address, "Where to."),
        Column("amount", Whole, "How much, in smallest units."),
        Column("state", Text, "requested, signed, sent, mined, final or failed."),
        Column("requested_at", Whole, "When it was asked for, Unix seconds."),
        Column("signer", MAYBE_ADDRESS, "Whose key signed."),
        Column("tx_nonce", MAYBE_WHOLE, "Nonce of the transaction."),
        Column("tx", MAYBE_HASH, "Hash of what was signed last, or of what was mined."),
        Column("txs", MAYBE_BYTES, "Hashes of everything signed at this nonce, one after the other."),
        Column("raw", MAYBE_BYTES, "Signed bytes, kept before they are sent."),
        Column("sent_at", MAYBE_WHOLE, "When they were handed in first, Unix seconds."),
        Column("block", MAYBE_WHOLE, "Height of its block."),
        Column("reason", MAYBE_TEXT, "Why it failed."),
    ],
    indexes: &[
        TableIndex { name: "withdrawals_request", columns: &["account", "request_key"], unique: true },
        TableIndex { name: "withdrawals_state", columns: &["state", "requested_at"], unique: false },
        TableIndex { name: "withdrawals_sent_at", columns: &["asset", "sent_at"], unique: false },
    ],
};
