//! Waiting for an event instead of for a time.

use std::time::{Duration, Instant};

/// Between two looks: short beside anything a test waits for, long beside a look.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// Asks until there is an answer and returns it; fails the test after `limit`.
pub async fn eventually<T>(limit: Duration, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        if began.elapsed() >= limit {
            panic!("did not happen within {limit:?}");
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn it_waits_for_the_answer() {
        let mut left = 3;
        let answer = eventually(Duration::from_secs(5), async || {
            left -= 1;
            (left == 0).then_some("here")
        });
        assert_eq!(answer.await, "here");
    }

    #[tokio::test]
    #[should_panic(expected = "did not happen within")]
    async fn it_gives_up_at_the_limit() {
        eventually(Duration::from_millis(1), async || None::<()>).await;
    }
}
