//! A feed that is cut goes on where it was: nothing twice, nothing missed.

use renter::{Feed, FeedItem};
use tokio::time::timeout;
use wire::JobNews;

use crate::stage::{PATIENCE, Stage, log};

/// The lines of the feed up to the one that is `last`.
async fn lines(feed: &mut Feed, last: &str) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        match timeout(PATIENCE, feed.next()).await.unwrap().unwrap() {
            FeedItem::News(event) => {
                let JobNews::JobLog { line, .. } = event.news else { panic!("{event:?}") };
                lines.push(format!("{} {line}", event.seq));
                if line == last {
                    return lines;
                }
            }
            FeedItem::Down(why) => lines.push(if why.contains("came after") { why } else { "down".into() }),
            FeedItem::Up => lines.push("up".into()),
            FeedItem::Current | FeedItem::Resync => {}
        }
    }
}

/// Takes everything up to and including a loss of the connection.
async fn until_down(feed: &mut Feed) {
    while !matches!(timeout(PATIENCE, feed.next()).await.unwrap().unwrap(), FeedItem::Down(_)) {}
}

#[tokio::test]
async fn it_goes_on_after_the_last_number() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    stage.gateway.keep(log("a"));
    stage.gateway.keep(log("b"));
    let mut feed = stage.renter.feed(&job.file, 0).unwrap();
    assert_eq!(lines(&mut feed, "b").await, ["up", "1 a", "2 b"]);
    stage.gateway.close();
    until_down(&mut feed).await;
    stage.gateway.keep(log("c"));
    stage.gateway.open();
    let seen = lines(&mut feed, "c").await;
    assert_eq!(seen.iter().filter(|line| *line != "down").collect::<Vec<_>>(), ["up", "3 c"]);
    assert_eq!(stage.gateway.asked(), [0, 2]);
}

#[tokio::test]
async fn what_was_seen_is_dropped_and_a_gap_is_asked_for_again() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    stage.gateway.keep(log("a"));
    let mut feed = stage.renter.feed(&job.file, 0).unwrap();
    assert_eq!(lines(&mut feed, "a").await, ["up", "1 a"]);
    stage.gateway.forge(1, log("a again, and another"));
    stage.gateway.forge(0, log("numbers begin at 1"));
    stage.gateway.keep(log("b"));
    stage.gateway.forge(3, log("c too early"));
    stage.gateway.keep(log("c"));
    let seen = lines(&mut feed, "c").await;
    assert_eq!(seen, ["number 3 came after 1", "up", "2 b", "3 c"]);
    assert_eq!(stage.gateway.asked(), [0, 1]);
}
