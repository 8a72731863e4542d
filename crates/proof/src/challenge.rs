//! A challenge and its answer, as statements that keys sign.

use alloy_primitives::{Address, B256, aliases::U40};
use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};
use wire::{
    Domain, SignatureBytes,
    signed::{GpuAnswer, GpuChallenge},
};

use crate::{Key, ProofError, Shape};

/// Separates the matrices' key from every other use of a digest.
const MATRICES: &[u8] = b"bourse proof of GPU v1: matrices";

/// What an oracle asks for. What is computed follows from all of it: nobody else's answer, and no earlier one, fits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Challenge {
    /// The chain.
    pub chain_id: u64,
    /// The Market contract.
    pub market: Address,
    /// Random, used once.
    pub nonce: B256,
    /// The agent that is asked.
    pub agent: Address,
    /// The card that is asked, by its [`identity`](crate::identity).
    pub card: B256,
    /// The same for cards that are asked at once; zero for one that is asked alone.
    pub group: B256,
    /// Rows of each matrix.
    pub size: u32,
    /// Products.
    pub rounds: u32,
    /// Milliseconds from sending this to receiving the root, by the oracle's clock.
    pub deadline_ms: u32,
    /// Unix seconds, for people; nothing is timed by it.
    pub at: u64,
}

impl Challenge {
    /// The chain and contract that its signatures are bound to.
    #[must_use]
    pub fn domain(&self) -> Domain {
        Domain { chain_id: self.chain_id, market: self.market }
    }

    /// What the oracle signs.
    #[must_use]
    pub fn statement(&self) -> GpuChallenge {
        GpuChallenge {
            nonce: self.nonce,
            agent: self.agent,
            card: self.card,
            group: self.group,
            size: self.size,
            rounds: self.rounds,
            deadlineMs: self.deadline_ms,
            at: U40::saturating_from(self.at),
        }
    }

    /// The challenge's name: chain and contract are in it.
    #[must_use]
    pub fn digest(&self) -> B256 {
        self.domain().signing_hash(&self.statement())
    }

    /// How much is computed.
    pub fn shape(&self) -> Result<Shape, ProofError> {
        Shape::new(self.size, self.rounds)
    }

    /// What the matrices are made from.
    #[must_use]
    pub fn key(&self) -> Key {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(MATRICES);
        context.update(self.digest().as_slice());
        let mut key = [0; 32];
        key.copy_from_slice(context.finish().as_ref());
        Key::new(key)
    }

    /// What the agent signs.
    #[must_use]
    pub fn answer(&self, root: B256) -> GpuAnswer {
        GpuAnswer { challenge: self.digest(), card: self.card, root }
    }
}

/// A challenge on its way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SignedChallenge {
    /// What is asked.
    pub challenge: Challenge,
    /// The oracle's signature (`GpuChallenge`).
    pub signature: SignatureBytes,
}

/// An agent's answer. It has no time in it: the oracle has a clock of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Answer {
    /// Digest of the challenge.
    pub challenge: B256,
    /// The card that computed.
    pub card: B256,
    /// Root over all columns of all results.
    pub root: B256,
    /// The agent's signature (`GpuAnswer`).
    pub signature: SignatureBytes,
}

impl Answer {
    /// A signed answer.
    #[must_use]
    pub fn new(statement: &GpuAnswer, signature: SignatureBytes) -> Self {
        Self { challenge: statement.challenge, card: statement.card, root: statement.root, signature }
    }

    /// What was signed.
    #[must_use]
    pub fn statement(&self) -> GpuAnswer {
        GpuAnswer { challenge: self.challenge, card: self.card, root: self.root }
    }
}
