//! Whole jobs on the real market in an EVM whose clock is set at will.

use alloy::{
    primitives::{
        Address, B256, Bytes, Log, U256,
        aliases::{U40, U96},
    },
    signers::{SignerSync, local::PrivateKeySigner},
    sol,
    sol_types::{SolCall, SolConstructor, SolEvent},
};
use market::{Amount, BasisPoints, Outcome, PerHour, Seconds, Settlement};
use testkit::{StdRng, rng};
use wire::{Domain, Terms, signed::Ready};

use super::{ADMIN, Machine, amount, any_size, below};

sol!(Market, "../../contracts/abi/Market.json");
sol!(MarketCourt, "../../contracts/abi/MarketCourt.json");
sol!(GPUToken, "../../contracts/abi/GPUToken.json");

const MINT: u128 = 1 << 120;
/// Whole jobs through the market, each with several payments.
const JOBS: u32 = 2_000;
const PAYOUT: Address = Address::repeat_byte(0xba);
const AGENT: Address = Address::repeat_byte(0xa6);
const OWNER: Address = Address::repeat_byte(0x0e);
const RENTER: Address = Address::repeat_byte(0x7e);
/// What pauses may come to in all.
const PAUSE_WITHIN: u64 = 86_400;

/// A market in the machine with one resource that anybody may rent at any price.
struct Bourse {
    machine: Machine,
    market: Address,
    token: Address,
    resource: B256,
    controller: PrivateKeySigner,
}

impl Bourse {
    fn new() -> Self {
        let mut machine = Machine::new();
        // Roles are not the subject: an authority that says yes to everything stands in for them.
        let authority = machine.create(&YES.into(), &[]);
        let token = machine.create(&GPUToken::BYTECODE, &GPUToken::constructorCall { authority }.abi_encode());
        let court =
            machine.create(&MarketCourt::BYTECODE, &MarketCourt::constructorCall { token_: token }.abi_encode());
        let arguments = Market::constructorCall::from((token, authority, 0, court)).abi_encode();
        let market = machine.create(&Market::BYTECODE, &arguments);
        let mint = GPUToken::mintCall { to: RENTER, amount: U256::from(MINT) };
        machine.call(ADMIN, token, &mint).unwrap();
        machine.call(RENTER, token, &GPUToken::approveCall { spender: market, value: U256::MAX }).unwrap();
        machine.call(OWNER, market, &Market::registerProviderCall { agent: AGENT, payout: PAYOUT }).unwrap();
        let listing = Market::Listing {
            key: B256::ZERO,
            pricePerHour: "1".parse().unwrap(),
            simulated: false,
            model: String::new(),
            gpuCount: 0,
            vramMib: 0,
            vcpus: 1,
            memoryMib: 1,
            storageMib: 1,
            details: String::new(),
        };
        let (resource, _) = machine.call(OWNER, market, &Market::registerResourceCall { listing }).unwrap();
        Self { machine, market, token, resource, controller: PrivateKeySigner::random() }
    }

    fn set_fee(&mut self, fee: BasisPoints) {
        let (market, call) = (self.market, Market::setFeeCall::from((fee.0,)));
        self.machine.call(ADMIN, market, &call).unwrap();
    }

    fn balance(&mut self, account: Address) -> Amount {
        let (token, call) = (self.token, GPUToken::balanceOfCall { account });
        amount(self.machine.call(ADMIN, token, &call).unwrap().0)
    }

    fn fees(&mut self) -> Amount {
        let market = self.market;
        amount(self.machine.call(ADMIN, market, &Market::feesCall {}).unwrap().0)
    }

    fn by<C: SolCall>(&mut self, caller: Address, call: &C) -> Result<(C::Return, Vec<Log>), Bytes> {
        let market = self.market;
        self.machine.call(caller, market, call)
    }

    fn start(&mut self, terms: &Market::Terms, statement: &Terms) {
        let domain = Domain { chain_id: 1, market: self.market };
        let job = statement.job_id(1, self.market);
        let at = U40::from(self.machine.now);
        let ready = Ready { jobId: job.0.into(), readyRecord: B256::ZERO, at };
        let signature = self.controller.sign_hash_sync(&domain.signing_hash(&ready)).unwrap();
        let call = Market::startJobCall {
            terms: terms.clone(),
            ready: Market::Ready { readyRecord: B256::ZERO, at },
            signature: signature.as_bytes().into(),
        };
        self.by(AGENT, &call).unwrap();
    }
}

/// Bytecode of a contract that answers every call with `1` and `0`: allowed, and at once.
/// Creation copies the ten bytes after it; those store 1 in memory and return two words.
const YES: [u8; 22] = [
    0x60, 0x0a, 0x60, 0x0c, 0x5f, 0x39, 0x60, 0x0a, 0x5f, 0xf3, 0x5b, 0x5b, 0x60, 0x01, 0x5f, 0x52, 0x60, 0x40, 0x5f,
    0xf3, 0x5b, 0x5b,
];

fn random_terms(bourse: &Bourse, rng: &mut StdRng, salt: u64) -> Terms {
    let price = 1 + any_size(rng, 70);
    let longest = [10, 4000, 100_000, 2_592_000][usize::try_from(below(rng, 4)).unwrap()];
    let minimum = PerHour(price).cost(Seconds(600)).0 * u128::from(below(rng, 101)) / 100;
    Terms {
        renter: RENTER,
        controller: bourse.controller.address(),
        resourceId: bourse.resource,
        pricePerHour: U96::from(price),
        minCharge: if below(rng, 2) == 0 { U96::ZERO } else { U96::from(minimum) },
        maxDuration: u32::try_from(1 + below(rng, longest)).unwrap(),
        notBefore: U40::ZERO,
        cancelFeeBps: 0,
        specDigest: B256::ZERO,
        flags: 0,
        salt,
        extra: B256::ZERO,
    }
}

fn for_contract(terms: &Terms) -> Market::Terms {
    Market::Terms {
        renter: terms.renter,
        controller: terms.controller,
        resourceId: terms.resourceId,
        pricePerHour: terms.pricePerHour,
        minCharge: terms.minCharge,
        maxDuration: terms.maxDuration,
        notBefore: terms.notBefore,
        cancelFeeBps: terms.cancelFeeBps,
        specDigest: terms.specDigest,
        flags: terms.flags,
        salt: terms.salt,
        extra: terms.extra,
    }
}

/// A job of random length with payments, perhaps a pause, at random seconds; then one of the ends.
fn one_job(bourse: &mut Bourse, rng: &mut StdRng, salt: u64) {
    let fee = BasisPoints(u16::try_from(below(rng, 501)).unwrap());
    bourse.set_fee(fee);
    let statement = random_terms(bourse, rng, salt);
    let terms = for_contract(&statement);
    let stream = statement.stream(Seconds(0), fee);
    let context = format!("job {salt}: {stream:?}");
    let renter = bourse.balance(RENTER);
    let (paid_before, fees_before) = (bourse.balance(PAYOUT), bourse.fees());

    let created = bourse.by(RENTER, &Market::createJobCall { terms: terms.clone() });
    assert_eq!(created.is_ok(), stream.locked() != Amount(0), "{context}: a lock of nothing binds no machine");
    if created.is_err() {
        return;
    }
    assert_eq!(renter.saturating_sub(bourse.balance(RENTER)), stream.locked(), "{context}");
    bourse.start(&terms, &statement);
    let started = bourse.machine.now;
    let (mut paid, mut paused) = (Seconds(0), 0);
    let on_clock = |now: u64, paused: u64| Seconds((now - started - paused).max(1)).min(stream.duration);
    for _ in 0..below(rng, 5) {
        bourse.machine.at(bourse.machine.now + below(rng, stream.duration.0 / 2 + 2));
        let to = on_clock(bourse.machine.now, paused);
        let due = stream.due(paid, to, Seconds(0));
        let (payable, _) = bourse.by(ADMIN, &Market::payableNowCall { terms: terms.clone() }).unwrap();
        assert_eq!(amount(payable), due.unwrap_or_default(), "{context}: payable from {paid:?} to {to:?}");
        let before = bourse.balance(PAYOUT);
        let done = bourse.by(AGENT, &Market::processPaymentCall { terms: terms.clone() });
        assert_eq!(done.is_ok(), due.is_some(), "{context}: from {paid:?} to {to:?}");
        if let Some(due) = due {
            assert_eq!(bourse.balance(PAYOUT).saturating_sub(before), due, "{context}: from {paid:?} to {to:?}");
            paid = to;
        }
        if below(rng, 4) == 0 && to < stream.duration && paused < PAUSE_WITHIN {
            bourse.by(AGENT, &Market::pauseJobCall { terms: terms.clone() }).unwrap();
            let gap = below(rng, PAUSE_WITHIN - paused + 1);
            bourse.machine.at(bourse.machine.now + gap);
            bourse.by(AGENT, &Market::resumeJobCall { terms: terms.clone() }).unwrap();
            paused += gap;
        }
    }
    bourse.machine.at(bourse.machine.now + below(rng, stream.duration.0 + 2));
    let ran = on_clock(bourse.machine.now, paused);
    let (outcome, ended) = end(bourse, rng, &terms);
    let logged = ended.iter().find_map(|log| Market::JobFinalized::decode_log(log).ok()).unwrap();
    let split = stream.settle(ran, paid, outcome);
    let found = Settlement {
        paid: bourse.balance(PAYOUT).saturating_sub(paid_before),
        fee: bourse.fees().saturating_sub(fees_before),
        refunded: bourse.balance(RENTER).saturating_sub(renter.saturating_sub(stream.locked())),
    };
    assert_eq!(found, split, "{context} ran {ran:?}, paid {paid:?}, {outcome:?}");
    assert_eq!((amount(logged.paid), amount(logged.fee)), (split.paid, split.fee), "{context}: the event");
    assert_eq!(bourse.balance(bourse.market), bourse.fees(), "{context}: nothing else is held");
}

/// Ends the job now, in one of the ways there are.
fn end(bourse: &mut Bourse, rng: &mut StdRng, terms: &Market::Terms) -> (Outcome, Vec<Log>) {
    let terms = terms.clone();
    let (outcome, code) =
        [(Outcome::Succeeded, 1), (Outcome::Failed, 2), (Outcome::AbortedByProvider, 4), (Outcome::StoppedByRenter, 3)]
            [usize::try_from(below(rng, 4)).unwrap()];
    let (_, logs) = if outcome == Outcome::StoppedByRenter {
        bourse.by(RENTER, &Market::stopJobCall { terms }).map(|(_, logs)| ((), logs)).unwrap()
    } else {
        let call = Market::completeJobCall { terms, outcome: code, resultDigest: B256::ZERO };
        bourse.by(AGENT, &call).map(|(_, logs)| ((), logs)).unwrap()
    };
    (outcome, logs)
}

#[test]
fn whole_jobs_are_settled_as_the_rules_say() {
    let mut bourse = Bourse::new();
    let mut rng = rng(4);
    for salt in 0..JOBS {
        one_job(&mut bourse, &mut rng, salt.into());
    }
}
