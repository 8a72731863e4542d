//! Stake, what it covers, disputes and slashes: all of it follows from the chain.

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager, async_trait::async_trait};

use super::table::Kind::{Address, Bool, Hash, Maybe, Text, Whole};
use super::table::{Column, Table, TableIndex, add, create, drop_added, drop_all};

pub(super) struct Migration;

impl MigrationName for Migration {
    fn name(&self) -> &str {
        "m0006_court"
    }
}

#[async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add(manager, "jobs", JOBS, &[]).await?;
        add(manager, "resources", RESOURCES, &[]).await?;
        add(manager, "market", MARKET, &[]).await?;
        create(manager, TABLES).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        drop_all(manager, TABLES).await?;
        drop_added(manager, "market", MARKET, &[]).await?;
        drop_added(manager, "resources", RESOURCES, &[]).await?;
        drop_added(manager, "jobs", JOBS, &[]).await
    }
}

const JOBS: &[Column] = &[Column("cover", Maybe(&Whole), "Seconds that tied stake vouches for.")];

const MARKET: &[Column] = &[Column(
    "min_bond",
    Maybe(&Text),
    "Least that a dispute costs to open, in smallest units; empty before it was set.",
)];

const RESOURCES: &[Column] = &[
    Column("stake", Maybe(&Text), "Stake that was put down and not taken back or lost, in smallest units."),
    Column("tied", Maybe(&Text), "Of the stake, tied to jobs that are not settled, in smallest units."),
    Column("unbonding", Maybe(&Text), "Of the stake, what its owner takes back, in smallest units."),
    Column("unbonded_at", Maybe(&Whole), "When that can be taken, Unix seconds."),
    Column("contested", Maybe(&Text), "Of the stake, held by proposals to slash, in smallest units."),
    Column(
        "cancel_fee_bps",
        Maybe(&Whole),
        "Share that cancelling a reservation may cost, in hundredths of a percent.",
    ),
];

const TABLES: &[Table] = &[
    Table {
        name: "disputes",
        comment: "Disputes over jobs.",
        key: &["job"],
        columns: &[
            Column("job", Hash, "Id of the job."),
            Column("opener", Address, "Who opened it and put down the bond."),
            Column("opened_at", Whole, "Block time of its opening, Unix seconds."),
            Column("pot", Text, "What it is about, in smallest units."),
            Column("bond", Text, "Lost on a wholly adverse verdict, in smallest units."),
            Column("reason", Text, "Words of the opener."),
            Column("decided_by", Maybe(&Address), "Who decided, or settled it when nobody did."),
            Column("verdict_bps", Maybe(&Whole), "Share of the provider in the pot, in hundredths of a percent."),
            Column("returned", Maybe(&Text), "Of the pot, gone back to the renter, in smallest units."),
            Column("from_cover", Maybe(&Text), "Of that, taken from stake, in smallest units."),
            Column("evidence", Maybe(&Text), "CID of the report; empty where nobody decided."),
            Column("decided_at", Maybe(&Whole), "Block time of the verdict, Unix seconds."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[TableIndex { name: "disputes_open", columns: &["decided_at", "opened_at"], unique: false }],
    },
    Table {
        name: "slashes",
        comment: "Proposals to slash stake.",
        key: &["id"],
        columns: &[
            Column("id", Whole, "Number of the proposal."),
            Column("resource", Hash, "Whose stake."),
            Column("harmed", Address, "Who was harmed."),
            Column("amount", Text, "What would be taken, in smallest units."),
            Column("from_unbonding", Text, "Of that, from stake that its owner takes back, in smallest units."),
            Column("loss", Text, "What the harmed lost, in smallest units."),
            Column("evidence", Text, "CID of the evidence."),
            Column("contestable_until", Whole, "Until then the owner may contest it, Unix seconds."),
            Column("contested", Maybe(&Text), "CID of what the owner says against it."),
            Column("slashed", Maybe(&Bool), "It was carried out."),
            Column("to_harmed", Maybe(&Text), "Gone to the harmed, in smallest units."),
            Column("burned", Maybe(&Text), "Gone to nobody, in smallest units."),
            Column("changed", Whole, "Height of the block that changed it last."),
        ],
        indexes: &[TableIndex { name: "slashes_resource", columns: &["resource"], unique: false }],
    },
];
