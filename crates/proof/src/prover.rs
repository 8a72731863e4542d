//! The prover's side of one proof, as a table of states. Who computes the chain is the caller's affair: a card, or for
//! small sizes [`Layers`](crate::Layers).

use alloy_primitives::{Address, B256};
use wire::signed::GpuAnswer;

use crate::{Audit, Challenge, Check, Columns, Openings, ProofError, Shape, SignedChallenge, Tree};

/// One proof, from the challenge that was taken to the columns that were shown.
#[derive(Clone, Debug)]
pub struct Prover {
    challenge: Challenge,
    shape: Shape,
    state: State,
}

#[derive(Clone, Debug)]
enum State {
    Computing,
    Committed(Tree),
    Opened,
}

impl Prover {
    /// Takes a challenge that this oracle sent to this agent about a card that it has, or says why not.
    pub fn take(sent: SignedChallenge, oracle: Address, agent: Address, cards: &[B256]) -> Result<Self, ProofError> {
        let SignedChallenge { challenge, signature } = sent;
        let shape = challenge.shape()?;
        let refused = |check, detail: String| Err(ProofError::Refused { check, detail });
        if let Err(error) = challenge.domain().verify(&challenge.statement(), &signature, oracle) {
            return refused(Check::Oracle, error.to_string());
        }
        if challenge.agent != agent {
            return refused(Check::Agent, format!("{} is asked, not {agent}", challenge.agent));
        }
        if !cards.contains(&challenge.card) {
            return refused(Check::Card, format!("there is no card {} here", challenge.card));
        }
        Ok(Self { challenge, shape, state: State::Computing })
    }

    /// What is to be computed.
    #[must_use]
    pub fn challenge(&self) -> &Challenge {
        &self.challenge
    }

    /// How much that is.
    #[must_use]
    pub fn shape(&self) -> Shape {
        self.shape
    }

    /// The chain is computed and this is its tree: what the agent signs and sends. Once.
    pub fn committed(&mut self, tree: Tree) -> Result<GpuAnswer, ProofError> {
        if !matches!(self.state, State::Computing) {
            return Err(ProofError::OutOfTurn { what: "a second root" });
        }
        let answer = self.challenge.answer(tree.root());
        self.state = State::Committed(tree);
        Ok(answer)
    }

    /// Shows what the oracle asks to see. Once: an audit is no way to read a card's memory at leisure.
    pub fn audited(&mut self, audit: &Audit, columns: &mut impl Columns) -> Result<Openings, ProofError> {
        let State::Committed(tree) = &self.state else {
            return Err(ProofError::OutOfTurn { what: "an audit" });
        };
        let plan = audit.plan(self.shape, self.challenge.digest(), tree.root())?;
        let openings = Openings::collect(self.shape, &plan, tree, columns)?;
        self.state = State::Opened;
        Ok(openings)
    }
}
