//! x402: payment over HTTP, as unmodified clients and servers of others speak it (version 2, and version 1 beside it).
//!
//! Formats only. Objects keep to the public specification; fields that are not known here are passed over, because
//! newer programs send more of them, and an explicit `null` stands for an absent field.

mod header;
pub use header::{HEADER_BYTES_MAX, decode, encode};

mod network;
pub use network::Network;

mod version;
pub use version::Version;

mod decimal;

mod offer;
pub use offer::{PaymentRequired, PaymentRequiredV1, Requirements, RequirementsV1, ResourceInfo};

mod payment;
pub use payment::{Payment, PaymentV1, PaymentV2};

mod exact;
pub use exact::{Authorization, ExactPayload, SIGNATURE_BYTES_MAX};

mod batch;
pub use batch::{
    BatchOffer, BatchPayload, ChannelConfig, ChannelStateJson, Deposit, DepositAuthorization, Erc3009Deposit,
    Permit2Deposit, TokenPermissions, VOUCHER_FRAME_BYTES, VoucherClaim, VoucherFields, VoucherOf, VoucherStateJson,
    WITHDRAW_DELAY_MAX_S, WITHDRAW_DELAY_MIN_S, Witness,
};

mod answer;
pub use answer::{FacilitatorRequest, Kind, SettleResponse, Supported, VerifyResponse};

mod discovery;
pub use discovery::{DiscoveredResource, DiscoveryPage, DiscoveryQuery, LISTED_MAX, Pagination};

mod identifier;
pub use identifier::{PAYMENT_IDENTIFIER, identifier_extension, payment_identifier};

pub mod reason;
pub mod typed;

/// Response header of a 402: base64 of a [`PaymentRequired`].
pub const PAYMENT_REQUIRED: &str = "payment-required";
/// Request header: base64 of a [`PaymentV2`].
pub const PAYMENT_SIGNATURE: &str = "payment-signature";
/// Response header: base64 of a [`SettleResponse`].
pub const PAYMENT_RESPONSE: &str = "payment-response";
/// Request header of version 1: base64 of a [`PaymentV1`].
pub const X_PAYMENT: &str = "x-payment";
/// Response header of version 1: base64 of a [`SettleResponse`].
pub const X_PAYMENT_RESPONSE: &str = "x-payment-response";

/// Scheme: one authorization pays one request.
pub const EXACT: &str = "exact";
/// Scheme: one deposit, then signed running totals.
pub const BATCH_SETTLEMENT: &str = "batch-settlement";
/// The key of `extra` under which a server names how money is moved; absent means EIP-3009.
pub const TRANSFER_METHOD: &str = "assetTransferMethod";

#[cfg(test)]
mod tests;
