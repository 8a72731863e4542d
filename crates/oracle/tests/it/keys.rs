//! A recorder whose key was changed: what the old one signed stays its own.

use alloy_primitives::U256;
use chain::{NonceAt, Wallet};
use oracle::receipts::{Line, envelope, verify};
use testkit::eventually;

use crate::stage::{LIMIT, Stage};

/// The market gets another recorder, with gas.
async fn change_key(stage: &mut Stage) {
    stage.t.recorder = Wallet::random();
    stage.t.dev.fund(stage.t.recorder.address(), U256::from(10_u64.pow(18))).await.unwrap();
}

#[tokio::test]
async fn old_receipts_name_who_committed_them() {
    let mut stage = Stage::new().await;
    let (terms, before) = stage.receipt().await;
    let mut trust = stage.trust();
    change_key(&mut stage).await;
    let row = stage.one(&terms, before.document.event_type).await;
    let now = envelope(&row, &stage.committer(), None, None).unwrap();
    assert_eq!(now, before, "whoever commits now");
    let check = async |trust: &_| {
        let deployed_at = stage.config.deployed_at;
        verify(&now, &stage.t.market, &stage.t.register, deployed_at, trust).await.unwrap().verified
    };
    assert!(check(&trust).await);
    // A market that had two registers is trusted with both.
    let (known, other) = (trust.markets[0].clone(), stage.t.market.address());
    trust.markets.insert(0, wire::receipt::TrustedMarket { register: other, ..known });
    assert!(check(&trust).await);
    trust.markets.pop();
    assert!(!check(&trust).await, "another register");
}

/// The old key had signed at a nonce that is far beyond the new key's.
#[tokio::test]
async fn what_an_old_key_signed_is_sent_and_the_new_key_counts_its_own() {
    let mut stage = Stage::new().await;
    for _ in 0..3 {
        stage.order().await;
    }
    stage.index().await;
    let running = stage.receipts();
    stage.committed(3).await;
    running.end().await;
    let old = stage.t.recorder.address();
    stage.order().await;
    stage.index().await;
    // Kept and never sent.
    stage.receipts_until(Line::Kept).died(Line::Kept).await;
    change_key(&mut stage).await;
    stage.order().await;
    stage.index().await;
    let running = stage.receipts();
    let rows = stage.committed(5).await;
    running.end().await;
    stage.assert_each_once(&rows).await;
    assert_eq!(rows[3].recorder, Some(old));
    assert_eq!(rows[4].recorder, Some(stage.t.recorder.address()));
    let used = async || (stage.recorder().nonce(NonceAt::Latest).await.unwrap() == 1).then_some(());
    eventually(LIMIT, used).await;
    for row in &rows {
        let found = stage.t.register.commits(&row.nid, row.recorder, 0, None).await.unwrap();
        assert_eq!(found.len(), 1, "{row:?}");
    }
}
