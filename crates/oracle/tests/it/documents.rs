//! Documents as fixed bytes, and the names of bytes as others publish them.

use alloy_primitives::{Address, B256};
use chain::MarketEvent;
use market::{Amount, BasisPoints, Hardware, JobId, Mebibytes, Outcome, Seconds};
use oracle::{
    OracleError,
    receipts::{
        Dated,
        document::{Facts, completed, resolved, submitted},
    },
};
use wire::{Document, Terms, document};

use crate::stage::dated;

const CHAIN: u64 = 31337;
const MARKET: Address = Address::repeat_byte(0x11);
/// Written by hand; its names were computed by another program.
const COMPLETED: &str = include_str!("../vectors/completed.json");
const COMPLETED_NID: &str = "bafkreibbo3u4y6s47jeeiqwxokim4cvpoixeszf2nhcsunux6t7w2p4uje";
const COMPLETED_SHA256: &str = "0x2176e9cc7a5cfa484442d77290ce0aaf722e4964ba69c52a3697f4ff6d3f9449";

fn terms() -> Terms {
    Terms {
        renter: Address::repeat_byte(0x22),
        controller: Address::repeat_byte(0x33),
        resourceId: B256::repeat_byte(0x44),
        pricePerHour: "2500000".parse().unwrap(),
        minCharge: "1000".parse().unwrap(),
        maxDuration: 7200,
        notBefore: "0".parse().unwrap(),
        cancelFeeBps: 0,
        specDigest: "0xc37a57425edd7b9a1734f6ecdb05cdfb4262102b4ea241dba5ee3eb64ba76763".parse().unwrap(),
        flags: 0,
        salt: u64::MAX,
        extra: B256::ZERO,
    }
}

fn job() -> JobId {
    terms().job_id(CHAIN, MARKET)
}

fn facts() -> Facts {
    Facts {
        chain_id: CHAIN,
        market: MARKET,
        token: Address::repeat_byte(0x55),
        hardware: Hardware {
            model: "NVIDIA H200".into(),
            gpus: 1,
            vram: Mebibytes(143_771),
            cpus: 16,
            memory: Mebibytes(131_072),
            disk: Mebibytes(65_536),
            simulated: false,
        },
        agent: Address::repeat_byte(0xab),
    }
}

/// Ordered, started half a minute later, ran for an hour, of two that were bought.
fn history() -> Vec<Dated> {
    let (job, began) = (job(), 1_767_225_600);
    let terms = Box::new(terms());
    let created =
        MarketEvent::JobCreated { job, resource: terms.resource(), renter: terms.renter, fee: BasisPoints(200), terms };
    let result_digest = "0x7ca1ba34cd9e443c77ccb2defeddab638a20d122a4312f9794b9581e803d64e7".parse().unwrap();
    let ended = MarketEvent::JobEnded {
        job,
        by: Address::repeat_byte(0xab),
        outcome: Outcome::Succeeded,
        seconds: Seconds(3600),
        refunded: Amount(2_500_000),
        result_digest,
    };
    vec![
        dated(100, 1, began, created),
        dated(101, 0, began + 12, MarketEvent::JobAccepted { job, cover: market::Seconds(0) }),
        dated(102, 0, began + 30, MarketEvent::JobStarted { job, ready_record: B256::repeat_byte(9) }),
        dated(400, 4, began + 3630, MarketEvent::JobPaid { job, seconds: Seconds(3600), amount: Amount(2_450_000) }),
        dated(400, 5, began + 3630, ended),
        dated(400, 6, began + 3630, MarketEvent::JobFinalized { job, paid: Amount(2_450_000), fee: Amount(50_000) }),
    ]
}

#[test]
fn a_document_has_these_bytes_and_these_names() {
    let named = document(&completed(job(), &history(), &facts()).unwrap()).unwrap();
    assert_eq!(String::from_utf8(named.bytes).unwrap(), COMPLETED.trim_end());
    assert_eq!(named.cid.to_string(), COMPLETED_NID);
    assert_eq!(named.digest, COMPLETED_SHA256.parse::<B256>().unwrap());
}

#[test]
fn the_end_alone_makes_the_second_document() {
    let now = completed(job(), &history()[..5], &facts()).unwrap();
    assert_eq!(now, completed(job(), &history(), &facts()).unwrap(), "what became of it is no part of it");
    let cost = now.cost.clone().unwrap();
    assert_eq!((cost.paid.amount.as_str(), cost.fee.amount.as_str()), ("2450000", "50000"));
    assert_eq!(cost.disputable_until.as_second() - now.occurred_at.as_second(), 3600);
    let disputed = &decided(10_000, 2_450_000, 50_000)[..5];
    assert_eq!(now, completed(job(), disputed, &facts()).unwrap(), "neither is a dispute");
}

/// The same job without a cover, so that nothing was paid of its hour; disputed over all of it ten minutes after its end,
/// and decided a day later.
fn decided(provider: u16, paid: u128, fee: u128) -> Vec<Dated> {
    let (job, ended) = (job(), 1_767_225_600 + 3630);
    let mut history = history();
    history.pop();
    history.remove(3);
    let pot = Amount(2_083_334);
    let opener = Address::repeat_byte(0x22);
    let reason = "slow".to_owned();
    history.push(dated(450, 0, ended + 600, MarketEvent::JobDisputed { job, opener, pot, bond: Amount(1), reason }));
    let returned = Amount(pot.0 * u128::from(10_000 - provider) / 10_000);
    let evidence = "bafkreigdpjluexw5ponbonhw5tnqltp3ijrbak2ouja5xjpoh23exj3hmm".to_owned();
    let (by, provider, from_cover) = (Address::repeat_byte(0x77), BasisPoints(provider), Amount(0));
    let resolved = MarketEvent::DisputeResolved { job, by, provider, returned, from_cover, evidence };
    history.push(dated(900, 1, ended + 86_400, resolved));
    history.push(dated(
        900,
        2,
        ended + 86_400,
        MarketEvent::JobFinalized { job, paid: Amount(paid), fee: Amount(fee) },
    ));
    history
}

#[test]
fn a_verdict_makes_the_third_document() {
    // Ten minutes of the hour were too old to be disputed when it was.
    let (stands, pot) = (416_666, 2_083_334);
    for share in [0, 5_000, 10_000_u16] {
        let returned = pot * u128::from(10_000 - share) / 10_000;
        let earned = stands + pot - returned;
        let fee = earned * 200 / 10_000;
        let history = decided(share, earned - fee, fee);
        let now = resolved(job(), &history, &facts()).unwrap();
        let (cost, verdict) = (now.cost.unwrap(), now.verdict.unwrap());
        assert_eq!(cost.paid.amount, (earned - fee).to_string(), "{share}");
        assert_eq!(cost.refunded.amount, (2_500_000 + returned).to_string(), "{share}");
        assert_eq!((verdict.provider_bps, verdict.pot.amount.as_str()), (share, "2083334"));
        assert_eq!((now.occurred_at, cost.disputable_until), (cost.disputable_until, now.occurred_at));
        assert_eq!(now.idempotency_key, format!("gpu-job-{}-JobResolved", job()));

        assert!(matches!(resolved(job(), &history[..5], &facts()), Err(OracleError::NotYet { .. })));
        let mut other = history.clone();
        other[6].event = MarketEvent::JobFinalized { job: job(), paid: Amount(earned - fee - 1), fee: Amount(fee + 1) };
        let told = resolved(job(), &other, &facts()).unwrap_err();
        assert!(matches!(told, OracleError::Disagree { what: "the verdict", .. }), "{told}");
        let mut other = history;
        if let MarketEvent::JobDisputed { pot, .. } = &mut other[4].event {
            *pot = Amount(pot.0 + 1);
        }
        let told = resolved(job(), &other, &facts()).unwrap_err();
        assert!(matches!(told, OracleError::Disagree { what: "the pot", .. }), "{told}");
    }
}

#[test]
fn the_order_alone_makes_the_first_document() {
    let now = submitted(job(), &history()[..1], &facts()).unwrap();
    assert_eq!(now, submitted(job(), &history(), &facts()).unwrap(), "whatever came after it");
    assert_eq!((now.cost, now.metadata.duration, now.metadata.outcome), (None, None, None));
    assert_eq!(now.idempotency_key, format!("gpu-job-{}-JobSubmitted", job()));
    assert_eq!(now.metadata.status, "submitted");
}

#[test]
fn what_does_not_agree_is_not_signed() {
    let check = |change: &dyn Fn(&mut Vec<Dated>)| {
        let mut history = history();
        change(&mut history);
        completed(job(), &history, &facts()).unwrap_err()
    };
    assert!(matches!(check(&|it| it.truncate(4)), OracleError::NotYet { .. }));
    assert!(matches!(check(&|it| it.remove(0).block = 0), OracleError::NotYet { .. }));
    let what = |error| match error {
        OracleError::Disagree { what, .. } => what,
        other => panic!("{other}"),
    };
    assert_eq!(what(check(&|it| it[2].at.0 += 1)), "the clock");
    assert_eq!(what(check(&|it| it[4].at.0 += 1)), "the clock");
    let paid = MarketEvent::JobFinalized { job: job(), paid: Amount(2_450_001), fee: Amount(49_999) };
    assert_eq!(what(check(&|it| it[5].event = paid.clone())), "the cost");
    let extended = MarketEvent::JobExtended { job: job(), extra: Seconds(60), locked: Amount(5_000_000) };
    assert_eq!(what(check(&|it| it.insert(3, dated(300, 0, 1_767_226_000, extended.clone())))), "the lock");
    // Terms of another market are another job's.
    let elsewhere = Facts { market: Address::repeat_byte(0x12), ..facts() };
    assert!(matches!(submitted(job(), &history(), &elsewhere), Err(OracleError::NotYet { .. })));
}

#[test]
fn nids_are_the_published_ones() {
    for (sha256, nid) in [
        (
            "c37a57425edd7b9a1734f6ecdb05cdfb4262102b4ea241dba5ee3eb64ba76763",
            "bafkreigdpjluexw5ponbonhw5tnqltp3ijrbak2ouja5xjpoh23exj3hmm",
        ),
        (
            "ad7e154b74da6715d576c5ef7379e52c116729e4f39022b54313430094edb35c",
            "bafkreifnpykuw5g2m4k5k5wf55zxtzjmcftstzhtsarlkqytimajj3ntlq",
        ),
        (
            "7ca1ba34cd9e443c77ccb2defeddab638a20d122a4312f9794b9581e803d64e7",
            "bafkreid4ug5djtm6iq6hptfs337n3k3driqncivegexzpffzlapiaple44",
        ),
        (
            "6f9db0339205c0686e318dcdb2337230ba6a6e014bd3ec9644b73c33bdc2bc9d",
            "bafkreidptwydheqfybug4mmnzwzdg4rqxjvg4akl2pwjmrfxhqz33qv4tu",
        ),
    ] {
        assert_eq!(Document::cid_of(sha256.parse().unwrap()).unwrap().to_string(), nid);
    }
}
