//! A whole job for one payment.

use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Money;
use crate::JobSpec;

/// `POST /api/v1/x402/jobs`. Send the same body with the payment as without.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct X402JobBody {
    /// What to run.
    pub spec: JobSpec,
    /// Seconds of clock to pay for.
    pub max_duration_s: u32,
    /// Becomes the job's renter: gets back what is not used, may stop and dispute. It need not be who pays.
    #[schema(value_type = crate::schema::Account)]
    pub refund_to: Address,
    /// The resource to rent; the cheapest free one that satisfies the spec when left out.
    #[serde(default)]
    #[schema(value_type = Option<crate::schema::Hash>)]
    pub resource_id: Option<B256>,
    /// Price of an hour, at most.
    #[serde(default)]
    pub max_price: Option<Money>,
    /// Pretended cards are good enough.
    #[serde(default)]
    pub simulated: bool,
}
