//! Tables of the index: everything in them follows from the chain.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Bool, Hash, Maybe, Text, Whole};
use super::table::{Column, Kind, Table, TableIndex, create, drop_all};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0001_index"
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

const MAYBE_ADDRESS: Kind = Maybe(&Address);
const MAYBE_HASH: Kind = Maybe(&Hash);
const MAYBE_TEXT: Kind = Maybe(&Text);
const MAYBE_WHOLE: Kind = Maybe(&Whole);

const TABLES: &[Table] = &[
    Table {
        name: "indexed",
        comment: "What this database indexes; one row.",
        key: &["id"],
        columns: &[
            Column("id", Whole, "Always 1."),
            Column("chain_id", Whole, "The chain."),
            Column("market", Address, "Address of the Market contract."),
            Column("from_block", Whole, "Height where indexing begins."),
            Column("rewinds", Whole, "How often blocks were taken back."),
            Column("undo_from", Whole, "The lowest height that the index can be taken back to."),
        ],
        indexes: &[],
    },
    Table {
        name: "recent_blocks",
        comment: "The newest blocks that were indexed, to notice a reorganisation.",
        key: &["number"],
        columns: &[
            Column("number", Whole, "Height."),
            Column("hash", Hash, "Hash of the block."),
            Column("at", Whole, "Block time, Unix seconds."),
        ],
        indexes: &[],
    },
    Table {
        name: "undo",
        comment: "Rows as they were before a block that may still be taken back.",
        key: &["block", "row_key"],
        columns: &[
            Column("block", Whole, "Height of the block that changed the row."),
            Column("row_key", Text, "Table and key of the row."),
            Column("image", MAYBE_TEXT, "The row before, as JSON; empty where it did not exist."),
        ],
        indexes: &[],
    },
    Table {
        name: "events",
        comment: "Events of the market, never changed once written.",
        key: &["block", "log_index"],
        columns: &[
            Column("block", Whole, "Height."),
            Column("log_index", Whole, "Place in the block."),
            Column("at", Whole, "Block time, Unix seconds."),
            Column("tx", Hash, "Hash of the transaction."),
            Column("kind", Text, "Name of the event in the contract."),
            Column("job", MAYBE_HASH, "Job that it is about."),
            Column("resource", MAYBE_HASH, "Resource that it is about."),
            Column("provider", MAYBE_WHOLE, "Provider that it is about."),
            Column("who", MAYBE_ADDRESS, "Who did it, where that is known."),
            Column("earned", MAYBE_TEXT, "Money that moved to the provider, in smallest units."),
            Column("detail", Text, "Its fields as JSON; amounts are decimal strings."),
        ],
        indexes: &[
            TableIndex { name: "events_provider", columns: &["provider", "at", "earned"], unique: false },
            TableIndex { name: "events_job", columns: &["job", "block", "log_index"], unique: false },
        ],
    },
    Table {
        name: "providers",
        comment: "Who provides, as the chain has it.",
        key: &["id"],
        columns: &[
            Column("id", Whole, "Number of the provider."),
            Column("owner", Address, "Lists and sets prices."),
            Column("agent", Address, "Runs jobs."),
            Column("payout", Address, "Gets the money."),
            Column("registered_at", Whole, "When it registered, Unix seconds."),
            Column("jobs_started", Whole, "Jobs that it started."),
            Column("jobs_succeeded", Whole, "Jobs that ended well."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[
            TableIndex { name: "providers_owner", columns: &["owner"], unique: false },
            TableIndex { name: "providers_agent", columns: &["agent"], unique: false },
        ],
    },
    Table {
        name: "resources",
        comment: "Listings, as the chain has them.",
        key: &["id"],
        columns: &[
            Column("id", Hash, "Id of the resource."),
            Column("provider", Whole, "Whose it is."),
            Column("key", Hash, "Key that the agent chose."),
            Column("model", Text, "Name of the card or processor."),
            Column("gpus", Whole, "Cards."),
            Column("vram_mib", Whole, "Memory of each card in MiB."),
            Column("cpus", Whole, "Processor threads."),
            Column("memory_mib", Whole, "Main memory in MiB."),
            Column("disk_mib", Whole, "Disk in MiB."),
            Column("simulated", Bool, "The cards are pretended."),
            Column("details", Text, "Free text of the listing."),
            Column("price", Text, "Price of an hour for new jobs, in smallest units."),
            Column("available", Bool, "Its owner offers it."),
            Column("held_by", MAYBE_HASH, "Job that holds it."),
            Column("listed_at", Whole, "When it was listed, Unix seconds."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[
            TableIndex { name: "resources_provider", columns: &["provider"], unique: false },
            TableIndex { name: "resources_changed", columns: &["changed"], unique: false },
        ],
    },
    Table {
        name: "jobs",
        comment: "Jobs, as the chain has them.",
        key: &["id"],
        columns: &[
            Column("id", Hash, "Hash of chain, market and terms."),
            Column("renter", Address, "Pays, and gets back what is not earned."),
            Column("controller", Address, "Consents to the start and may stop."),
            Column("resource", Hash, "What is rented."),
            Column("price", Text, "Price of an hour, in smallest units."),
            Column("min_charge", Text, "Least that a started job costs, in smallest units."),
            Column("max_duration", Whole, "Seconds that were agreed."),
            Column("not_before", Whole, "Earliest start, Unix seconds; 0 for at once."),
            Column("cancel_fee_bps", Whole, "Share that a cancellation costs, in hundredths of a percent."),
            Column("spec_digest", Hash, "sha2-256 of the job spec."),
            Column("flags", Whole, "Reserved in the terms."),
            Column("salt", Text, "Makes equal terms differ."),
            Column("extra_terms", Hash, "Reserved in the terms."),
            Column("provider", Whole, "Provider of the resource."),
            Column("fee_bps", Whole, "Share of the platform, in hundredths of a percent."),
            Column("status", Text, "Where it stands."),
            Column("outcome", Text, "Why its clock ended."),
            Column("since", Whole, "Block time of the last change of status."),
            Column("created_block", Whole, "Height where it was created."),
            Column("created_index", Whole, "Place in that block."),
            Column("created_at", Whole, "When the money was locked, Unix seconds."),
            Column("accepted_at", MAYBE_WHOLE, "When the provider took it, Unix seconds."),
            Column("started_at", MAYBE_WHOLE, "When the clock started, Unix seconds."),
            Column("ended_at", MAYBE_WHOLE, "When the chain learnt that it was over, Unix seconds."),
            Column("ready_record", MAYBE_HASH, "Digest of the readiness record."),
            Column("locked", Text, "Everything locked, extensions included, in smallest units."),
            Column("extra", Whole, "Seconds bought by extensions."),
            Column("paused", Whole, "Seconds not billed."),
            Column("paid_seconds", Whole, "Seconds paid out so far."),
            Column("paid", Text, "Paid out so far, in smallest units."),
            Column("seconds_run", MAYBE_WHOLE, "Seconds on the clock at the end."),
            Column("refunded", Text, "Gone back to the renter, in smallest units."),
            Column("fee", MAYBE_TEXT, "Share of the platform once final, in smallest units."),
            Column("result_digest", MAYBE_HASH, "Digest of the completion record."),
            Column("ended_by", MAYBE_ADDRESS, "Who ended, cancelled or declined it."),
            Column("reason", MAYBE_TEXT, "Words of the provider, where it was declined."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[
            TableIndex { name: "jobs_created", columns: &["created_block", "created_index"], unique: false },
            TableIndex { name: "jobs_renter", columns: &["renter", "created_block", "created_index"], unique: false },
            TableIndex {
                name: "jobs_controller",
                columns: &["controller", "created_block", "created_index"],
                unique: false,
            },
            TableIndex {
                name: "jobs_provider",
                columns: &["provider", "created_block", "created_index"],
                unique: false,
            },
            TableIndex {
                name: "jobs_resource",
                columns: &["resource", "created_block", "created_index"],
                unique: false,
            },
            TableIndex { name: "jobs_status", columns: &["status", "changed"], unique: false },
        ],
    },
    Table {
        name: "credits",
        comment: "Money that could not be delivered.",
        key: &["account"],
        columns: &[
            Column("account", Address, "Whose it is."),
            Column("amount", Text, "How much waits, in smallest units."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[],
    },
    Table {
        name: "reporters",
        comment: "Who may report silence.",
        key: &["address", "is_oracle"],
        columns: &[
            Column("address", Address, "Who."),
            Column("is_oracle", Bool, "In any job; otherwise only in jobs that it controls."),
            Column("registered", Bool, "It may now."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[],
    },
    Table {
        name: "market",
        comment: "The market as a whole; one row.",
        key: &["id"],
        columns: &[
            Column("id", Whole, "Always 1."),
            Column("fee_bps", MAYBE_WHOLE, "Share of the platform for new jobs; empty before it was ever changed."),
            Column("paused", Bool, "Creating and registering is paused."),
            Column("fees_withdrawn", Text, "Fees that were withdrawn, in smallest units."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[],
    },
];
