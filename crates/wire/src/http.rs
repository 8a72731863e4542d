//! Bodies of the gateway's HTTP and WebSocket interface (`/api/v1`).

mod money;
pub use money::Money;

mod gpu;
pub use gpu::{GpuJson, GpuQuery, Presence};

mod provider;
pub use provider::{AvailabilityBody, EarningsJson, MetricsPoint, PriceBody, ProviderJson, RegisterBody, UnsignedTx};

mod job;
pub use job::{
    AuthorizationJson, ChainEventJson, CreateJobBody, CreatedJobJson, JobJson, JobMetricsPoint, JobStatusJson, LogLine,
    LogsJson, OutcomeJson, ReadyBody, ResultJson, StatusJson, StoppedJson,
};

mod lease;
pub use lease::{
    EXPOSURE_TICKS, LeaseBody, LeaseJson, LeaseOpenedJson, LeasePhase, LeaseResultJson, PREPAID_MAX_S, TICK_MAX_S,
    TICK_MIN_S, TICK_S, TickBody,
};

mod auth;
pub use auth::{MeJson, NonceBody, NonceJson, SessionJson, VerifyBody};

mod account;
pub use account::{AccountSessionJson, LinkedJson, LoginBody, RefreshBody, SignupBody};

mod wallet;
pub use wallet::{
    AddressBalanceJson, AssetJson, BalanceJson, DepositBody, DepositJson, SpendingJson, SuspenseJson, WalletEntryJson,
    WalletJson, WalletRunwayJson, WithdrawBody, WithdrawJson, WithdrawPreviewJson, WithdrawalJson, WithdrawalStage,
};

mod x402_job;
pub use x402_job::X402JobBody;

mod ws;
pub use ws::{AccountEvent, AccountNews, FromClient, ProviderEvent, ProviderNews, Subscribe, ToClient, WatchProof};

mod problem;
pub use problem::Problem;

mod stream;
pub use stream::{PaymentStreamJson, Payout, RUNWAY_ENDING_S, RUNWAY_SHORT_S, Runway, StreamPoint};

mod dispute;
pub use dispute::{
    CallsJson, DisputeBody, DisputeJson, DisputeState, EVIDENCE_BYTES_MAX, REASON_BYTES_MAX, ResolveBody, VerdictJson,
};

mod stake;
pub use stake::{ResourceStakeJson, StakeBody, StakeJson};

mod upload;
pub use upload::UploadPass;

use alloy_primitives::Address;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// Events that a gateway keeps of one job; a reader who is further behind is told to resync.
pub const FEED_EVENTS_MAX: usize = 20_000;

/// A page of a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Page<T> {
    /// The entries.
    pub items: Vec<T>,
    /// Where the next page begins; absent on the last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_cursor: Option<String>,
}

/// `GET /api/v1/health`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// `ok`.
    pub status: String,
    /// The chain it serves.
    pub chain_id: u64,
    /// The market it serves.
    #[schema(value_type = crate::schema::Account)]
    pub market: Address,
    /// The settlement token.
    #[schema(value_type = crate::schema::Account)]
    pub token: Address,
    /// Watches over jobs that name it as their controller: signs Ready, counts beats, reports silence.
    #[schema(value_type = Option<crate::schema::Account>)]
    pub watcher: Option<Address>,
    /// Signs the commits of receipts.
    #[schema(value_type = Option<crate::schema::Account>)]
    pub recorder: Option<Address>,
    /// The newest block whose events can be queried here.
    pub indexed_block: Option<u64>,
    /// Agents connected now.
    pub agents: usize,
    /// Blocks of content held.
    pub blocks: u64,
}
