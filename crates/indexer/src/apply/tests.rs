//! The rules as stories: what happened, and what the last of it changed.

use alloy_primitives::{Address, B256, U256};
use chain::{Listing, Logged, MarketEvent as E};
use market::{
    Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, PerHour, ResourceId, Seconds, Status, Timestamp,
};
use store::{BlockRef, ResourceRow, Row};
use wire::Terms;

use super::{Changes, apply};
use crate::{IndexError, Rows};

/// Each event stands in a block of its own: the first in block 1 at time 100, the next in block 2 at 200.
fn tell(story: &str) -> Result<Changes, IndexError> {
    let mut rows = Rows::default();
    let mut last = None;
    for (number, line) in (1..).zip(story.split("; ")) {
        let block = BlockRef { number, hash: B256::with_last_byte(number as u8), at: Timestamp(number * 100) };
        let changes = apply(&rows, block, &Logged { log_index: 7, tx: B256::ZERO, event: event(line) })?;
        changes.rows.iter().cloned().for_each(|row| rows.put(row));
        last = Some(changes);
    }
    Ok(last.unwrap())
}

/// `story` ends in these rows, one a line, or in these words of refusal.
fn check(story: &str, expected: &str) {
    let told = match tell(story) {
        Ok(changes) => changes.rows.iter().map(show).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string().split_once(" cannot").unwrap().1.split_once(';').unwrap().0.to_owned(),
    };
    assert_eq!(told, expected, "{story}");
}

/// The last event of `story` is written down so.
fn check_event(story: &str, expected: &str) {
    let event = tell(story).unwrap().event;
    assert_eq!((event.block, event.log_index, event.at.0), (event.block, 7, event.block * 100));
    let about = |name: &str, what: Option<u8>| what.map(|what| format!(" {name}{what}")).unwrap_or_default();
    let told = format!(
        "{}{}{}{}{}{} {}",
        event.kind,
        about("j", event.job.map(|id| id.0[31])),
        about("r", event.resource.map(|id| id.0[31])),
        about("p", event.provider.map(|id| id as u8)),
        about("by ", event.who.map(|who| who[19])),
        about("earned ", event.earned.map(|earned| earned.0 as u8)),
        event.detail
    );
    assert_eq!(told, expected, "{story}");
}

const RENTER: u8 = 8;

fn event(line: &str) -> E {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words[at].trim_start_matches(['j', 'r', 'p']).parse::<u64>().unwrap();
    let job = |at: usize| JobId(B256::with_last_byte(number(at) as u8).0);
    let resource = |at: usize| ResourceId(B256::with_last_byte(number(at) as u8).0);
    let amount = |at: usize| Amount(number(at).into());
    let who = |at: usize| Address::with_last_byte(number(at) as u8);
    match words[0] {
        // provider p1 10 11 12
        "provider" => {
            E::ProviderRegistered { provider_id: number(1) as u32, owner: who(2), agent: who(3), payout: who(4) }
        }
        "agent" => E::AgentChanged { provider_id: number(1) as u32, agent: who(2) },
        "payout" => E::PayoutChanged { provider_id: number(1) as u32, payout: who(2) },
        // list r1 p1 3600
        "list" => E::ResourceRegistered {
            resource: resource(1),
            provider_id: number(2) as u32,
            listing: Listing {
                key: B256::with_last_byte(9),
                price: PerHour(number(3).into()),
                hardware: hardware(),
                details: "north".into(),
            },
        },
        "offer" => E::AvailabilityChanged { resource: resource(1), available: words[2] == "yes" },
        "price" => E::PriceChanged { resource: resource(1), price: PerHour(number(2).into()) },
        "create" => E::JobCreated {
            job: job(1),
            resource: resource(2),
            renter: Address::with_last_byte(RENTER),
            fee: BasisPoints(200),
            terms: Box::new(terms(resource(2))),
        },
        // accept j1, or with so many seconds of cover: accept j1 600
        "accept" => E::JobAccepted { job: job(1), cover: Seconds(if words.len() > 2 { number(2) } else { 0 }) },
        "decline" => E::JobDeclined { job: job(1), refunded: amount(2), reason: words[3].into() },
        "cancel" => E::JobCancelled { job: job(1), by: who(2), refunded: amount(3) },
        "start" => E::JobStarted { job: job(1), ready_record: B256::with_last_byte(5) },
        "pause" => E::JobPaused { job: job(1) },
        "resume" => E::JobResumed { job: job(1), paused: Seconds(number(2)) },
        "extend" => E::JobExtended { job: job(1), extra: Seconds(number(2)), locked: amount(3) },
        "silence" => E::JobSilent { job: job(1), clock_stands_at: Timestamp(number(2)), reporter: who(3) },
        "pay" => E::JobPaid { job: job(1), seconds: Seconds(number(2)), amount: amount(3) },
        "end" => E::JobEnded {
            job: job(1),
            by: who(2),
            outcome: if words[3] == "well" { Outcome::Succeeded } else { Outcome::AbortedByProvider },
            seconds: Seconds(number(4)),
            refunded: amount(5),
            result_digest: B256::with_last_byte(number(6) as u8),
        },
        "settle" => E::JobFinalized { job: job(1), paid: amount(2), fee: amount(3) },
        "credit" => E::Credited { account: who(1), amount: amount(2) },
        "withdraw" => E::CreditWithdrawn { account: who(1), to: who(2), amount: amount(3) },
        "fee" => E::FeeChanged { fee: BasisPoints(number(1) as u16) },
        "fees" => E::FeesWithdrawn { to: who(1), amount: amount(2) },
        "close" => E::PauseChanged { paused: words[1] == "yes" },
        "watcher" => E::WatcherChanged { watcher: who(1), registered: words[2] == "yes" },
        "oracle" => E::OracleChanged { oracle: who(1), registered: words[2] == "yes" },
        _ => court_event(line),
    }
}

/// Orders, disputes, stake and slashes.
fn court_event(line: &str) -> E {
    let words: Vec<&str> = line.split(' ').collect();
    let number = |at: usize| words[at].trim_start_matches(['j', 'r']).parse::<u64>().unwrap();
    let job = || JobId(B256::with_last_byte(number(1) as u8).0);
    let resource = |at: usize| ResourceId(B256::with_last_byte(number(at) as u8).0);
    let amount = |at: usize| Amount(number(at).into());
    let who = |at: usize| Address::with_last_byte(number(at) as u8);
    match words[0] {
        "fill" => E::OrderFilled { job: job(), renter: who(2), nonce: U256::from(1), spent: amount(3) },
        "owe" => E::CancelFeePaid { job: job(), paid: amount(2), fee: amount(3) },
        // dispute j1 8 100 10: by whom, over what, for which bond
        "dispute" => {
            let (opener, pot, bond) = (who(2), amount(3), amount(4));
            E::JobDisputed { job: job(), opener, pot, bond, reason: "slow".into() }
        }
        // judge j1 40 5000 50 20
        "judge" => E::DisputeResolved {
            job: job(),
            by: who(2),
            provider: BasisPoints(number(3) as u16),
            returned: amount(4),
            from_cover: amount(5),
            evidence: "bafk".into(),
        },
        "reserve" => E::CancelFeeChanged { resource: resource(1), cancel_fee: BasisPoints(number(2) as u16) },
        // stake r1 10 500 1500: by whom, how much, and all
        "stake" => E::Staked { resource: resource(1), from: who(2), amount: amount(3), stake: amount(4) },
        "unstake" => E::UnstakeRequested {
            resource: resource(1),
            amount: amount(2),
            unbonding: amount(3),
            available_at: Timestamp(number(4)),
        },
        "unstaked" => E::Unstaked { resource: resource(1), to: who(2), amount: amount(3), stake: amount(4) },
        // slash 1 r1 8 100 70
        "slash" => E::SlashProposed {
            proposal: number(1),
            resource: resource(2),
            harmed: who(3),
            amount: amount(4),
            loss: amount(5),
            contestable_until: Timestamp(9000),
            evidence: "bafk".into(),
        },
        "contest" => E::SlashContested { proposal: number(1), evidence: "bafy".into() },
        "slashed" => {
            E::SlashSettled { proposal: number(1), slashed: words[2] == "yes", to_harmed: amount(3), burned: amount(4) }
        }
        "bond" => E::MinBondChanged { amount: amount(1) },
        other => panic!("{other}"),
    }
}

fn hardware() -> Hardware {
    Hardware {
        model: "H200".into(),
        gpus: 1,
        vram: Mebibytes(1000),
        cpus: 2,
        memory: Mebibytes(2000),
        disk: Mebibytes(3000),
        simulated: false,
    }
}

/// A thousand seconds at one unit a second.
fn terms(resource: ResourceId) -> Terms {
    Terms {
        renter: Address::with_last_byte(RENTER),
        controller: Address::with_last_byte(9),
        resourceId: resource.0.into(),
        pricePerHour: "3600".parse().unwrap(),
        minCharge: Default::default(),
        maxDuration: 1000,
        notBefore: Default::default(),
        cancelFeeBps: 0,
        specDigest: B256::ZERO,
        flags: 0,
        salt: 0,
        extra: B256::ZERO,
    }
}

fn show(row: &Row) -> String {
    let when = |name: &str, at: Option<Timestamp>| at.map(|at| format!(" {name} {}", at.0)).unwrap_or_default();
    match row {
        Row::Provider(row) => format!(
            "p{} {}/{}/{} since {} started {} succeeded {} @{}",
            row.id,
            row.owner[19],
            row.agent[19],
            row.payout[19],
            row.registered_at.0,
            row.jobs_started,
            row.jobs_succeeded,
            row.changed
        ),
        Row::Resource(row) => format!(
            "r{} p{} {} {} {} {} {} listed {}{} @{}",
            row.id.0[31],
            row.provider,
            row.hardware.model,
            row.details,
            row.price.0,
            if row.available { "offered" } else { "withheld" },
            row.held_by.map_or("free".to_owned(), |by| format!("held by j{}", by.0[31])),
            row.listed_at.0,
            stake(row),
            row.changed
        ),
        Row::Dispute(row) => {
            let decided = row.decision.as_ref().map(|it| {
                let money = format!("returned {} of cover {}", it.returned, it.from_cover);
                format!(" {:?} by {} at {} {money} {}", it.verdict, it.by[19], it.at.0, it.evidence)
            });
            let opened = format!("by {} at {} \"{}\"", row.opener[19], row.opened_at.0, row.reason);
            let (job, decided) = (row.job.0[31], decided.unwrap_or_default());
            format!("dispute j{job} {opened} over {} bond {}{decided} @{}", row.pot, row.bond, row.changed)
        }
        Row::Slash(row) => {
            let against = row.contested.as_ref().map(|cid| format!(" against {cid}")).unwrap_or_default();
            let settled = row.settled.map(|it| format!(" slashed {} {} {}", it.slashed, it.to_harmed, it.burned));
            let (harmed, settled) = (row.harmed[19], settled.unwrap_or_default());
            let what = format!("{} ({} of them unbonding), loss {}", row.amount, row.from_unbonding, row.loss);
            let (id, resource, until) = (row.id, row.resource.0[31], row.contestable_until.0);
            format!(
                "slash {id} r{resource} for {harmed}: {what} until {until} {}{against}{settled} @{}",
                row.evidence, row.changed
            )
        }
        Row::Job(row) => {
            let mut text = format!("j{} p{} {:?}", row.id.0[31], row.provider, row.status);
            if row.outcome != Outcome::None {
                text += &format!(" {:?}", row.outcome);
            }
            text += &format!(" since {} created {}", row.since.0, row.created_at.0);
            text += &when("accepted", row.accepted_at);
            text += &when("started", row.started_at);
            text += &when("ended", row.ended_at);
            text += &format!(" locked {} +{} s -{} s", row.locked, row.extra.0, row.paused.0);
            text += &format!(" paid {} for {} s refunded {}", row.paid, row.paid_seconds.0, row.refunded);
            for (name, number) in [
                ("cover", Some(row.cover.0).filter(|cover| *cover > 0)),
                ("ran", row.seconds_run.map(|ran| ran.0)),
                ("fee", row.fee.map(|fee| fee.0 as u64)),
                ("ready", row.ready_record.map(|digest| digest[31].into())),
                ("result", row.result_digest.map(|digest| digest[31].into())),
                ("by", row.ended_by.map(|by| by[19].into())),
            ] {
                text += &number.map(|number| format!(" {name} {number}")).unwrap_or_default();
            }
            text += &row.reason.as_ref().map(|reason| format!(" \"{reason}\"")).unwrap_or_default();
            text + &format!(" @{}", row.changed)
        }
        Row::Credit(row) => format!("{} has {} @{}", row.account[19], row.amount, row.changed),
        Row::Reporter(row) => {
            format!("{} oracle {} registered {} @{}", row.address[19], row.is_oracle, row.registered, row.changed)
        }
        Row::Market(row) => {
            let bond = row.min_bond.map(|least| format!(" bond {least}")).unwrap_or_default();
            let fee = row.fee_bps.map(|fee| fee.0);
            format!("fee {fee:?} paused {} withdrawn {}{bond} @{}", row.paused, row.fees_withdrawn, row.changed)
        }
    }
}

/// What is said of a resource's stake, where there is any.
fn stake(row: &ResourceRow) -> String {
    let figures = [
        ("stake", row.stake.0),
        ("tied", row.tied.0),
        ("unbonding", row.unbonding.0),
        ("until", row.unbonded_at.map_or(0, |at| at.0.into())),
        ("contested", row.contested.0),
        ("cancel", row.cancel_fee.0.into()),
    ];
    figures.into_iter().filter(|(_, figure)| *figure > 0).map(|(name, figure)| format!(" {name} {figure}")).collect()
}

/// Provider, listing and order: blocks 1, 2 and 3.
fn ordered(then: &str) -> String {
    format!("provider p1 10 11 12; list r1 p1 3600; create j1 r1{then}")
}

/// The same, accepted and started: blocks 4 and 5.
fn running(then: &str) -> String {
    ordered(&format!("; accept j1; start j1{then}"))
}

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

/// With 500 staked, of which the job ties 100.
fn covered(then: &str) -> String {
    ordered(&format!("; stake r1 10 500 500; accept j1 100; start j1{then}"))
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
