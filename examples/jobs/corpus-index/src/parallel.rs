//! Work on numbered pieces by several threads, with the results in the order of the pieces: the
//! place where the number of threads stops to matter.
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs `work(0..pieces)` on `threads` threads; threads take the next piece when they are free.
pub(crate) fn map<T: Send>(threads: usize, pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut all = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..threads.min(pieces)).map(|_| scope.spawn(worker)).collect();
        let mut all = Vec::with_capacity(pieces);
        for handle in handles {
            match handle.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(piece, _)| *piece);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    #[test]
    fn results_come_in_the_order_of_the_pieces() {
        // Pieces wait for one another in pairs, so each of the two threads gets one of each pair
        // and neither holds neighbours.
        let pairs = Barrier::new(2);
        let results = super::map(2, 100, |piece| {
            pairs.wait();
            piece * piece
        });
        assert_eq!(results, (0..100).map(|n| n * n).collect::<Vec<_>>());
    }

    #[test]
    fn there_may_be_more_threads_than_pieces_or_none() {
        assert_eq!(super::map(9, 2, |piece| piece), [0, 1]);
        assert!(super::map(4, 0, |piece| piece).is_empty());
    }
}
