//! The rules as stories: what happened, and what the last of it changed.

mod story;

use alloy_primitives::Address;
use market::Status;
use story::{check, check_event, covered, ordered, running, show, tell};

#[test]
fn providers_and_listings() {
    check("provider p1 10 11 12", "p1 10/11/12 since 100 started 0 succeeded 0 @1");
    check("provider p1 10 11 12; agent p1 13", "p1 10/13/12 since 100 started 0 succeeded 0 @2");
    check("provider p1 10 11 12; payout p1 14", "p1 10/11/14 since 100 started 0 succeeded 0 @2");
    check("provider p1 10 11 12; list r1 p1 5", "r1 p1 H200 north 5 offered free listed 200 @2");
    check("provider p1 10 11 12; list r1 p1 5; price r1 6", "r1 p1 H200 north 6 offered free listed 200 @3");
    check("provider p1 10 11 12; list r1 p1 5; offer r1 no", "r1 p1 H200 north 5 withheld free listed 200 @3");
}

#[test]
fn a_job_before_its_clock() {
    let created = "j1 p1 Created since 300 created 300 locked 1000 +0 s -0 s paid 0 for 0 s refunded 0 @3";
    check(&ordered(""), created);
    check(
        &ordered("; accept j1"),
        "r1 p1 H200 north 3600 offered held by j1 listed 200 @4\n\
         j1 p1 Accepted since 400 created 300 accepted 400 locked 1000 +0 s -0 s paid 0 for 0 s refunded 0 @4",
    );
    check(
        &ordered("; accept j1; decline j1 1000 full"),
        "r1 p1 H200 north 3600 offered free listed 200 @5\n\
         j1 p1 Cancelled since 500 created 300 accepted 400 ended 500 locked 1000 +0 s -0 s paid 0 for 0 s \
         refunded 1000 by 11 \"full\" @5",
    );
    // Another job holds the resource; calling off this one does not free it.
    check(
        &ordered("; create j2 r1; accept j2; cancel j1 8 1000"),
        "j1 p1 Cancelled since 600 created 300 ended 600 locked 1000 +0 s -0 s paid 0 for 0 s refunded 1000 by 8 @6",
    );
}

#[test]
fn a_job_on_its_clock() {
    check(
        &running(""),
        "p1 10/11/12 since 100 started 1 succeeded 0 @5\n\
         j1 p1 Running since 500 created 300 accepted 400 started 500 locked 1000 +0 s -0 s paid 0 for 0 s \
         refunded 0 ready 5 @5",
    );
    let on = "created 300 accepted 400 started 500 locked";
    check(
        &running("; pay j1 20 19; pay j1 40 20; pause j1"),
        &format!("j1 p1 Paused since 800 {on} 1000 +0 s -0 s paid 39 for 40 s refunded 0 ready 5 @8"),
    );
    check(
        &running("; pause j1; resume j1 100"),
        &format!("j1 p1 Running since 700 {on} 1000 +0 s -100 s paid 0 for 0 s refunded 0 ready 5 @7"),
    );
    check(
        &running("; silence j1 550 20; resume j1 150"),
        &format!("j1 p1 Running since 700 {on} 1000 +0 s -150 s paid 0 for 0 s refunded 0 ready 5 @7"),
    );
    check(
        &running("; extend j1 500 1500"),
        &format!("j1 p1 Running since 500 {on} 1500 +500 s -0 s paid 0 for 0 s refunded 0 ready 5 @6"),
    );
}

#[test]
fn the_end_of_a_job() {
    check(
        &running("; pay j1 60 59; end j1 11 well 60 939 6"),
        "r1 p1 H200 north 3600 offered free listed 200 @7\n\
         p1 10/11/12 since 100 started 1 succeeded 1 @7\n\
         j1 p1 Ended Succeeded since 700 created 300 accepted 400 started 500 ended 700 locked 1000 +0 s -0 s \
         paid 59 for 60 s refunded 939 ran 60 ready 5 result 6 by 11 @7",
    );
    check(
        &running("; end j1 11 badly 60 940 0; settle j1 59 1"),
        "j1 p1 Final AbortedByProvider since 700 created 300 accepted 400 started 500 ended 600 locked 1000 +0 s -0 s \
         paid 59 for 60 s refunded 940 ran 60 fee 1 ready 5 by 11 @7",
    );
    let ended = "created 300 accepted 400 started 500 ended 700 locked 1000 +0 s -0 s";
    check(
        &running("; pay j1 20 19; end j1 11 well 60 940 6"),
        &format!(
            "r1 p1 H200 north 3600 offered free listed 200 @7\np1 10/11/12 since 100 started 1 succeeded 1 @7\n\
             j1 p1 Ended Succeeded since 700 {ended} paid 19 for 20 s refunded 940 ran 60 ready 5 result 6 by 11 @7"
        ),
    );
    check(
        &running("; pay j1 20 19; end j1 11 well 60 940 6; pay j1 60 39; settle j1 58 2"),
        &format!(
            "j1 p1 Final Succeeded since 900 {ended} paid 58 for 60 s refunded 940 ran 60 fee 2 ready 5 result 6 by 11 @9"
        ),
    );
}

#[test]
fn stake_is_tied_until_a_job_is_over() {
    let listed = "r1 p1 H200 north 3600 offered";
    check(
        &ordered("; stake r1 10 500 500; accept j1 100"),
        &format!(
            "{listed} held by j1 listed 200 stake 500 tied 100 @5\n\
             j1 p1 Accepted since 500 created 300 accepted 500 locked 1000 +0 s -0 s paid 0 for 0 s refunded 0 cover 100 @5"
        ),
    );
    let shown = |story: &str| show(&tell(story).unwrap().rows[0]);
    assert_eq!(shown(&covered("; end j1 11 well 60 940 6")), format!("{listed} free listed 200 stake 500 tied 100 @7"));
    assert_eq!(
        shown(&covered("; end j1 11 well 60 940 6; settle j1 59 1")),
        format!("{listed} free listed 200 stake 500 @8")
    );
    let declined = ordered("; stake r1 10 500 500; accept j1 100; decline j1 1000 full");
    assert_eq!(shown(&declined), format!("{listed} free listed 200 stake 500 @6"));
}

#[test]
fn a_dispute_is_a_record_and_its_verdict_moves_stake() {
    let ended = "created 300 accepted 500 started 600 ended 700 locked 1000 +0 s -0 s";
    let disputed = covered("; end j1 8 badly 60 940 0; dispute j1 8 60 6");
    check(
        &disputed,
        &format!(
            "dispute j1 by 8 at 800 \"slow\" over 60 bond 6 @8\n\
             j1 p1 Disputed AbortedByProvider since 800 {ended} paid 0 for 0 s refunded 940 cover 100 ran 60 ready 5 by 8 @8"
        ),
    );
    check(
        &format!("{disputed}; pay j1 0 29; judge j1 40 5000 30 20"),
        &format!(
            "r1 p1 H200 north 3600 offered free listed 200 stake 480 tied 100 @10\n\
             dispute j1 by 8 at 800 \"slow\" over 60 bond 6 Split by 40 at 1000 returned 30 of cover 20 bafk @10\n\
             j1 p1 Disputed AbortedByProvider since 800 {ended} paid 29 for 0 s refunded 970 cover 100 ran 60 ready 5 by 8 @10"
        ),
    );
    check(
        &format!("{disputed}; pay j1 0 29; judge j1 40 5000 30 20; settle j1 29 1"),
        &format!(
            "r1 p1 H200 north 3600 offered free listed 200 stake 480 @11\n\
             j1 p1 Final AbortedByProvider since 1100 {ended} paid 29 for 0 s refunded 970 cover 100 ran 60 fee 1 ready 5 by 8 @11"
        ),
    );
    check_event(
        &disputed,
        r#"JobDisputed j1 r1 p1 by 8 {"bond":"6","opener":"0x0000000000000000000000000000000000000008","pot":"60","reason":"slow"}"#,
    );
    let none = format!(" have happened: job 0x{}01 has no open dispute", "0".repeat(62));
    check(&format!("{disputed}; judge j1 40 0 60 0; judge j1 40 0 60 0"), &none);
    check(&format!("{disputed}; judge j1 40 1 60 0"), " have happened: 1 of the pot is no verdict");
}

#[test]
fn a_cancelled_reservation_may_cost_a_fee() {
    check(
        &ordered("; accept j1; cancel j1 8 900; owe j1 98 2"),
        "j1 p1 Cancelled since 500 created 300 accepted 400 ended 500 locked 1000 +0 s -0 s paid 98 for 0 s refunded 900 \
         fee 2 by 8 @6",
    );
    check_event(
        &ordered("; accept j1; cancel j1 8 900; owe j1 98 2"),
        r#"CancelFeePaid j1 r1 p1 earned 98 {"fee":"2","paid":"98"}"#,
    );
    check_event(
        &ordered("; fill j1 8 1000"),
        &format!(r#"OrderFilled j1 r1 p1 {{"nonce":"1","renter":"0x{:040}","spent":"1000"}}"#, 8),
    );
}

#[test]
fn stake_is_put_down_taken_back_and_slashed() {
    let listed = "provider p1 10 11 12; list r1 p1 5";
    let row = |figures: &str, at: u8| format!("r1 p1 H200 north 5 offered free listed 200{figures} @{at}");
    check(&format!("{listed}; reserve r1 2500"), &row(" cancel 2500", 3));
    check(&format!("{listed}; stake r1 10 50 50; stake r1 9 10 60"), &row(" stake 60", 4));
    let asked = format!("{listed}; stake r1 10 100 100; unstake r1 70 70 8000");
    check(&asked, &row(" stake 100 unbonding 70 until 8000", 4));
    check(&format!("{asked}; unstaked r1 10 70 30"), &row(" stake 30", 5));
    // 20 are proposed; only 30 are free, so a second 20 takes ten of those that are going.
    let twice = format!("{asked}; slash 1 r1 8 20 15; slash 2 r1 8 20 15");
    let proposed = "slash 2 r1 for 8: 20 (10 of them unbonding), loss 15 until 9000 bafk";
    check(&twice, &format!("{}\n{proposed} @6", row(" stake 100 unbonding 60 until 8000 contested 40", 6)));
    check(&format!("{twice}; contest 2"), &format!("{proposed} against bafy @7"));
    check(
        &format!("{twice}; slashed 2 yes 15 5"),
        &format!("{}\n{proposed} slashed true 15 5 @7", row(" stake 80 unbonding 60 until 8000 contested 20", 7)),
    );
    check(
        &format!("{twice}; contest 2; slashed 2 no 0 0"),
        &format!(
            "{}\n{proposed} against bafy slashed false 0 0 @8",
            row(" stake 100 unbonding 70 until 8000 contested 20", 8)
        ),
    );
    check(&format!("{twice}; slashed 2 no 0 0; slashed 2 yes 1 1"), " have happened: proposal 2 is settled");
    check(&format!("{twice}; slash 2 r1 8 1 1"), " have happened: proposal 2 exists");
    check("contest 7", " have happened: proposal 7 is unknown");
    check(
        &format!("{listed}; stake r1 10 9 9; create j1 r1; accept j1 100"),
        &format!(" have happened: resource 0x{}01 has 9 staked, of which 9 are free", "0".repeat(62)),
    );
    check("bond 7; close yes", "fee None paused true withdrawn 0 bond 7 @2");
}

#[test]
fn money_that_waits_and_what_the_platform_sets() {
    check("credit 30 5; credit 30 7", "30 has 12 @2");
    check("credit 30 5; withdraw 30 31 5", "30 has 0 @2");
    check("watcher 20 yes; watcher 20 no", "20 oracle false registered false @2");
    check("watcher 20 yes; oracle 20 yes", "20 oracle true registered true @2");
    check("fee 100; close yes; fees 30 9; fees 30 1", "fee Some(100) paused true withdrawn 10 @4");
    check("close yes; close no", "fee None paused false withdrawn 0 @2");
}

#[test]
fn an_event_names_who_did_it_where_that_is_certain() {
    check_event(&ordered("; accept j1"), r#"JobAccepted j1 r1 p1 by 11 {"coverSeconds":0}"#);
    check_event(
        "provider p1 10 11 12; agent p1 13",
        r#"AgentChanged p1 by 10 {"agent":"0x000000000000000000000000000000000000000d"}"#,
    );
    check_event("provider p1 10 11 12; list r1 p1 5; price r1 6", r#"PriceChanged r1 p1 by 10 {"pricePerHour":"6"}"#);
    check_event("provider p1 10 11 12; list r1 p1 5; offer r1 no", r#"AvailabilityChanged r1 p1 {"available":false}"#);
    check_event(
        &ordered("; decline j1 1000 full"),
        r#"JobDeclined j1 r1 p1 by 11 {"reason":"full","refunded":"1000"}"#,
    );
    check_event(&running("; pay j1 20 19"), r#"JobPaid j1 r1 p1 earned 19 {"amount":"19","paidSeconds":20}"#);
    check_event(&running("; extend j1 5 1005"), r#"JobExtended j1 r1 p1 by 8 {"extraSeconds":5,"locked":"1005"}"#);
    check_event("close yes", r#"PauseChanged {"paused":true}"#);
}

#[test]
fn what_cannot_have_happened_is_said() {
    let id = |last: u8| format!("0x{}{last:02x}", "0".repeat(62));
    let unknown = format!(" have happened: job {} is unknown", id(1));
    for line in ["accept j1", "start j1", "pay j1 1 1", "end j1 11 well 1 1 1", "settle j1 1 1", "silence j1 1 1"] {
        check(line, &unknown);
    }
    check("provider p1 10 11 12; create j1 r1", &format!(" have happened: resource {} is unknown", id(1)));
    check("list r1 p1 5", " have happened: provider 1 is unknown");
    check("agent p1 5", " have happened: provider 1 is unknown");
    check("price r1 5", &format!(" have happened: resource {} is unknown", id(1)));
    check("provider p1 10 11 12; provider p1 10 11 12", " have happened: provider 1 exists");
    check(&ordered("; create j1 r1"), &format!(" have happened: job {} exists", id(1)));
    check(&ordered("; list r1 p1 5"), &format!(" have happened: resource {} exists", id(1)));
    check(
        &ordered("; create j2 r1; accept j1; accept j2"),
        &format!(" have happened: resource {} holds job {}", id(1), id(1)),
    );
    check(
        "credit 30 5; withdraw 30 31 6",
        &format!(" have happened: {} has 5 to withdraw", Address::with_last_byte(30)),
    );
}

/// From which states the contract lets what happen.
#[test]
fn nothing_happens_in_the_wrong_state() {
    let begin = [
        (Status::Created, ordered("")),
        (Status::Accepted, ordered("; accept j1")),
        (Status::Running, running("")),
        (Status::Paused, running("; pause j1")),
        (Status::Silent, running("; silence j1 500 20")),
        (Status::Ended, running("; end j1 11 well 1 1 1")),
        (Status::Disputed, running("; end j1 11 well 1 1 1; dispute j1 8 1 1")),
        (Status::Final, running("; end j1 11 well 1 1 1; settle j1 1 1")),
        (Status::Cancelled, ordered("; cancel j1 8 1000")),
    ];
    use Status::{Accepted, Cancelled, Created, Disputed, Ended, Paused, Running, Silent};
    let table: [(&str, &[Status]); 15] = [
        ("accept j1", &[Created]),
        ("decline j1 1000 no", &[Created, Accepted]),
        ("cancel j1 8 1000", &[Created, Accepted]),
        ("start j1", &[Accepted]),
        ("pause j1", &[Running]),
        ("resume j1 1", &[Paused, Silent]),
        ("silence j1 1 20", &[Running]),
        ("extend j1 1 1001", &[Running]),
        ("pay j1 1 1", &[Running, Paused, Silent, Ended, Disputed]),
        ("end j1 11 well 1 1 1", &[Running, Paused, Silent]),
        ("settle j1 1 1", &[Ended, Disputed]),
        ("dispute j1 8 1 1", &[Ended]),
        ("judge j1 40 0 1 1", &[Disputed]),
        ("owe j1 1 1", &[Cancelled]),
        ("fill j1 8 1", &[Created]),
    ];
    for (line, allowed) in table {
        for (status, story) in &begin {
            let told = tell(&format!("{story}; {line}"));
            assert_eq!(told.is_ok(), allowed.contains(status), "{line} while {status:?}: {told:?}");
        }
    }
}
