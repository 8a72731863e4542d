//! Who keeps a feed, who loses it, who is woken.

use wire::SignatureBytes;

use super::*;

const NEVER: u64 = 0;

fn job(number: u8) -> JobId {
    JobId([number; 32])
}

fn terms() -> Arc<Terms> {
    let json = r#"{"renter":"0x0000000000000000000000000000000000000001",
        "controller":"0x0000000000000000000000000000000000000002",
        "resourceId":"0x0000000000000000000000000000000000000000000000000000000000000003",
        "pricePerHour":"1","minCharge":"0","maxDuration":60,"notBefore":0,"cancelFeeBps":0,
        "specDigest":"0x0000000000000000000000000000000000000000000000000000000000000004",
        "flags":0,"salt":"1","extra":"0x0000000000000000000000000000000000000000000000000000000000000000"}"#;
    let json: wire::TermsJson = serde_json::from_str(json).unwrap();
    Arc::new(Terms::try_from(&json).unwrap())
}

fn shelf(change: impl FnOnce(&mut Limits)) -> Shelf {
    let mut limits = Limits::default();
    change(&mut limits);
    Shelf::new(&limits)
}

fn subscribe(shelf: &mut Shelf, number: u8, client: ClientId) -> Result<Arc<Notify>, Full> {
    let wake = Arc::new(Notify::new());
    shelf.subscribe(job(number), (*terms()).clone(), client, wake.clone())?;
    Ok(wake)
}

fn push(shelf: &mut Shelf, number: u8, seq: u64, text: &str) -> Result<(), u64> {
    shelf.push(job(number), &terms(), 1, seq, text.into(), false).unwrap()
}

fn ready(at: u64) -> ReadyBody {
    ReadyBody { ready_record: Default::default(), at, signature: SignatureBytes([0; 65]) }
}

fn held(shelf: &Shelf) -> Vec<u8> {
    let mut held: Vec<u8> = shelf.feeds.keys().map(|job| job.0[0]).collect();
    held.sort_unstable();
    held
}

#[tokio::test]
async fn a_push_wakes_who_subscribed_and_nobody_else() {
    let mut shelf = shelf(|_| ());
    let [one, two] = [subscribe(&mut shelf, 1, 7).unwrap(), subscribe(&mut shelf, 2, 8).unwrap()];
    push(&mut shelf, 1, 1, "e1").unwrap();
    one.notified().await;
    assert!(futures_util::FutureExt::now_or_never(two.notified()).is_none());
    shelf.unsubscribe(job(1), 7);
    push(&mut shelf, 1, 2, "e2").unwrap();
    assert!(futures_util::FutureExt::now_or_never(one.notified()).is_none());
}

#[test]
fn jobs_that_strangers_invent_take_no_room_from_announced_ones() {
    let mut shelf = shelf(|limits| (limits.awaited_feeds, limits.feeds) = (2, 1));
    subscribe(&mut shelf, 1, 7).unwrap();
    subscribe(&mut shelf, 2, 7).unwrap();
    assert_eq!(subscribe(&mut shelf, 3, 7).err(), Some(Full));
    shelf.announce(job(9), &terms(), 1, NEVER).unwrap();
    assert_eq!(shelf.announce(job(1), &terms(), 1, NEVER), Err(Full), "its agent is there");
    shelf.detach(1);
    shelf.announce(job(1), &terms(), 1, NEVER).unwrap();
    assert_eq!(held(&shelf), [1, 2], "9 was idle and went");
    subscribe(&mut shelf, 3, 7).unwrap();
    assert_eq!(subscribe(&mut shelf, 4, 7).err(), Some(Full), "only one place became free");
    shelf.unsubscribe(job(2), 7);
    subscribe(&mut shelf, 4, 7).unwrap();
    assert_eq!(held(&shelf), [1, 3, 4]);
    shelf.detach(1);
    shelf.unsubscribe(job(1), 7);
    shelf.unsubscribe(job(3), 7);
    subscribe(&mut shelf, 5, 7).unwrap();
    assert_eq!(held(&shelf), [1, 4, 5], "an announced job is not theirs to push out");
}

#[test]
fn idle_feeds_go_first_and_oldest_first_when_bytes_run_out() {
    let mut shelf = shelf(|limits| limits.feeds_bytes = 10);
    for number in 1..=4 {
        push(&mut shelf, number, 1, "abc").map_err(|have| panic!("{have}")).ok();
        if number == 3 {
            assert_eq!((held(&shelf), shelf.bytes), (vec![1, 2, 3], 9));
            shelf.detach(1);
            subscribe(&mut shelf, 1, 7).unwrap();
        }
    }
    assert_eq!((held(&shelf), shelf.bytes), (vec![1, 3, 4], 9), "1 has a reader, 2 was the oldest");
    push(&mut shelf, 4, 2, "0123456789").unwrap();
    assert_eq!((held(&shelf), shelf.bytes), (vec![1, 4], 13), "the newest event of 4 stays");
    assert_eq!(shelf.read(job(4), 0, 9), Read::Behind { oldest: 2 });
}

#[test]
fn a_feed_whose_last_news_came_may_go_though_its_agent_is_there() {
    let mut shelf = shelf(|limits| limits.feeds = 1);
    shelf.push(job(1), &terms(), 1, 1, "end".into(), true).unwrap().unwrap();
    shelf.announce(job(2), &terms(), 1, NEVER).unwrap();
    assert_eq!(held(&shelf), [2]);
}

#[test]
fn the_latest_ready_waits_for_the_agent_and_grows_old() {
    let mut shelf = shelf(|_| ());
    assert_eq!(shelf.keep_ready(job(1), ready(5), 5), None);
    assert!(held(&shelf).is_empty(), "nothing is kept for a job that nobody named");
    shelf.announce(job(1), &terms(), 3, NEVER).unwrap();
    assert_eq!(shelf.keep_ready(job(1), ready(10), 10), Some(3));
    shelf.detach(3);
    assert_eq!(shelf.keep_ready(job(1), ready(20), 20), None);
    let again = shelf.announce(job(1), &terms(), 4, 20).unwrap();
    assert_eq!(again, Announced { seq: 0, ready: Some(ready(20)) });
    assert_eq!(shelf.announce(job(1), &terms(), 5, 21).unwrap().ready, None);
}

#[test]
fn news_go_on_where_they_were_after_the_link_was_new() {
    let mut shelf = shelf(|_| ());
    push(&mut shelf, 1, 1, "e1").unwrap();
    shelf.detach(1);
    assert_eq!(shelf.announce(job(1), &terms(), 2, NEVER).unwrap().seq, 1);
    assert_eq!(push(&mut shelf, 1, 1, "e1"), Err(1));
    assert_eq!(push(&mut shelf, 1, 2, "e2"), Err(1), "link 1 was replaced");
    assert_eq!(shelf.push(job(1), &terms(), 2, 2, "e2".into(), false), Ok(Ok(())));
    shelf.announce(job(1), &terms(), 1, NEVER).unwrap();
    assert_eq!(shelf.keep_ready(job(1), ready(1), 1), Some(2), "and does not come back");
}
