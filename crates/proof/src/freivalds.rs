//! Freivalds' check over words that wrap, with vectors of zeros and ones (R. Freivalds, "Probabilistic machines can use
//! less running time", IFIP Congress 1977).
//!
//! For a random `y` of zeros and ones, `y·C = (y·A)·B` holds if `C = A·B`. If a column differs by `d ≠ 0` with, say,
//! `dᵢ ≠ 0`, then for every choice of the other entries at most one of the two values of `yᵢ` makes `y·d` zero: two would
//! make `dᵢ` zero. The argument only subtracts, so it holds although words have divisors of zero, and the chance to miss is
//! at most ½ for each vector. Larger entries would not help: `d` may be 2³¹ everywhere, of which only parity is left.
//!
//! Entries of 0 and 1 need no products. Sums of four rows are made once (all sixteen of them) and then picked by the bits
//! of each vector, as in the method of the four Russians (Arlazarov, Dinic, Kronrod, Faradžev, 1970).

use crate::{Key, Shape, TILE};

/// Rows whose sums are made together.
const ROWS: usize = 4;
/// Their sums.
const SUMS: usize = 1 << ROWS;
/// Columns that are worked on at once: all sums of four rows stay in the nearest cache.
const STRETCH: usize = 256;

/// The products of all vectors with `A_round`: a row for each vector.
pub(crate) fn left_products(key: &Key, shape: Shape, round: u32, vectors: &[u64], count: usize) -> Vec<Vec<u32>> {
    let size = shape.size() as usize;
    let mut products = vec![vec![0; size]; count];
    let mut band = vec![0; TILE as usize * size];
    for (number, bits) in (0..shape.size() / TILE).zip(vectors.chunks_exact(TILE as usize)) {
        key.lines(round, shape.size(), number * TILE, &mut band);
        for from in (0..size).step_by(STRETCH) {
            let to = size.min(from + STRETCH);
            for (rows, bits) in band.chunks_exact(ROWS * size).zip(bits.chunks_exact(ROWS)) {
                let sums = sums(rows, size, from, to);
                for (vector, product) in products.iter_mut().enumerate() {
                    let picked = bits.iter().rev().fold(0, |picked, bits| picked << 1 | (bits >> vector & 1) as usize);
                    add(&mut product[from..to], &sums[picked][..to - from]);
                }
            }
        }
    }
    products
}

/// All sums of four rows, in a stretch of columns: bit `r` of the place says whether row `r` is in it.
fn sums(rows: &[u32], size: usize, from: usize, to: usize) -> [[u32; STRETCH]; SUMS] {
    let mut sums = [[0; STRETCH]; SUMS];
    for row in 0..ROWS {
        let words = &rows[row * size + from..row * size + to];
        let (known, new) = sums.split_at_mut(1 << row);
        for (known, new) in known.iter().zip(new) {
            new[..words.len()].copy_from_slice(&known[..words.len()]);
            add(&mut new[..words.len()], words);
        }
    }
    sums
}

fn add(to: &mut [u32], words: &[u32]) {
    for (to, word) in to.iter_mut().zip(words) {
        *to = to.wrapping_add(*word);
    }
}

/// The products of all vectors with a column.
pub(crate) fn with_column(vectors: &[u64], count: usize, column: &[u32]) -> Vec<u32> {
    let mut products = vec![0_u32; count];
    for (bits, word) in vectors.iter().zip(column) {
        for (vector, product) in products.iter_mut().enumerate() {
            // All ones or all zeros: no branch that randomness would mispredict.
            let mask = ((bits >> vector & 1) as u32).wrapping_neg();
            *product = product.wrapping_add(word & mask);
        }
    }
    products
}

#[cfg(test)]
mod tests {
    use alloy_primitives::B256;

    use super::*;
    use crate::{Audit, AuditConfig};

    #[test]
    fn products_are_those_of_the_definition() {
        // A size that is no multiple of a stretch.
        let (key, shape) = (Key::new([9; 32]), Shape::new(320, 1).unwrap());
        let audit = Audit::new(B256::repeat_byte(4), AuditConfig { columns: 1, vectors: 5 });
        let vectors = audit.vectors(shape, B256::ZERO, B256::ZERO, 1);
        let mut matrix = vec![0; shape.words()];
        key.lines(1, 320, 0, &mut matrix);
        let products = left_products(&key, shape, 1, &vectors, 5);
        for (vector, product) in products.iter().enumerate() {
            for column in 0..320 {
                let picked = (0..320).filter(|row| vectors[*row] >> vector & 1 == 1);
                let sum = picked.fold(0_u32, |sum, row| sum.wrapping_add(matrix[row * 320 + column]));
                assert_eq!(product[column], sum, "vector {vector}, column {column}");
            }
        }
        let column = &matrix[..320];
        for (vector, product) in with_column(&vectors, 5, column).into_iter().enumerate() {
            let picked = (0..320).filter(|row| vectors[*row] >> vector & 1 == 1);
            assert_eq!(product, picked.fold(0_u32, |sum, row| sum.wrapping_add(column[row])));
        }
    }

    /// The worst difference there is: only parity sees it, and half of all vectors miss it.
    #[test]
    fn each_vector_misses_the_worst_difference_half_the_time() {
        let shape = Shape::new(64, 1).unwrap();
        let mut difference = vec![0; 64];
        difference[7] = 1 << 31;
        difference[40] = 1 << 31;
        let mut missed = 0;
        for nonce in 0..=255 {
            let audit = Audit::new(B256::repeat_byte(nonce), AuditConfig { columns: 1, vectors: 64 });
            let vectors = audit.vectors(shape, B256::ZERO, B256::ZERO, 1);
            missed += with_column(&vectors, 64, &difference).iter().filter(|product| **product == 0).count();
        }
        // 16384 fair coins: eight standard deviations of 64 on either side.
        assert!((7680..8704).contains(&missed), "{missed} of 16384");
    }
}
