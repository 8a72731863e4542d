//! What is checked, by name, and what follows from it.

use serde::{Deserialize, Serialize};

/// One thing that a proof must hold; the first that does not is the reason of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Check {
    /// Everything is within the limits of this version.
    Limits,
    /// The oracle asked.
    Oracle,
    /// The challenge is about this agent and this card.
    Card,
    /// Cards that are asked at once are different cards.
    Distinct,
    /// The answer is to this challenge.
    Challenge,
    /// The agent that was asked answered.
    Agent,
    /// The oracle's clock went forward.
    Clock,
    /// The root came in time.
    Deadline,
    /// Every card of the group answered in time.
    Together,
    /// The opened columns came at all, and are those that were asked for.
    Openings,
    /// They are what the root stands for.
    Root,
    /// The first product was made from this challenge's matrices.
    Seed,
    /// The whole matrix was computed, not only some columns.
    Coverage,
    /// Tiles that are recomputed are equal.
    Tile,
    /// Whole columns hold against random vectors (Freivalds).
    Product,
    /// The oracle vouches for the report.
    Report,
}

impl Check {
    /// As it is written in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Limits => "limits",
            Self::Oracle => "oracle",
            Self::Card => "card",
            Self::Distinct => "distinct",
            Self::Challenge => "challenge",
            Self::Agent => "agent",
            Self::Clock => "clock",
            Self::Deadline => "deadline",
            Self::Together => "together",
            Self::Openings => "openings",
            Self::Root => "root",
            Self::Seed => "seed",
            Self::Coverage => "coverage",
            Self::Tile => "tile",
            Self::Product => "product",
            Self::Report => "report",
        }
    }
}

/// What may be said of a card. A proof of GPU gives no more than this, whatever it finds: somebody near enough could have
/// computed it for the prover. *Self-reported* needs no proof, *attested* needs a key inside the card.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// So much of this kind of work was answered in this time.
    Measured,
}

/// One thing that was checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Line {
    /// What.
    pub check: Check,
    /// Whether it holds.
    pub holds: bool,
    /// What was compared, in words.
    pub detail: String,
}

impl Line {
    pub(crate) fn new(check: Check, holds: bool, detail: impl Into<String>) -> Self {
        Self { check, holds, detail: detail.into() }
    }
}

/// What was checked, in order. Checking stops where nothing further can be believed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// A line for each thing.
    pub lines: Vec<Line>,
}

impl Verdict {
    /// Where the proof fails; nothing where it holds.
    #[must_use]
    pub fn refused_at(&self) -> Option<Check> {
        let failing = self.lines.iter().find(|line| !line.holds).map(|line| line.check);
        failing.or_else(|| self.lines.is_empty().then_some(Check::Openings))
    }

    /// What may be said of the card; nothing of one that was refused.
    #[must_use]
    pub fn claim(&self) -> Option<Claim> {
        self.refused_at().is_none().then_some(Claim::Measured)
    }

    /// Adds what was found, and says whether it holds.
    pub(crate) fn add(&mut self, check: Check, holds: bool, detail: impl Into<String>) -> bool {
        self.lines.push(Line::new(check, holds, detail));
        holds
    }
}
