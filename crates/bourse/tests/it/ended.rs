//! How verbs and jobs end, and what becomes of a job's money after that.

use market::{Seconds, rules::DISPUTE_WINDOW};
use testkit::eventually;

use crate::world::{Ended, LIMIT, World};

impl World {
    /// Lets the time pass in which a job that ended may be disputed, until its money is settled for good.
    pub(crate) async fn finalized(&self, job: &str) {
        self.market.advance(Seconds(DISPUTE_WINDOW.0 + 1)).await.unwrap();
        // The provider's daemon may be faster, where it runs.
        self.verb(&["finalize"]).await.with_code(0);
        eventually(LIMIT, async || {
            let seen = self.verb(&["status", job]).await.with_code(0);
            (seen.answer["status"] == "final").then_some(())
        })
        .await;
    }
}

impl Ended {
    /// What the job cost: what was paid, and what is due to provider and platform once nobody can dispute it.
    pub(crate) fn earned(&self) -> u128 {
        self.units("paid") + self.units("due")
    }

    /// A figure of the answer in smallest units.
    pub(crate) fn units(&self, field: &str) -> u128 {
        self.answer[field]
            .as_str()
            .and_then(|text| text.parse().ok())
            .unwrap_or_else(|| panic!("no {field}:\n{}", self.text))
    }

    /// Fails with everything that was printed unless the exit code is `code`.
    pub(crate) fn with_code(self, code: i32) -> Self {
        assert_eq!(self.code, code, "{}", self.text);
        self
    }
}
