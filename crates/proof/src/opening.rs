//! Opened columns: what a prover shows of what it committed to.

use alloy_primitives::B256;
use serde::{Deserialize, Serialize};

use crate::{Plan, ProofError, Shape, Tree};

/// Whoever has computed a chain and can show columns of it.
pub trait Columns {
    /// The column of the result of `round`, counted from 1.
    fn column(&mut self, round: u32, column: u32) -> Result<Vec<u32>, ProofError>;
}

/// A column with its way to the root.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OpenedColumn {
    /// The round, counted from 1.
    pub round: u32,
    /// The column.
    pub column: u32,
    /// Its words; in JSON little-endian in base64.
    #[serde(with = "base64_words")]
    pub words: Vec<u32>,
    /// The hashes beside the way, from below.
    pub path: Vec<B256>,
}

/// All that an audit asked for: column after column, each in every round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Openings(pub Vec<OpenedColumn>);

impl Openings {
    /// Opens what the plan names.
    pub fn collect(shape: Shape, plan: &Plan, tree: &Tree, from: &mut impl Columns) -> Result<Self, ProofError> {
        let mut opened = Vec::new();
        for &column in &plan.columns {
            for round in 1..=shape.rounds() {
                let path = tree.path(place(shape, round, column));
                opened.push(OpenedColumn { round, column, words: from.column(round, column)?, path });
            }
        }
        Ok(Self(opened))
    }
}

/// Where a column's leaf stands in the tree.
pub(crate) fn place(shape: Shape, round: u32, column: u32) -> usize {
    round.saturating_sub(1) as usize * shape.size() as usize + column as usize
}

mod base64_words {
    use base64::{Engine, engine::general_purpose::STANDARD};
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(words: &[u32], to: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_le_bytes()).collect();
        to.serialize_str(&STANDARD.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u32>, D::Error> {
        let bytes = STANDARD.decode(String::deserialize(from)?).map_err(D::Error::custom)?;
        if !bytes.len().is_multiple_of(4) {
            return Err(D::Error::custom("words have four bytes"));
        }
        Ok(bytes.chunks_exact(4).map(|word| u32::from_le_bytes([word[0], word[1], word[2], word[3]])).collect())
    }
}
