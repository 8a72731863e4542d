//! The language of the stories: events in words, rows in words.

use alloy_primitives::{Address, B256, U256};
use chain::{Listing, Logged, MarketEvent as E};
use market::{Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, PerHour, ResourceId, Seconds, Timestamp};
use store::{BlockRef, ResourceRow, Row};
use wire::Terms;

use super::super::{Changes, apply};
use crate::{IndexError, Rows};

/// Each event stands in a block of its own: the first in block 1 at time 100, the next in block 2 at 200.
pub(super) fn tell(story: &str) -> Result<Changes, IndexError> {
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
pub(super) fn check(story: &str, expected: &str) {
    let told = match tell(story) {
        Ok(changes) => changes.rows.iter().map(show).collect::<Vec<_>>().join("\n"),
        Err(error) => error.to_string().split_once(" cannot").unwrap().1.split_once(';').unwrap().0.to_owned(),
    };
    assert_eq!(told, expected, "{story}");
}

/// The last event of `story` is written down so.
pub(super) fn check_event(story: &str, expected: &str) {
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

pub(super) fn show(row: &Row) -> String {
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
pub(super) fn ordered(then: &str) -> String {
    format!("provider p1 10 11 12; list r1 p1 3600; create j1 r1{then}")
}

/// The same, accepted and started: blocks 4 and 5.
pub(super) fn running(then: &str) -> String {
    ordered(&format!("; accept j1; start j1{then}"))
}

/// With 500 staked, of which the job ties 100.
pub(super) fn covered(then: &str) -> String {
    ordered(&format!("; stake r1 10 500 500; accept j1 100; start j1{then}"))
}
