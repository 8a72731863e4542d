//! The verifier: opened columns against the root, recomputed tiles, and Freivalds' check. Everything that it holds them
//! against it makes itself, from the challenge.
//!
//! A tile costs `size × 64` products, the check of a round `size²` times (15 + vectors) / 4 additions; the chain itself cost
//! `size³` products a round.

use alloy_primitives::B256;

use crate::{
    Audit, Challenge, Check, Key, Openings, Plan, ProofError, Shape, TILE, Tree, Verdict, freivalds, leaf,
    opening::place, reference::dot,
};

/// What is examined, and against what.
struct Examined<'a> {
    shape: Shape,
    key: Key,
    challenge: B256,
    root: B256,
    audit: &'a Audit,
    plan: Plan,
    /// For each column: `C_0`, then what was opened of each round.
    chains: Vec<Vec<Vec<u32>>>,
}

/// Examines what was opened of the answer with this root, and writes down what was found.
pub fn examine(
    challenge: &Challenge,
    root: B256,
    audit: &Audit,
    openings: &Openings,
    verdict: &mut Verdict,
) -> Result<(), ProofError> {
    let shape = challenge.shape()?;
    let digest = challenge.digest();
    let plan = audit.plan(shape, digest, root)?;
    if !are_those(shape, &plan, openings, verdict) || !lead_to(shape, root, openings, verdict) {
        return Ok(());
    }
    let key = challenge.key();
    let rounds = shape.rounds() as usize;
    let chains = plan.columns.iter().zip(openings.0.chunks_exact(rounds)).map(|(&column, opened)| {
        let mut first = vec![0; shape.size() as usize];
        key.lines(0, shape.size(), column, &mut first);
        std::iter::once(first).chain(opened.iter().map(|opened| opened.words.clone())).collect()
    });
    let chains = chains.collect();
    let examined = Examined { shape, key, challenge: digest, root, audit, plan, chains };
    if examined.tiles(verdict) {
        examined.products(verdict);
    }
    Ok(())
}

/// The columns are exactly those of the plan, each whole and with a path of the right length.
fn are_those(shape: Shape, plan: &Plan, openings: &Openings, verdict: &mut Verdict) -> bool {
    let awaited = plan.columns.iter().flat_map(|column| (1..=shape.rounds()).map(move |round| (round, *column)));
    let count = plan.columns.len() * shape.rounds() as usize;
    let height = Tree::height(shape.size() as usize * shape.rounds() as usize);
    let fits = |(opened, (round, column)): (&crate::OpenedColumn, (u32, u32))| {
        (opened.round, opened.column) == (round, column)
            && opened.words.len() == shape.size() as usize
            && opened.path.len() == height
    };
    let good = openings.0.len() == count && openings.0.iter().zip(awaited).all(fits);
    let detail = if good {
        format!("{count} columns of {} words, as drawn", shape.size())
    } else {
        format!("{} of {count} columns, or others than were drawn", openings.0.len())
    };
    verdict.add(Check::Openings, good, detail)
}

/// Each column's path leads to the root.
fn lead_to(shape: Shape, root: B256, openings: &Openings, verdict: &mut Verdict) -> bool {
    let astray = openings.0.iter().find(|opened| {
        let hash = leaf(opened.round, opened.column, shape.size(), &opened.words);
        Tree::climb(hash, place(shape, opened.round, opened.column), &opened.path) != root
    });
    let detail = match astray {
        None => format!("every column leads to {root}"),
        Some(opened) => format!("column {} of round {} is not what was committed to", opened.column, opened.round),
    };
    verdict.add(Check::Root, astray.is_none(), detail)
}

impl Examined<'_> {
    /// Recomputes a tile of each column in each round. The first round tells whether this challenge's matrices were used at
    /// all, and in how much of the matrix.
    fn tiles(&self, verdict: &mut Verdict) -> bool {
        let (rounds, count) = (self.shape.rounds(), self.chains.len());
        let wrong = |round: u32| (0..count).filter(move |&at| !self.is_tile_right(at, round));
        let strange: Vec<usize> = wrong(1).collect();
        let good = count - strange.len();
        let from_seed = good > 0;
        if !verdict.add(
            Check::Seed,
            from_seed,
            format!("{good} of {count} columns begin with this challenge's product"),
        ) {
            return false;
        }
        let detail = match strange.first() {
            None => format!("all of {count} columns drawn from {} were computed", self.shape.size()),
            Some(&at) => format!("{good} of {count} columns drawn were computed, column {} was not", self.column(at)),
        };
        if !verdict.add(Check::Coverage, strange.is_empty(), detail) {
            return false;
        }
        let first = (2..=rounds).find_map(|round| Some((wrong(round).next()?, round)));
        let detail = match first {
            None => format!("{} tiles of {TILE} words, recomputed, are equal", count * rounds as usize),
            Some((at, round)) => {
                format!("column {} of round {round} is wrong at row {}", self.column(at), self.tile(at, round))
            }
        };
        verdict.add(Check::Tile, first.is_none(), detail)
    }

    fn is_tile_right(&self, at: usize, round: u32) -> bool {
        let (size, first) = (self.shape.size(), self.tile(at, round));
        let mut rows = vec![0; TILE as usize * size as usize];
        self.key.lines(round, size, first, &mut rows);
        let before = &self.chains[at][round as usize - 1];
        let words = &self.chains[at][round as usize][first as usize..];
        rows.chunks_exact(size as usize).zip(words).all(|(row, word)| dot(row, before) == *word)
    }

    /// Holds every opened column against random vectors, round by round.
    fn products(&self, verdict: &mut Verdict) {
        let count = self.audit.vectors as usize;
        for round in 1..=self.shape.rounds() {
            let vectors = self.audit.vectors(self.shape, self.challenge, self.root, round);
            let left = freivalds::left_products(&self.key, self.shape, round, &vectors, count);
            let wrong = self.chains.iter().position(|chain| {
                let (before, after) = (&chain[round as usize - 1], &chain[round as usize]);
                let products = freivalds::with_column(&vectors, count, after);
                left.iter().zip(products).any(|(left, product)| dot(left, before) != product)
            });
            if let Some(at) = wrong {
                let detail = format!("column {} of round {round} is not the product", self.column(at));
                verdict.add(Check::Product, false, detail);
                return;
            }
        }
        let detail = format!(
            "{} columns hold in {} rounds; a wrong one passes with a chance of 2^-{count}",
            self.chains.len(),
            self.shape.rounds()
        );
        verdict.add(Check::Product, true, detail);
    }

    fn column(&self, at: usize) -> u32 {
        self.plan.columns[at]
    }

    fn tile(&self, at: usize, round: u32) -> u32 {
        self.plan.tiles[at][round as usize - 1]
    }
}
