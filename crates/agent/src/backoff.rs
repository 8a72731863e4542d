//! Waiting longer after each failure.

use std::time::Duration;

use crate::limits::RETRY_WAIT;

/// Doubles from the first to the longest wait.
#[derive(Debug)]
pub(crate) struct Backoff(Duration);

impl Default for Backoff {
    fn default() -> Self {
        Self(RETRY_WAIT.0)
    }
}

impl Backoff {
    /// How long to wait this time.
    pub(crate) fn next(&mut self) -> Duration {
        let now = self.0;
        self.0 = (now * 2).min(RETRY_WAIT.1);
        now
    }

    /// Waits.
    pub(crate) async fn wait(&mut self) {
        tokio::time::sleep(self.next()).await;
    }
}
