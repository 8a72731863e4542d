//! Statements about content: signed, kept, sent, mined once, found again.

use std::time::Duration;

use alloy::primitives::{Address, keccak256};
use chain::{ChainError, Commit, NonceAt, Recorder, Register, Wallet};
use testkit::{TestMarket, eventually};

const NID: &str = "bafkreifsitvutdqggqt2i3ag32tvw6g67bweszkrdtbm44vebfxpqs55m4";
const OTHER: &str = "bafkreigdpjluexw5ponbonhw5tnqltp3ijrbak2ouja5xjpoh23exj3hmm";
const LIMIT: Duration = Duration::from_secs(10);

async fn found(t: &TestMarket, nid: &str, recorder: Option<Address>) -> Vec<Commit> {
    t.register.commits(nid, recorder, t.deployment.block, None).await.unwrap()
}

/// Sends and waits until it is mined.
async fn said(recorder: &Recorder, nid: &str, data: &str) -> chain::Prepared {
    let nonce = recorder.nonce(NonceAt::Pending).await.unwrap();
    let prepared = recorder.prepare(nid, data, nonce).await.unwrap();
    recorder.send(&prepared.raw).await.unwrap();
    eventually(LIMIT, async || recorder.receipt(prepared.tx).await.unwrap()).await;
    prepared
}

#[tokio::test]
async fn a_commit_is_found_by_cid_and_by_recorder() {
    let t = TestMarket::start().await.unwrap();
    let mine = Recorder::new(t.register.clone(), t.recorder.clone());
    let theirs = Recorder::new(t.register.clone(), t.stranger.wallet().clone());
    let prepared = said(&mine, NID, r#"{"a":1}"#).await;
    said(&mine, OTHER, "about something else").await;
    said(&theirs, NID, "another word").await;

    let both = found(&t, NID, None).await;
    let words: Vec<_> = both.iter().map(|commit| (commit.recorder, commit.data.as_str())).collect();
    assert_eq!(words, [(mine.address(), r#"{"a":1}"#), (theirs.address(), "another word")]);
    assert_eq!(found(&t, NID, Some(mine.address())).await, both[..1]);
    assert_eq!(found(&t, NID, Some(Address::ZERO)).await, []);
    let (first, receipt) = (&both[0], mine.receipt(prepared.tx).await.unwrap().unwrap());
    assert_eq!((first.tx, first.block, first.block_hash), (prepared.tx, receipt.block, receipt.block_hash));
    assert!(receipt.succeeded);
    let block = t.chain.block(first.block).await.unwrap().unwrap();
    assert_eq!((first.at, first.log_index), (block.timestamp, 0));
    let above = t.register.commits(NID, None, first.block + 1, None).await.unwrap();
    let below = t.register.commits(NID, None, 0, Some(first.block)).await.unwrap();
    assert_eq!((above, below), (both[1..].to_vec(), both[..1].to_vec()));
}

/// What a crash leaves behind is bytes that were sent or not: sending them again commits once in any case.
#[tokio::test]
async fn the_same_bytes_twice_commit_once() {
    let t = TestMarket::start().await.unwrap();
    let recorder = Recorder::new(t.register.clone(), t.recorder.clone());
    t.dev.automine(false).await.unwrap();
    let prepared = recorder.prepare(NID, "once", 0).await.unwrap();
    assert_eq!(recorder.nonce(NonceAt::Pending).await.unwrap(), 0, "nothing was sent");
    recorder.send(&prepared.raw).await.unwrap();
    recorder.send(&prepared.raw).await.unwrap();
    let counted = (recorder.nonce(NonceAt::Latest).await.unwrap(), recorder.nonce(NonceAt::Pending).await.unwrap());
    assert_eq!(counted, (0, 1));
    assert_eq!(recorder.receipt(prepared.tx).await.unwrap(), None);
    t.dev.mine(1).await.unwrap();
    let after = recorder.send(&prepared.raw).await.unwrap_err();
    assert!(matches!(after, ChainError::NonceUsed { tx } if tx == prepared.tx), "{after}");
    assert_eq!(found(&t, NID, None).await.len(), 1);
    // A crash before the bytes were kept signs others for the same place.
    let rival = recorder.prepare(NID, "twice", 0).await.unwrap();
    let late = recorder.send(&rival.raw).await.unwrap_err();
    assert!(matches!(late, ChainError::NonceUsed { tx } if tx == rival.tx), "{late}");
    assert_eq!(recorder.receipt(rival.tx).await.unwrap(), None);
    assert_eq!(found(&t, NID, None).await.len(), 1);
}

/// A reorganisation takes a commit back; the same bytes put it there again.
#[tokio::test]
async fn the_same_bytes_commit_again_after_a_reorganisation() {
    let t = TestMarket::start().await.unwrap();
    let recorder = Recorder::new(t.register.clone(), t.recorder.clone());
    let prepared = said(&recorder, NID, "still true").await;
    t.dev.reorg(1).await.unwrap();
    assert_eq!(found(&t, NID, None).await, []);
    recorder.send(&prepared.raw).await.unwrap();
    eventually(LIMIT, async || recorder.receipt(prepared.tx).await.unwrap()).await;
    assert_eq!(found(&t, NID, None).await.len(), 1);
}

#[tokio::test]
async fn a_stuck_commit_is_outbid_by_itself() {
    let t = TestMarket::start().await.unwrap();
    let recorder = Recorder::new(t.register.clone(), t.recorder.clone());
    t.dev.automine(false).await.unwrap();
    let first = recorder.prepare(NID, "patience", 0).await.unwrap();
    recorder.send(&first.raw).await.unwrap();
    let dearer = recorder.prepare_dearer(&first.raw).await.unwrap();
    assert_eq!(dearer.nonce, 0);
    assert_ne!(dearer.tx, first.tx);
    recorder.send(&dearer.raw).await.unwrap();
    t.dev.mine(1).await.unwrap();
    let [commit] = &found(&t, NID, None).await[..] else { panic!("one of the two") };
    assert_eq!((commit.tx, commit.data.as_str()), (dearer.tx, "patience"));
    let elsewhere = Recorder::new(Register::open(t.chain.clone(), t.market.address()).await.unwrap(), Wallet::random());
    assert!(elsewhere.prepare_dearer(&first.raw).await.is_err(), "bytes for another register");
    assert!(recorder.prepare_dearer(&first.raw[1..]).await.is_err(), "no transaction at all");
}

/// The standard's own signatures: other people's tools look for these.
#[tokio::test]
async fn it_is_the_standards_register() {
    let t = TestMarket::start().await.unwrap();
    let recorder = Recorder::new(t.register.clone(), t.recorder.clone());
    let raw = recorder.prepare(NID, r#"{"a":1}"#, 0).await.unwrap().raw;
    let calldata = concat!(
        "81d14ffc",
        "0000000000000000000000000000000000000000000000000000000000000040",
        "00000000000000000000000000000000000000000000000000000000000000a0",
        "000000000000000000000000000000000000000000000000000000000000003b",
        "6261666b726569667369747675746471676771743269336167333274767736673637627765737a6b726474626d34347665",
        "62667870717335356d340000000000",
        "0000000000000000000000000000000000000000000000000000000000000007",
        "7b2261223a317d00000000000000000000000000000000000000000000000000",
    );
    let calldata = alloy::hex::decode(calldata).unwrap();
    assert!(raw.windows(calldata.len()).any(|part| part == calldata));
    let topic = "39b5d1808997c4c413695960efbe703ad3d5c8982d2eb21ff57b01e22a671532";
    assert_eq!(alloy::hex::encode(keccak256("Commit(address,string,string)")), topic);
    let error = Register::open(t.chain.clone(), Address::repeat_byte(0x99)).await.unwrap_err();
    assert!(matches!(error, ChainError::NoRegister { .. }), "{error}");
}

/// With epochs of one block, what lies two blocks deep is final.
#[tokio::test]
async fn the_chain_says_what_is_final() {
    let t = TestMarket::start().await.unwrap();
    t.dev.mine(5).await.unwrap();
    let (head, finalized) = (t.chain.head().await.unwrap(), t.chain.finalized().await.unwrap());
    assert_eq!(finalized.number, head.number - 2);
    assert_eq!(Some(finalized), t.chain.block(finalized.number).await.unwrap());
}
