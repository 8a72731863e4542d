//! One payment of a channel at a time.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use alloy_primitives::B256;

/// Channels that somebody pays from now.
#[derive(Default)]
pub(crate) struct Locks(Mutex<HashMap<B256, Weak<tokio::sync::Mutex<()>>>>);

/// The right to pay from a channel; it ends with this.
#[derive(Debug)]
pub(crate) struct Turn(#[expect(dead_code, reason = "held, not read")] tokio::sync::OwnedMutexGuard<()>);

impl Locks {
    /// The right to pay from this channel, or nothing where another payment of it is at work.
    pub(crate) fn try_take(&self, channel: B256) -> Option<Turn> {
        let lock = {
            let mut locks = self.locks();
            locks.retain(|_, lock| lock.strong_count() > 0);
            let lock = locks.get(&channel).and_then(Weak::upgrade).unwrap_or_default();
            locks.insert(channel, Arc::downgrade(&lock));
            lock
        };
        lock.try_lock_owned().ok().map(Turn)
    }

    fn locks(&self) -> MutexGuard<'_, HashMap<B256, Weak<tokio::sync::Mutex<()>>>> {
        // No change under this lock can panic half-way.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_channel_has_one_turn_at_a_time_and_none_is_kept() {
        let locks = Locks::default();
        let (one, other) = (B256::repeat_byte(1), B256::repeat_byte(2));
        let turn = locks.try_take(one).unwrap();
        assert!(locks.try_take(one).is_none());
        let beside = locks.try_take(other).unwrap();
        drop(turn);
        drop(locks.try_take(one).unwrap());
        drop(beside);
        drop(locks.try_take(other));
        assert!(locks.locks().len() <= 1, "who is gone is forgotten");
    }
}
