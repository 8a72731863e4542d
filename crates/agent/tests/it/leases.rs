//! Time sold by the tick, on a real chain and a real engine: what is paid runs, what is not stops, and the money adds up.

use std::time::{Duration, Instant};

use alloy_primitives::B256;
use chain::calls::x402;
use testkit::{Need, docker_available, eventually, skip};
use wire::Terms;
use wire::http::LeasePhase;
use wire::link::{LeaseAsk, LeaseReply};
use wire::x402::{ChannelConfig, reason};

use crate::payer::{Payer, SETUP, TICK, cost, job, refused, shop, taken};
use crate::stage::LIMIT;

/// Says a line each tenth of a second, for ever.
const FOREVER: &str = "echo started >> /outputs/starts; n=0; while true; do n=$((n+1)); echo $n; \
                       /bin/busybox sleep 0.1; done";
/// What channels begin with.
const DEPOSIT: u128 = 100_000;

#[tokio::test(flavor = "multi_thread")]
async fn what_is_paid_runs_and_who_stops_paying_is_stopped_within_two_ticks() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(1).await;
    let _agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let (before, till) = (payer.balance().await, payer.till().await);
    let terms = payer.terms(&stage.script(FOREVER), 1);
    let lease = payer.open(&terms).await;
    let ready = payer.until(lease, LeasePhase::Ready).await;
    assert_eq!((ready.paid_s, ready.served_s), (0, 0));
    assert_eq!(stage.container(job(lease)).await.as_deref(), Some("created"), "nothing runs before the first tick");
    let mut paid = 0;
    while paid < 9 {
        payer.tick(lease, paid, TICK).await;
        paid += u64::from(TICK);
    }
    stage.said(job(lease), "3").await;
    assert_eq!(payer.look(lease).await.phase, LeasePhase::Running);
    // From here on nobody pays.
    let mut paid_is_over = None;
    let gone = eventually(LIMIT, async || {
        if payer.look(lease).await.served_s >= paid {
            paid_is_over.get_or_insert_with(Instant::now);
        }
        let is_gone = stage.container(job(lease)).await.as_deref() != Some("running");
        is_gone.then(Instant::now)
    })
    .await;
    let exposed = gone - paid_is_over.unwrap_or(gone);
    // What was written down may be older than what ran by the time between two savings.
    assert!(exposed <= Duration::from_secs(2 * u64::from(TICK) + 1), "{exposed:?} ran for nothing");
    let done = payer.until(lease, LeasePhase::Done).await;
    assert!(done.reason.unwrap().contains("two ticks were not paid"));
    assert_eq!((done.charged, done.earned), (SETUP + cost(paid), SETUP + cost(paid)), "all that was paid was served");
    let record = stage.completed(job(lease)).await;
    assert_eq!(done.record.as_ref(), Some(&record));
    assert_eq!(stage.result(&record, "starts"), "started\n");
    let room = stage.config.state_dir.join("leases").join(lease.to_string()).join("room");
    assert!(room.exists(), "the workspace is kept");
    assert_eq!(refused(payer.ask(payer.ticking(lease, paid, TICK)).await), "lease_over");

    let LeaseReply::Refunded { tx, amount, channel } = payer.refund().await else { panic!("it was not refunded") };
    let used = SETUP + cost(paid);
    assert_eq!((amount, channel.balance, channel.total_claimed), (DEPOSIT - used, used, used));
    assert!(tx.is_some());
    assert_eq!(payer.balance().await - before, DEPOSIT - used, "the rest is his again, to the unit");
    assert_eq!(payer.till().await - till, used, "and the till has what was used");
    assert_eq!(
        refused(payer.ask(LeaseAsk::Refund { config: payer.config.clone(), voucher: payer.voucher(used) }).await),
        reason::BATCH_REFUND_EMPTY
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_agent_killed_in_any_phase_goes_on_and_charges_once() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(1).await;
    let mut agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let terms = payer.terms(&stage.script(FOREVER), 2);
    let opening = payer.opening(&terms);
    // The answer is lost: the agent is killed as soon as it can have heard.
    let call = stage.gateway.ask(opening.clone());
    eventually(LIMIT, async || (stage.gateway.answer(call).is_some() || has_record(&stage)).then_some(())).await;
    agent.kill().await;
    agent = stage.agent().await;
    let lease = B256::from(stage.town.market.job_id(&terms).0);
    let (state, channel) = taken(payer.ask(opening.clone()).await);
    payer.charged = SETUP;
    assert_eq!((state.charged, channel.charged_cumulative_amount), (SETUP, Some(SETUP)), "charged once");
    let mut paid = 0;
    for phase in [LeasePhase::Fetching, LeasePhase::Preparing, LeasePhase::Ready, LeasePhase::Running] {
        eventually(LIMIT, async || {
            let now = payer.look(lease).await.phase;
            let order = |phase| {
                [LeasePhase::Fetching, LeasePhase::Preparing, LeasePhase::Ready, LeasePhase::Running]
                    .iter()
                    .position(|it| *it == phase)
            };
            (order(now) >= order(phase)).then_some(())
        })
        .await;
        let tick = payer.ticking(lease, paid, 30);
        let call = stage.gateway.ask(tick.clone());
        eventually(LIMIT, async || stage.gateway.answer(call)).await;
        agent.kill().await;
        agent = stage.agent().await;
        // Sent again, because the answer might have been lost.
        let (state, channel) = taken(payer.ask(tick).await);
        (paid, payer.charged) = (paid + 30, payer.charged + 30);
        assert_eq!(
            (state.paid_s, channel.charged_cumulative_amount),
            (paid, Some(payer.charged)),
            "killed in {phase:?}"
        );
    }
    stage.said(job(lease), "5").await;
    assert!(matches!(payer.ask(LeaseAsk::Stop { lease }).await, LeaseReply::Taken { .. }));
    agent.kill().await;
    let _agent = stage.agent().await;
    let done = payer.until(lease, LeasePhase::Done).await;
    assert!(done.reason.unwrap().contains("stopped by the payer"));
    let record = stage.completed(job(lease)).await;
    assert_eq!(stage.result(&record, "starts"), "started\n", "the program ran once");
    assert_eq!(done.charged, SETUP + cost(120));
    assert_eq!(done.earned, SETUP + cost(done.served_s), "what was not served is not earned");
    let LeaseReply::Refunded { channel, .. } = payer.refund().await else { panic!("it was not refunded") };
    assert_eq!((channel.balance, channel.total_claimed), (done.earned, done.earned));
}

fn has_record(stage: &crate::stage::Stage) -> bool {
    let leases = stage.config.state_dir.join("leases");
    std::fs::read_dir(leases).is_ok_and(|mut entries| entries.next().is_some())
}

#[tokio::test(flavor = "multi_thread")]
async fn money_that_leaves_ends_the_service_and_is_claimed_first() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(1).await;
    let _agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let terms = payer.terms(&stage.script(FOREVER), 3);
    let lease = payer.open(&terms).await;
    payer.tick(lease, 0, 300).await;
    stage.said(job(lease), "5").await;
    let at = payer.channels.address();
    payer.account.execute(&x402::initiate_withdraw(at, &payer.config.typed(), DEPOSIT)).await.unwrap();
    let done = payer.until(lease, LeasePhase::Done).await;
    assert!(done.reason.unwrap().contains("takes his money out"));
    assert_eq!(
        refused(payer.ask(payer.opening(&payer.terms(&stage.script(FOREVER), 4))).await),
        reason::BATCH_WITHDRAWING
    );
    let claimed = eventually(LIMIT, async || {
        let claimed = payer.channels.channel(payer.channel).await.unwrap().claimed;
        (claimed == done.earned).then_some(claimed)
    })
    .await;
    assert_eq!(claimed, SETUP + cost(done.served_s));
    assert!(claimed < SETUP + cost(300), "no second more than was served");
    assert_eq!(payer.till().await, claimed);
}

#[tokio::test(flavor = "multi_thread")]
async fn two_leases_share_a_channel_and_their_accounts_add_up() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(2).await;
    let _agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let first = payer.open(&payer.terms(&stage.script(FOREVER), 5)).await;
    let second = payer.open(&payer.terms(&stage.script(FOREVER), 6)).await;
    let third = payer.opening(&payer.terms(&stage.script(FOREVER), 7));
    assert_eq!(refused(payer.ask(third).await), "lease_busy");
    payer.tick(first, 0, 40).await;
    payer.tick(second, 0, 60).await;
    // Both would pay with the same running total: one of them does, the other is told where the channel stands.
    let calls = [payer.ticking(first, 40, 7), payer.ticking(second, 60, 7)].map(|tick| stage.gateway.ask(tick));
    let mut taken_by = Vec::new();
    for call in calls {
        match eventually(LIMIT, async || stage.gateway.answer(call)).await {
            LeaseReply::Taken { channel, .. } => taken_by.push(channel.charged_cumulative_amount),
            LeaseReply::Refused { code, channel, .. } => {
                assert_eq!(code, reason::BATCH_CUMULATIVE);
                let (channel, voucher) = channel.unwrap();
                assert_eq!(channel.charged_cumulative_amount, Some(payer.charged + 7));
                assert_eq!(
                    voucher.signature,
                    Some(payer.voucher(payer.charged + 7).signature),
                    "his own signature proves it"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(taken_by, [Some(payer.charged + 7)]);
    payer.charged += 7;
    for lease in [first, second] {
        stage.said(job(lease), "3").await;
        payer.ask(LeaseAsk::Stop { lease }).await;
    }
    assert_eq!(refused(payer.refund().await), "lease_open");
    let ends = [payer.until(first, LeasePhase::Done).await, payer.until(second, LeasePhase::Done).await];
    let charged: u128 = ends.iter().map(|end| end.charged).sum();
    let earned: u128 = ends.iter().map(|end| end.earned).sum();
    assert_eq!(charged, payer.charged);
    let LeaseReply::Refunded { amount, channel, .. } = payer.refund().await else { panic!("it was not refunded") };
    assert_eq!((amount, channel.total_claimed), (DEPOSIT - earned, earned));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lease_goes_on_in_the_workspace_of_one_that_is_over() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(2).await;
    let _agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let script = stage.script(FOREVER);
    let resuming = |payer: &Payer<'_>, of: B256, salt: u64| Terms { extra: of, ..payer.terms(&script, salt) };
    let first = payer.open(&payer.terms(&script, 10)).await;
    payer.tick(first, 0, 60).await;
    stage.said(job(first), "3").await;
    assert_eq!(refused(payer.ask(payer.opening(&resuming(&payer, first, 11))).await), "lease_resume", "it still runs");
    payer.ask(LeaseAsk::Stop { lease: first }).await;
    payer.until(first, LeasePhase::Done).await;
    assert_eq!(stage.result(&stage.completed(job(first)).await, "starts"), "started\n");

    let stranger = stage.town.stranger.address();
    let LeaseAsk::Open { config, voucher, charge, capability, .. } = payer.opening(&payer.terms(&script, 12)) else {
        unreachable!()
    };
    let config = ChannelConfig { payer: stranger, payer_authorizer: stranger, ..config };
    let terms = Terms { renter: stranger, controller: stranger, ..resuming(&payer, first, 12) };
    let theirs = LeaseAsk::Open { terms: (&terms).into(), config, voucher, charge, capability };
    let other = Terms { extra: first, ..payer.terms(&stage.script("true"), 13) };
    for wrong in [theirs, payer.opening(&other), payer.opening(&resuming(&payer, B256::repeat_byte(9), 14))] {
        assert_eq!(refused(payer.ask(wrong).await), "lease_resume");
    }
    assert_eq!(payer.look(first).await.charged, SETUP + cost(60), "nothing of all this was charged");

    let second = payer.open(&resuming(&payer, first, 15)).await;
    assert_eq!(
        refused(payer.ask(payer.opening(&resuming(&payer, first, 16))).await),
        "lease_resume",
        "it goes on once"
    );
    payer.until(second, LeasePhase::Ready).await;
    payer.tick(second, 0, 60).await;
    stage.said(job(second), "3").await;
    payer.ask(LeaseAsk::Stop { lease: second }).await;
    payer.until(second, LeasePhase::Done).await;
    let record = stage.completed(job(second)).await;
    assert_eq!(stage.result(&record, "starts"), "started\nstarted\n", "what was written before is there");
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_pays_stops_or_takes_back() {
    if !docker_available().await {
        skip!(Need::Docker, "no engine answers");
    }
    let stage = shop(1).await;
    let _agent = stage.agent().await;
    let mut payer = Payer::with(&stage, DEPOSIT).await;
    let terms = payer.terms(&stage.script("true"), 8);
    let LeaseAsk::Open { terms: json, config, voucher, charge, capability } = payer.opening(&terms) else {
        unreachable!()
    };
    let open = |config: &wire::x402::ChannelConfig, voucher: &wire::x402::VoucherFields, charge| LeaseAsk::Open {
        terms: json.clone(),
        config: config.clone(),
        voucher: voucher.clone(),
        charge,
        capability,
    };
    let stranger = stage.town.stranger.wallet();
    let elsewhere = stage.town.stranger.address();
    for (ask, code) in [
        (open(&config, &payer.voucher_by(stranger, SETUP), charge), reason::BATCH_VOUCHER_SIGNATURE),
        (open(&config, &payer.voucher(SETUP - 1), charge), reason::BATCH_CUMULATIVE),
        (open(&config, &payer.voucher(SETUP - 1), charge - 1), "lease_amount"),
        (
            open(&wire::x402::ChannelConfig { receiver: elsewhere, ..config.clone() }, &voucher, charge),
            reason::BATCH_RECEIVER,
        ),
        (
            open(&wire::x402::ChannelConfig { receiver_authorizer: elsewhere, ..config.clone() }, &voucher, charge),
            reason::BATCH_RECEIVER_AUTHORIZER,
        ),
        (
            open(&wire::x402::ChannelConfig { token: elsewhere, ..config.clone() }, &voucher, charge),
            reason::BATCH_TOKEN,
        ),
        (
            open(&wire::x402::ChannelConfig { withdraw_delay: 899, ..config.clone() }, &voucher, charge),
            reason::BATCH_DELAY_RANGE,
        ),
        (open(&wire::x402::ChannelConfig { payer: elsewhere, ..config.clone() }, &voucher, charge), "lease_terms"),
        (LeaseAsk::Look { lease: B256::repeat_byte(1) }, "lease_unknown"),
    ] {
        assert_eq!(refused(payer.ask(ask).await), code);
    }
    let lease = payer.open(&terms).await;
    let forged = LeaseAsk::Refund { config: config.clone(), voucher: payer.voucher_by(stranger, payer.charged) };
    assert_eq!(refused(payer.ask(forged).await), reason::BATCH_VOUCHER_SIGNATURE);
    let stale = LeaseAsk::Refund { config: config.clone(), voucher: payer.voucher(payer.charged + 1) };
    assert_eq!(refused(payer.ask(stale).await), reason::BATCH_CUMULATIVE);
    let LeaseAsk::Tick { seconds, charge, .. } = payer.ticking(lease, 0, TICK) else { unreachable!() };
    for (charge, seconds, code) in [
        (charge - 1, seconds, "lease_amount"),
        (charge, seconds + 1, "lease_amount"),
        (cost(601), 601, "lease_prepaid"),
    ] {
        let ask = LeaseAsk::Tick { lease, seconds, charge, voucher: payer.voucher(payer.charged + charge) };
        assert_eq!(refused(payer.ask(ask).await), code, "{charge} for {seconds} s");
    }
    let poor = payer.voucher(DEPOSIT + 1);
    let ask = LeaseAsk::Tick { lease, seconds, charge: DEPOSIT + 1 - payer.charged, voucher: poor };
    assert_eq!(refused(payer.ask(ask).await), reason::BATCH_EXCEEDS_BALANCE);
    assert_eq!(payer.look(lease).await.charged, SETUP, "nothing of all this was charged");
}
