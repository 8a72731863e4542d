//! Making room in a store that is full: garbage first, then what was not used for longest.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::gc::CollectConfig;
use super::{BlockStore, guard};
use crate::dag::total_size;
use crate::error::Result;

/// At least this part of the store is let go at once, so that not every batch has to make room anew.
const PART: u64 = 20;
/// After no room could be made it is not tried again for so long, unless something was unpinned.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Default)]
pub(super) struct Room {
    /// Held while room is made: who comes second finds what the first has made.
    making: Mutex<()>,
    /// When no room could be made last.
    refused: Mutex<Option<Instant>>,
}

impl Room {
    /// Something changed that may have made room.
    pub(super) fn reconsider(&self) {
        *guard(&self.refused) = None;
    }
}

impl BlockStore {
    /// Makes room for `bytes` more within the store's limit, if it can: by collecting garbage, and where that is not
    /// enough by letting go of what is pinned only while it is used, the longest unused first. What anybody keeps for
    /// good stays. Says whether there is room now.
    pub fn make_room(&self, bytes: u64) -> Result<bool> {
        let lacking = || (self.bytes_on_disk() + bytes).saturating_sub(self.config.bytes_max);
        if lacking() == 0 {
            return Ok(true);
        }
        let _making = guard(&self.room.making);
        let refused = *guard(&self.room.refused);
        if bytes > self.config.bytes_max || refused.is_some_and(|refused| refused.elapsed() < PATIENCE) {
            return Ok(lacking() == 0);
        }
        let collect = |percent| {
            let config = CollectConfig { live_percent_min: percent, ..CollectConfig::default() };
            self.collect(&config, &mut |_| {})
        };
        let usual = CollectConfig::default().live_percent_min;
        collect(usual)?;
        let mut least_used = self.least_used().into_iter().peekable();
        while lacking() > 0 && least_used.peek().is_some() {
            let goal = lacking().max(self.config.bytes_max / PART);
            let mut let_go = 0;
            while let Some((root, pins)) = least_used.next_if(|_| let_go < goal) {
                let_go += total_size(self, &root).map_or(0, |size| size.bytes);
                tracing::info!(%root, "let go of what was not used for longest, to make room");
                for pin in pins {
                    self.take_off(&pin)?;
                }
            }
            collect(usual)?;
        }
        if lacking() > 0 {
            collect(100)?;
        }
        let is_enough = lacking() == 0;
        *guard(&self.room.refused) = (!is_enough).then(Instant::now);
        Ok(is_enough)
    }
}
