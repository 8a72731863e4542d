//! What a gateway knows of jobs and receipts. Answers are the gateway's word: whoever must be sure asks the chain.

use alloy_primitives::Address;
use market::JobId;
use wire::{
    http::{ChainEventJson, JobJson, StatusJson},
    receipt::Receipt,
};

use super::{GatewayClient, pairs};
use crate::RenterError;

/// Which jobs are wanted. What is left out does not restrict.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct JobsWanted {
    /// Who pays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub renter: Option<Address>,
    /// The provider's number.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub provider: Option<u32>,
    /// Where they stand.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<StatusJson>,
    /// Only those that are not over, or only those that are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub live: Option<bool>,
}

impl GatewayClient {
    /// Jobs, newest first, at most so many.
    pub async fn jobs(&self, wanted: &JobsWanted, most: usize) -> Result<Vec<JobJson>, RenterError> {
        self.all("api/v1/jobs", &pairs(wanted), Some(most)).await
    }

    /// One job.
    pub async fn job(&self, job: JobId) -> Result<JobJson, RenterError> {
        self.get(&format!("api/v1/jobs/{job}"), &[]).await
    }

    /// Everything that the chain says happened to a job, oldest first.
    pub async fn job_events(&self, job: JobId) -> Result<Vec<ChainEventJson>, RenterError> {
        self.all(&format!("api/v1/jobs/{job}/events"), &[], None).await
    }

    /// The receipt of this NID.
    pub async fn receipt(&self, nid: &str) -> Result<Receipt, RenterError> {
        self.get(&format!("api/v1/receipts/{nid}"), &[]).await
    }

    /// A job's receipts, oldest first; none for a job that has none yet.
    pub async fn receipts_of(&self, job: JobId) -> Result<Vec<Receipt>, RenterError> {
        match self.all(&format!("api/v1/jobs/timeline/{job}"), &[], None).await {
            Err(RenterError::NotThere { .. }) => Ok(Vec::new()),
            receipts => receipts,
        }
    }

    /// Receipts, newest first, at most so many.
    pub async fn receipts(&self, most: usize) -> Result<Vec<Receipt>, RenterError> {
        self.all("api/v1/receipts", &[], Some(most)).await
    }
}
