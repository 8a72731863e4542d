//! Why a payment is not taken, in the code that clients compare with and in words.

use alloy_primitives::Address;
use wire::x402::{SettleResponse, VerifyResponse};

use crate::channel::ChannelRefusal;

/// No money moved, and nothing will by this payment.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PaymentRefusal {
    /// A code of [`wire::x402::reason`].
    pub code: &'static str,
    /// What is wrong, and what would be right.
    pub message: String,
    /// Who would have paid, where that is known.
    pub payer: Option<Address>,
}

impl PaymentRefusal {
    pub(crate) fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), payer: None }
    }

    pub(crate) fn by(self, payer: Address) -> Self {
        Self { payer: Some(payer), ..self }
    }

    /// As `/verify` answers it.
    #[must_use]
    pub fn to_verify(&self) -> VerifyResponse {
        VerifyResponse {
            invalid_reason: Some(self.code.to_owned()),
            invalid_message: Some(self.message.clone()),
            payer: self.payer,
            ..VerifyResponse::default()
        }
    }

    /// As `/settle` answers it.
    #[must_use]
    pub fn to_settle(&self, network: impl ToString) -> SettleResponse {
        SettleResponse::failed(network, self.payer, self.code, &self.message)
    }
}

impl From<ChannelRefusal> for PaymentRefusal {
    fn from(refusal: ChannelRefusal) -> Self {
        Self::new(refusal.code(), refusal.to_string())
    }
}
