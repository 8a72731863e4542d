//! What a receipt's commit needs next, decided from what is kept and what the chain shows, and nothing else.
//!
//! ```text
//! Stored ─sign, keep the bytes─▶ Sending ─seen in a block─▶ Mined ─its block is final─▶ Committed
//!    ▲                              │  ▲                      │
//!    └── the nonce went elsewhere ──┘  └── reorganised away ──┘
//! ```
//!
//! One nonce carries at most one transaction of a key, and all signed transactions of a receipt that could still be
//! mined have one nonce: that is why there is never a second commit.

use alloy_primitives::B256;
use store::ReceiptState;

/// A transaction, or a commit, as it stands on the canonical chain now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mined {
    /// The transaction.
    pub tx: B256,
    /// Its block.
    pub block: u64,
    /// The register logged it.
    pub succeeded: bool,
}

/// What the chain shows of one receipt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// For a receipt with a signed transaction, that transaction; for another, a commit of it that our key made in an
    /// earlier life of the database.
    pub mined: Option<Mined>,
    /// The newest block that will not be reorganised away.
    pub finalized: u64,
    /// Transactions of the recorder's key in final blocks: nonces below this have been used for good.
    pub nonces_final: u64,
    /// A nonce that nobody uses, if another transaction may be on its way now.
    pub nonce_free: Option<u64>,
    /// The bytes were handed in so long ago, or by an earlier process, that it is time to do it again.
    pub send_due: bool,
    /// The bytes wait for so long that blocks must have become dearer, and nothing with their nonce is mined.
    pub dearer_due: bool,
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing, until the chain moves.
    Wait,
    /// Sign a commit with this nonce and keep the bytes; only then may they be sent.
    Sign {
        /// The nonce.
        nonce: u64,
    },
    /// Sign the same with the same nonce for more, and keep those bytes before they are sent.
    Raise,
    /// Hand the kept bytes to the node, for the first time or again.
    Send,
    /// Remember this.
    Keep(ReceiptState),
}

/// The next step of a receipt.
#[must_use]
pub fn next(state: &ReceiptState, seen: &Seen) -> Step {
    let is_final = |mined: &Mined| mined.block <= seen.finalized;
    match (state, seen.mined) {
        (ReceiptState::Committed { .. }, _) => Step::Wait,
        // Ours already, from before the database was made anew. Until it is final it can go away again.
        (ReceiptState::Stored, Some(mined)) if is_final(&mined) => committed(mined),
        (ReceiptState::Stored, Some(_)) => Step::Wait,
        (ReceiptState::Stored, None) => seen.nonce_free.map_or(Step::Wait, |nonce| Step::Sign { nonce }),
        (ReceiptState::Sending { .. } | ReceiptState::Mined { .. }, Some(mined)) if !mined.succeeded => {
            // It ran out of gas or met no register. Its nonce is gone once its block is final.
            if is_final(&mined) { Step::Keep(ReceiptState::Stored) } else { Step::Wait }
        }
        (ReceiptState::Sending { .. } | ReceiptState::Mined { .. }, Some(mined)) if is_final(&mined) => {
            committed(mined)
        }
        (ReceiptState::Sending { nonce, raw, .. }, Some(Mined { tx, block, .. })) => {
            Step::Keep(ReceiptState::Mined { tx, block, nonce: *nonce, raw: raw.clone() })
        }
        (ReceiptState::Mined { block, .. }, Some(mined)) if *block == mined.block => Step::Wait,
        (ReceiptState::Mined { nonce, raw, .. }, Some(Mined { tx, block, .. })) => {
            Step::Keep(ReceiptState::Mined { tx, block, nonce: *nonce, raw: raw.clone() })
        }
        (ReceiptState::Mined { tx, nonce, raw, .. }, None) => {
            Step::Keep(ReceiptState::Sending { nonce: *nonce, tx: *tx, raw: raw.clone() })
        }
        // Another transaction has its nonce for good: this one can never be mined.
        (ReceiptState::Sending { nonce, .. }, None) if *nonce < seen.nonces_final => Step::Keep(ReceiptState::Stored),
        (ReceiptState::Sending { .. }, None) if seen.dearer_due => Step::Raise,
        (ReceiptState::Sending { .. }, None) if seen.send_due => Step::Send,
        (ReceiptState::Sending { .. }, None) => Step::Wait,
    }
}

fn committed(mined: Mined) -> Step {
    Step::Keep(ReceiptState::Committed { tx: mined.tx, block: mined.block })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TX: B256 = B256::repeat_byte(7);

    fn sending() -> ReceiptState {
        ReceiptState::Sending { nonce: 4, tx: TX, raw: vec![1] }
    }

    fn mined(block: u64) -> ReceiptState {
        ReceiptState::Mined { tx: TX, block, nonce: 4, raw: vec![1] }
    }

    fn on_chain(block: u64, succeeded: bool) -> Option<Mined> {
        Some(Mined { tx: TX, block, succeeded })
    }

    #[test]
    fn the_table_of_steps() {
        let seen = Seen {
            finalized: 10,
            nonces_final: 4,
            nonce_free: Some(9),
            send_due: true,
            dearer_due: false,
            mined: None,
        };
        let with = |mined| Seen { mined, ..seen };
        let keep = Step::Keep;
        let committed = |block| keep(ReceiptState::Committed { tx: TX, block });
        let table = [
            ("a new receipt is signed", ReceiptState::Stored, seen, Step::Sign { nonce: 9 }),
            ("unless too many are on their way", ReceiptState::Stored, Seen { nonce_free: None, ..seen }, Step::Wait),
            ("a commit of an earlier life counts", ReceiptState::Stored, with(on_chain(10, true)), committed(10)),
            ("once it is final", ReceiptState::Stored, with(on_chain(11, true)), Step::Wait),
            ("kept bytes are sent", sending(), seen, Step::Send),
            ("not all the time", sending(), Seen { send_due: false, ..seen }, Step::Wait),
            ("nor for too little", sending(), Seen { dearer_due: true, ..seen }, Step::Raise),
            ("mined is paid enough", sending(), Seen { dearer_due: true, ..with(on_chain(11, true)) }, keep(mined(11))),
            ("a block has it", sending(), with(on_chain(11, true)), keep(mined(11))),
            ("a final block has it", sending(), with(on_chain(9, true)), committed(9)),
            ("a lost nonce", sending(), Seen { nonces_final: 5, ..seen }, keep(ReceiptState::Stored)),
            ("a failure that may go away", sending(), with(on_chain(11, false)), Step::Wait),
            ("a failure for good", sending(), with(on_chain(10, false)), keep(ReceiptState::Stored)),
            ("not final yet", mined(11), with(on_chain(11, true)), Step::Wait),
            ("in another block now", mined(11), with(on_chain(12, true)), keep(mined(12))),
            ("final", mined(11), Seen { finalized: 11, ..with(on_chain(11, true)) }, committed(11)),
            ("reorganised away", mined(11), seen, keep(sending())),
            ("done", ReceiptState::Committed { tx: TX, block: 3 }, seen, Step::Wait),
        ];
        for (why, state, seen, expected) in table {
            assert_eq!(next(&state, &seen), expected, "{why}");
        }
    }

    #[test]
    fn a_signed_transaction_is_given_up_only_when_it_can_never_be_mined() {
        for bits in 0..128_u64 {
            let flag = |bit: u64| bits >> bit & 1 == 1;
            let seen = Seen {
                mined: flag(0).then_some(Mined { tx: TX, block: 8 + 4 * u64::from(flag(5)), succeeded: flag(1) }),
                finalized: 10,
                nonces_final: 4 + u64::from(flag(2)),
                nonce_free: flag(3).then_some(9),
                send_due: flag(4),
                dearer_due: flag(6),
            };
            for state in [sending(), mined(11)] {
                let step = next(&state, &seen);
                assert!(!matches!(step, Step::Sign { .. }), "{state:?} {seen:?}");
                if step == Step::Keep(ReceiptState::Stored) {
                    let failed = seen.mined.is_some_and(|mined| !mined.succeeded && mined.block <= seen.finalized);
                    let replaced = seen.mined.is_none() && seen.nonces_final > 4;
                    assert!(failed || replaced, "{state:?} {seen:?}");
                }
            }
        }
    }
}
