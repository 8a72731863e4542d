//! Tables of what a gateway keeps for itself: nothing in them can be read from the chain again.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Bytes, Hash, Maybe, Text, Whole};
use super::table::{Column, Kind, Table, TableIndex, create, drop_all};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0002_own"
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

const MAYBE_BYTES: Kind = Maybe(&Bytes);
const MAYBE_HASH: Kind = Maybe(&Hash);
const MAYBE_WHOLE: Kind = Maybe(&Whole);

const TABLES: &[Table] = &[
    Table {
        name: "leases",
        comment: "Who may write what only one may write.",
        key: &["name"],
        columns: &[
            Column("name", Text, "What is leased."),
            Column("holder", Text, "Who holds it."),
            Column("expires", Whole, "When it ends, Unix seconds by the clock of the database."),
        ],
        indexes: &[],
    },
    Table {
        name: "nonces",
        comment: "Numbers that a sign-in must carry, each good for one.",
        key: &["nonce"],
        columns: &[
            Column("nonce", Text, "The number."),
            Column("expires", Whole, "When it is worthless, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "nonces_expires", columns: &["expires"], unique: false }],
    },
    Table {
        name: "sessions",
        comment: "Who is signed in.",
        key: &["token_hash"],
        columns: &[
            Column("token_hash", Hash, "sha2-256 of the token; the token itself is nowhere."),
            Column("address", Address, "Who signed in."),
            Column("created_at", Whole, "When, Unix seconds."),
            Column("expires", Whole, "Until when, Unix seconds."),
        ],
        indexes: &[TableIndex { name: "sessions_expires", columns: &["expires"], unique: false }],
    },
    Table {
        name: "requests",
        comment: "Requests that carry an idempotency key, and how they were answered.",
        key: &["who", "request_key"],
        columns: &[
            Column("who", Address, "Who asked."),
            Column("request_key", Text, "Key that the client chose."),
            Column("route", Text, "What was asked for."),
            Column("body_hash", Hash, "sha2-256 of the body."),
            Column("begun_at", Whole, "When it came, Unix seconds."),
            Column("status", MAYBE_WHOLE, "HTTP status of the answer; empty while it is in progress."),
            Column("body", MAYBE_BYTES, "Body of the answer."),
        ],
        indexes: &[TableIndex { name: "requests_begun_at", columns: &["begun_at"], unique: false }],
    },
    Table {
        name: "metrics",
        comment: "What agents measured, for some days.",
        key: &["provider", "at_ms"],
        columns: &[
            Column("provider", Whole, "Provider of the agent."),
            Column("at_ms", Whole, "When it was measured, Unix milliseconds."),
            Column(
                "utilisation_pct",
                Whole,
                "Use of the cards, or of the processors where there are none, in percent.",
            ),
            Column("memory_mib", Whole, "Main memory in use, in MiB."),
            Column("temperature_c", Whole, "Hottest card in degrees Celsius; 0 where unknown."),
            Column("power_w", Whole, "Power of all cards in watts; 0 where unknown."),
        ],
        indexes: &[TableIndex { name: "metrics_at_ms", columns: &["at_ms"], unique: false }],
    },
    Table {
        name: "presence",
        comment: "How long providers were heard in each hour.",
        key: &["provider", "hour"],
        columns: &[
            Column("provider", Whole, "The provider."),
            Column("hour", Whole, "Hours since 1970."),
            Column("seconds", Whole, "Seconds of that hour in which it was heard."),
        ],
        indexes: &[],
    },
    Table {
        name: "receipts",
        comment: "Receipts and how far they are on their way to the chain.",
        key: &["nid"],
        columns: &[
            Column("nid", Text, "CID of the document."),
            Column("job", Hash, "The job."),
            Column("kind", Text, "What it is about."),
            Column("idempotency_key", Text, "Key under which a receipt exists once."),
            Column("document", Bytes, "The canonical document."),
            Column("occurred_at", Whole, "Block time of what it is about, Unix seconds."),
            Column("from_block", Whole, "First height to look in for events of the job."),
            Column("to_block", Whole, "Last height to look in."),
            Column("state", Text, "stored, sending, mined or committed."),
            Column("tx", MAYBE_HASH, "Transaction of the commit."),
            Column("tx_nonce", MAYBE_WHOLE, "Nonce of that transaction."),
            Column("raw", MAYBE_BYTES, "Its signed bytes, kept before they are sent."),
            Column("block", MAYBE_WHOLE, "Height of its block."),
        ],
        indexes: &[
            TableIndex { name: "receipts_idempotency_key", columns: &["idempotency_key"], unique: true },
            TableIndex { name: "receipts_job", columns: &["job", "occurred_at"], unique: false },
            TableIndex { name: "receipts_occurred_at", columns: &["occurred_at", "nid"], unique: false },
            TableIndex { name: "receipts_state", columns: &["state", "occurred_at"], unique: false },
        ],
    },
];
