//! Time bought by the tick: `/api/v1/x402/leases`, for clients of x402 (`batch-settlement`) as they are.

pub(crate) mod create;
mod deposit;
mod pay;
pub(crate) mod reads;
pub(crate) mod stop;
pub(crate) mod tick;
mod view;

use alloy_primitives::{B256, keccak256};
use axum::http::{HeaderMap, header};
use wire::link::{LeaseAsk, LeaseReply};

use crate::{
    GatewayError,
    leases::{Told, Unanswered},
    state::Shared,
};

/// Characters of a capability: 32 bytes in hex.
const CAPABILITY_CHARS: usize = 64;

/// A lease as its agent told of it last, in this gateway's hearing.
fn known(shared: &Shared, lease: B256) -> Result<Told, GatewayError> {
    shared.leases.copies.of(lease).ok_or_else(|| GatewayError::NotFound {
        what: format!(
            "lease {lease} is not known here: its agent is not linked to this gateway now, or it is long over"
        ),
    })
}

/// The same, for who shows its capability.
fn shown(shared: &Shared, lease: B256, headers: &HeaderMap) -> Result<Told, GatewayError> {
    let told = known(shared, lease)?;
    let token = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = token.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    // The hash of what was shown is compared, so how long it takes tells nothing.
    if token.len() != CAPABILITY_CHARS || keccak256(token) != told.state.capability {
        let reason = "a lease is for who has its capability: send what the opening answered";
        return Err(GatewayError::NotSignedIn { reason });
    }
    Ok(told)
}

/// Asks the agent of a lease, and remembers what it says of it.
async fn ask(shared: &Shared, agent: alloy_primitives::Address, ask: LeaseAsk) -> Result<LeaseReply, GatewayError> {
    match shared.leases.calls.ask(&shared.links, agent, ask).await {
        Ok(LeaseReply::Unknown { reason }) => Err(GatewayError::Unknown {
            what: format!("the agent does not know what became of it ({reason}): send the same again, it is done once"),
        }),
        Ok(reply) => {
            if let LeaseReply::Taken { lease, state, .. } = &reply {
                shared.leases.copies.told(agent, *lease, state.clone());
            }
            Ok(reply)
        }
        Err(Unanswered::NotAsked) => Err(GatewayError::Unavailable {
            what: "the agent is not linked to this gateway now, or is overrun; nothing was charged, try again".into(),
        }),
        Err(Unanswered::Unknown) => Err(GatewayError::Unknown {
            what: "the agent did not answer in time: send the same payment again, it is charged once".into(),
        }),
    }
}
