//! The chain on a processor: what every card must come to, bit for bit.

use crate::{Columns, Hash, Key, ProofError, Shape, TILE, Tree, leaf};

/// Every result of a chain, column after column, with its tree.
#[derive(Clone, Debug)]
pub struct Layers {
    shape: Shape,
    /// `C_1` to `C_rounds`.
    results: Vec<Vec<u32>>,
}

/// The product of `A_round` and a matrix that is given column after column, given the same way. Words wrap.
#[must_use]
pub fn multiply(key: &Key, shape: Shape, round: u32, matrix: &[u32]) -> Vec<u32> {
    let size = shape.size() as usize;
    let mut result = vec![0; shape.words()];
    let mut rows = vec![0; TILE as usize * size];
    for band in 0..shape.size() / TILE {
        key.lines(round, shape.size(), band * TILE, &mut rows);
        let first = (band * TILE) as usize;
        for (column, result) in matrix.chunks_exact(size).zip(result.chunks_exact_mut(size)) {
            for (row, word) in rows.chunks_exact(size).zip(&mut result[first..]) {
                *word = dot(row, column);
            }
        }
    }
    result
}

/// The sum of products, wrapping.
pub(crate) fn dot(left: &[u32], right: &[u32]) -> u32 {
    left.iter().zip(right).fold(0_u32, |sum, (left, right)| sum.wrapping_add(left.wrapping_mul(*right)))
}

impl Layers {
    /// Computes the chain.
    #[must_use]
    pub fn compute(key: &Key, shape: Shape) -> Self {
        let mut first = vec![0; shape.words()];
        key.lines(0, shape.size(), 0, &mut first);
        let mut results: Vec<Vec<u32>> = Vec::new();
        for round in 1..=shape.rounds() {
            let before = results.last().unwrap_or(&first);
            results.push(multiply(key, shape, round, before));
        }
        Self { shape, results }
    }

    /// Results that came from elsewhere.
    #[must_use]
    pub fn from_results(shape: Shape, results: Vec<Vec<u32>>) -> Self {
        Self { shape, results }
    }

    /// `C_1` to `C_rounds`, each column after column.
    pub fn results_mut(&mut self) -> &mut [Vec<u32>] {
        &mut self.results
    }

    /// The hashes of all columns.
    #[must_use]
    pub fn leaves(&self) -> Vec<Hash> {
        let size = self.shape.size();
        let of_round = |(result, round): (&Vec<u32>, u32)| -> Vec<Hash> {
            let columns = result.chunks_exact(size as usize).zip(0..);
            columns.map(|(words, column)| leaf(round, column, size, words)).collect()
        };
        self.results.iter().zip(1..).flat_map(of_round).collect()
    }

    /// The tree over all columns.
    #[must_use]
    pub fn tree(&self) -> Tree {
        Tree::new(self.leaves())
    }
}

impl Columns for Layers {
    fn column(&mut self, round: u32, column: u32) -> Result<Vec<u32>, ProofError> {
        let size = self.shape.size() as usize;
        let result = round.checked_sub(1).and_then(|at| self.results.get(at as usize));
        let words = result.and_then(|result| result.get(column as usize * size..)?.get(..size));
        words.map(<[u32]>::to_vec).ok_or(ProofError::Audit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_product_is_the_schoolbooks() {
        let (key, shape) = (Key::new([5; 32]), Shape::new(64, 2).unwrap());
        let layers = Layers::compute(&key, shape);
        let (mut a, mut c) = (vec![0; 4096], vec![0; 4096]);
        key.lines(0, 64, 0, &mut c);
        for round in 1..=2 {
            key.lines(round, 64, 0, &mut a);
            let mut next = vec![0_u32; 4096];
            for row in 0..64 {
                for column in 0..64 {
                    for l in 0..64 {
                        let product = a[row * 64 + l].wrapping_mul(c[column * 64 + l]);
                        next[column * 64 + row] = next[column * 64 + row].wrapping_add(product);
                    }
                }
            }
            c = next;
            assert_eq!(layers.results[round as usize - 1], c, "round {round}");
        }
    }
}
