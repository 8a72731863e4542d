//! `account:{id}`: money that will not last is said before it ends.

use alloy_primitives::{Address, B256};
use market::{JobId, Timestamp};
use payments::ledger::Posting;
use store::{AccountId, DepositKey, DepositRow, DepositState};
use wire::http::{AccountNews, AccountSessionJson, ToClient};

use crate::{
    sockets::{Line, Reader, now},
    stage::Stage,
};

impl Stage {
    /// Credits money whose way here is not looked at.
    async fn credit(&self, account: AccountId, amount: i64) {
        let asset = self.store.assets().await.unwrap()[0].asset;
        let key = DepositKey { asset, tx: account.0, log_index: 0 };
        let row = DepositRow {
            key,
            sender: Address::repeat_byte(1),
            account: None,
            amount,
            block: 1,
            block_hash: B256::repeat_byte(1),
            depth: 9,
            state: DepositState::Seen,
            round: 0,
            seen_at: Timestamp(1),
        };
        self.store.see_deposits(&[row]).await.unwrap();
        self.post_all([Posting::DepositCredited { deposit: key, round: 0, account }]).await;
    }

    /// A job of the account's that has begun to cost.
    async fn spends(&self, account: AccountId, number: u8, amount: i64, price_per_hour: i64) {
        let (asset, job) = (self.store.assets().await.unwrap()[0].asset, JobId([number; 32]));
        let hold = Posting::Hold { job, part: 0, account, asset, amount, price_per_hour, resource: None };
        let locked = Posting::JobLocked { job, part: 0, amount };
        self.post_all([hold, locked, Posting::JobStarted { job, at: Timestamp(now()) }]).await;
    }

    async fn post_all(&self, postings: impl IntoIterator<Item = Posting>) {
        for posting in postings {
            self.ledger.post(posting, Timestamp(now())).await.unwrap();
        }
    }

    async fn follows(&self, session: &AccountSessionJson) -> Reader {
        let token = format!("Bearer {}", session.token);
        Reader(Line::with(self, "/api/v1/ws", &[("authorization", &token)]).await.unwrap())
    }
}

impl Reader {
    /// The next warning: its number, its word, what is spent in an hour, the seconds left.
    async fn warned(&mut self) -> (u64, String, String, u64) {
        loop {
            match self.hear().await {
                ToClient::Account { event, .. } => {
                    let AccountNews::RunwayWarning { runway, .. } = event.news;
                    return (event.seq, runway.warning.unwrap(), runway.per_hour.amount, runway.left_s);
                }
                ToClient::Notice { .. } => {}
                other => panic!("{other:?}"),
            }
        }
    }
}

#[tokio::test]
async fn money_that_will_not_last_is_told_once_for_each_bound() {
    let stage = Stage::new(|_| ()).await;
    let (ann, bob) = (stage.account("ann@example.com").await, stage.account("bob@example.com").await);
    let (account, topic) = (AccountId(ann.account), format!("account:{:#x}", ann.account));
    stage.credit(account, 1_000_000).await;
    let mut reader = stage.follows(&ann).await;
    assert_eq!(reader.ask(&topic, 0).await.0, "SUBSCRIBED");
    // Ten hours of money.
    stage.spends(account, 1, 500_000, 100_000).await;
    let (first, word, per_hour, left) = reader.warned().await;
    assert_eq!((word.as_str(), per_hour.as_str()), ("low", "100000"));
    assert!((35_000..=36_000).contains(&left), "{left}");
    // Half an hour of it; between the two was many a look, and none told the same again.
    stage.spends(account, 2, 500_000, 1_900_000).await;
    let (next, word, per_hour, left) = reader.warned().await;
    assert_eq!((next, word.as_str(), per_hour.as_str()), (first + 1, "critical", "2000000"));
    assert!((1_600..=1_800).contains(&left), "{left}");
    // Who comes later hears what was told; others hear nothing.
    let mut later = stage.follows(&ann).await;
    assert_eq!(later.ask(&topic, 0).await.0, "SUBSCRIBED");
    assert_eq!((later.warned().await.1, later.warned().await.1), ("low".into(), "critical".into()));
    let (kind, detail) = stage.follows(&bob).await.ask(&topic, 0).await;
    assert!(kind == "REFUSED" && detail.contains("its own"), "{kind} {detail}");
    let (kind, detail) = Reader::connect(&stage).await.ask(&topic, 0).await;
    assert!(kind == "REFUSED" && detail.contains("sign in"), "{kind} {detail}");
}
