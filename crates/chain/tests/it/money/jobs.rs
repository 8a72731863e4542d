//! Whole jobs on the real market in an EVM whose clock is set at will.

use alloy::{
    primitives::{
        Address, B256, Bytes, Log, U256,
        aliases::{U40, U72, U96},
    },
    signers::{SignerSync, local::PrivateKeySigner},
    sol,
    sol_types::{SolCall, SolConstructor, SolEvent},
};
use market::{
    Amount, BasisPoints, Clock, Outcome, PerHour, Pot, Seconds, Settlement, Stream, Timestamp, Verdict, rules,
};
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
        for account in [RENTER, OWNER] {
            let mint = GPUToken::mintCall { to: account, amount: U256::from(MINT) };
            machine.call(ADMIN, token, &mint).unwrap();
            machine.call(account, token, &GPUToken::approveCall { spender: market, value: U256::MAX }).unwrap();
        }
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

    fn wait(&mut self, seconds: u64) {
        self.machine.at(self.machine.now + seconds);
    }

    /// The resource's stake, and how much of it is tied.
    fn stake(&mut self) -> (Amount, Amount) {
        let call = Market::getResourceCall { resourceId: self.resource };
        let found = self.by(ADMIN, &call).unwrap().0;
        (Amount(found.stake.to()), Amount(found.tied.to()))
    }

    /// Takes all stake back and puts down this much.
    fn set_stake(&mut self, wanted: Amount) {
        let (resource, before) = (self.resource, self.stake().0);
        if before != Amount(0) {
            let amount = U72::from(before.0);
            self.by(OWNER, &Market::unstakeCall { resourceId: resource, amount }).unwrap();
            self.wait(rules::UNBONDING.0);
            self.by(OWNER, &Market::withdrawStakeCall { resourceId: resource, to: OWNER }).unwrap();
        }
        if wanted != Amount(0) {
            self.by(OWNER, &Market::stakeCall { resourceId: resource, amount: U72::from(wanted.0) }).unwrap();
        }
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

/// A job on its way, as the rules in Rust see it.
struct Run {
    terms: Market::Terms,
    job: B256,
    stream: Stream,
    clock: Clock,
    cover: Seconds,
    paid: Seconds,
    /// Balances of renter and payout address before the lock.
    before: (Amount, Amount),
    fees: Amount,
    staked: Amount,
    /// What a lost bond did to renter and payout address.
    bond: (i128, i128),
    context: String,
}

/// A job of random length with payments, perhaps a pause, at random seconds; then one of the ends.
fn one_job(bourse: &mut Bourse, rng: &mut StdRng, salt: u64) {
    let fee = BasisPoints(u16::try_from(below(rng, 501)).unwrap());
    bourse.set_fee(fee);
    let statement = random_terms(bourse, rng, salt);
    let (terms, stream) = (for_contract(&statement), statement.stream(Seconds(0), fee));
    let staked = match below(rng, 3) {
        0 => Amount(0),
        1 => stream.price.tie(Seconds(below(rng, 4000))),
        _ => Amount(any_size(rng, 71)),
    };
    bourse.set_stake(staked);
    let context = format!("job {salt}: {stream:?} with stake {staked:?}");
    let before = (bourse.balance(RENTER), bourse.balance(PAYOUT));
    let fees = bourse.fees();

    let possible = bourse.by(ADMIN, &Market::canCreateCall { terms: terms.clone() }).unwrap().0;
    let created = bourse.by(RENTER, &Market::createJobCall { terms: terms.clone() });
    assert_eq!(created.is_ok(), stream.locked() != Amount(0), "{context}: a lock of nothing binds no machine");
    assert_eq!(possible, created.is_ok(), "{context}: known before");
    let Ok((job, _)) = created else { return };
    assert_eq!(before.0.saturating_sub(bourse.balance(RENTER)), stream.locked(), "{context}");
    bourse.start(&terms, &statement);
    let clock = Clock { started_at: Timestamp(bourse.machine.now), ..Clock::default() };
    let cover = stream.cover(staked);
    assert_eq!(bourse.stake(), (staked, stream.price.tie(cover)), "{context}: tied for {cover:?}");
    let mut run =
        Run { terms, job, stream, clock, cover, paid: Seconds(0), before, fees, staked, bond: (0, 0), context };
    for _ in 0..below(rng, 5) {
        bourse.wait(below(rng, stream.duration.0 / 2 + 2));
        run.pay(bourse);
        let now = Timestamp(bourse.machine.now);
        let paused = run.clock.paused.0;
        let pausable = run.clock.seconds(now, stream.duration) < stream.duration && paused < PAUSE_WITHIN;
        if below(rng, 4) == 0 && pausable {
            bourse.by(AGENT, &Market::pauseJobCall { terms: run.terms.clone() }).unwrap();
            let gap = below(rng, PAUSE_WITHIN - paused + 1);
            bourse.wait(gap);
            bourse.by(AGENT, &Market::resumeJobCall { terms: run.terms.clone() }).unwrap();
            run.clock.paused = Seconds(paused + gap);
        }
    }
    bourse.wait(below(rng, stream.duration.0 + 2));
    run.end(bourse, rng);
}

impl Run {
    /// Processes what is payable now.
    fn pay(&mut self, bourse: &mut Bourse) {
        let Self { stream, cover, paid, context, .. } = &*self;
        let to = self.clock.payable(Timestamp(bourse.machine.now), stream.duration, *cover, *paid);
        let due = stream.due(*paid, to, *cover);
        let context = format!("{context}: from {paid:?} to {to:?} with {cover:?}");
        let (payable, _) = bourse.by(ADMIN, &Market::payableNowCall { terms: self.terms.clone() }).unwrap();
        assert_eq!(amount(payable), due.unwrap_or_default(), "{context}");
        let before = bourse.balance(PAYOUT);
        let done = bourse.by(AGENT, &Market::processPaymentCall { terms: self.terms.clone() });
        assert_eq!(done.is_ok(), due.is_some(), "{context}");
        if let Some(due) = due {
            assert_eq!(bourse.balance(PAYOUT).saturating_sub(before), due, "{context}");
            self.paid = to;
        }
    }

    /// Ends the job now, disputes it or not, and makes it final.
    fn end(mut self, bourse: &mut Bourse, rng: &mut StdRng) {
        let now = Timestamp(bourse.machine.now);
        let ran = self.clock.seconds(now, self.stream.duration);
        if below(rng, 6) == 0 {
            self.clock.ended_at = now;
            let refunded = self.stream.locked().saturating_sub(self.stream.earned(ran));
            self.dispute(bourse, rng, ran, Outcome::Disputed, refunded);
            return;
        }
        let payable = self.clock.payable(now, self.stream.duration, self.cover, self.paid);
        let before = (bourse.balance(RENTER), bourse.balance(PAYOUT));
        let outcome = end(bourse, rng, &self.terms);
        self.clock.ended_at = now;
        let ending = self.stream.end(ran, self.paid, payable, self.cover, outcome);
        let moved = (bourse.balance(RENTER).saturating_sub(before.0), bourse.balance(PAYOUT).saturating_sub(before.1));
        assert_eq!(moved, (ending.refunded, ending.paid), "{} ran {ran:?}, {outcome:?}", self.context);
        let split = self.stream.settle(ran, self.paid, outcome);
        self.paid = ending.to;
        if below(rng, 2) == 0 {
            bourse.wait(below(rng, rules::DISPUTE_WINDOW.0));
            self.dispute(bourse, rng, ran, outcome, ending.refunded);
            return;
        }
        bourse.wait(rules::DISPUTE_WINDOW.0 + 1);
        let (_, logs) = bourse.by(ADMIN, &Market::finalizeCall { terms: vec![self.terms.clone()] }).unwrap();
        self.is_final(bourse, &logs, split, Amount(0));
    }

    /// Disputes the job, by either side, and has it decided, or not.
    fn dispute(self, bourse: &mut Bourse, rng: &mut StdRng, ran: Seconds, outcome: Outcome, refunded: Amount) {
        let opener = if below(rng, 2) == 0 { RENTER } else { OWNER };
        let now = Timestamp(bourse.machine.now);
        let stream = self.stream.ended(outcome, self.paid);
        let pot = stream.pot(ran, self.clock.old(now, ran), self.paid, self.cover);
        let open = Market::disputeJobCall { terms: self.terms.clone(), reason: String::new() };
        let opened = bourse.by(opener, &open);
        let context = format!("{} ran {ran:?}, {outcome:?}, {pot:?}", self.context);
        assert_eq!(opened.is_ok(), pot.amount != Amount(0), "{context}: there is something to dispute");
        if opened.is_err() {
            return self.undisputed(bourse, rng, ran, outcome);
        }
        let bond = market::bond(pot.amount, Amount(0));
        let found = bourse.by(ADMIN, &Market::getDisputeCall { jobId: self.job }).unwrap().0;
        assert_eq!((found.opener, Amount(found.pot), Amount(found.bond)), (opener, pot.amount, bond), "{context}");
        let bond = i128::try_from(bond.0).unwrap();
        self.verdict(bourse, rng, (stream, pot), (opener == RENTER, bond), refunded, &context);
    }

    fn verdict(
        mut self,
        bourse: &mut Bourse,
        rng: &mut StdRng,
        (stream, pot): (Stream, Pot),
        (by_renter, bond): (bool, i128),
        refunded: Amount,
        context: &str,
    ) {
        let verdict = Verdict::ALL[usize::try_from(below(rng, 3)).unwrap()];
        self.bond = match (by_renter, verdict) {
            (true, Verdict::Provider) => (-bond, bond),
            (false, Verdict::Renter) => (bond, 0),
            _ => (0, 0),
        };
        let received = stream.net(self.paid);
        let resolution = stream.resolve(pot, received, verdict);
        let default = verdict == Verdict::Split && below(rng, 2) == 0;
        let logs = if default {
            bourse.wait(rules::ANSWER_WITHIN.0 + 1);
            bourse.by(ADMIN, &Market::settleDisputeCall { terms: self.terms.clone() }).unwrap().1
        } else {
            let (terms, evidence) = (self.terms.clone(), String::new());
            let call = Market::resolveDisputeCall { terms, providerBps: verdict.share().0, evidenceCid: evidence };
            bourse.by(ADMIN, &call).unwrap().1
        };
        let told = logs.iter().find_map(|log| Market::DisputeResolved::decode_log(log).ok()).unwrap();
        let found = (amount(told.returned), amount(told.fromCover));
        assert_eq!(found, (resolution.returned, resolution.from_cover), "{context} {verdict:?}");
        let together = refunded.saturating_add(resolution.returned);
        assert_eq!(together, resolution.split.refunded, "{context} {verdict:?}: all that is the renter's");
        self.is_final(bourse, &logs, resolution.split, resolution.from_cover);
    }

    /// Everything is too old to be disputed: the job is ended otherwise and becomes final.
    fn undisputed(mut self, bourse: &mut Bourse, rng: &mut StdRng, ran: Seconds, outcome: Outcome) {
        let paid = self.paid;
        let outcome = if outcome == Outcome::Disputed { end(bourse, rng, &self.terms) } else { outcome };
        bourse.wait(rules::DISPUTE_WINDOW.0 + 1);
        let (_, logs) = bourse.by(ADMIN, &Market::finalizeCall { terms: vec![self.terms.clone()] }).unwrap();
        self.paid = ran;
        let split = self.stream.settle(ran, paid, outcome);
        self.is_final(bourse, &logs, split, Amount(0));
    }

    /// The job is over: everybody has what the rules say, and the stake is free, less what the cover gave back.
    fn is_final(&self, bourse: &mut Bourse, logs: &[Log], split: Settlement, from_cover: Amount) {
        let context = &self.context;
        let told = logs.iter().find_map(|log| Market::JobFinalized::decode_log(log).ok()).unwrap();
        assert_eq!((amount(told.paid), amount(told.fee)), (split.paid, split.fee), "{context}: the event");
        assert_eq!(bourse.fees().saturating_sub(self.fees), split.fee, "{context}: the fee");
        let left = self.staked.saturating_sub(from_cover);
        assert_eq!(bourse.stake(), (left, Amount(0)), "{context}: the stake");
        assert_eq!(
            bourse.balance(bourse.market),
            bourse.fees().saturating_add(left),
            "{context}: nothing else is held"
        );
        let n = |amount: Amount| i128::try_from(amount.0).unwrap();
        let renter = n(bourse.balance(RENTER)) - n(self.before.0) + n(self.stream.locked());
        assert_eq!(renter, n(split.refunded) + self.bond.0, "{context}: the renter");
        // What the cover gives back the provider keeps: it pays with its stake.
        let provider = n(bourse.balance(PAYOUT)) - n(self.before.1);
        assert_eq!(provider, n(split.paid) + n(from_cover) + self.bond.1, "{context}: the provider");
    }
}

/// Ends the job now, in one of the ways there are.
fn end(bourse: &mut Bourse, rng: &mut StdRng, terms: &Market::Terms) -> Outcome {
    let terms = terms.clone();
    let (outcome, code) =
        [(Outcome::Succeeded, 1), (Outcome::Failed, 2), (Outcome::AbortedByProvider, 4), (Outcome::StoppedByRenter, 3)]
            [usize::try_from(below(rng, 4)).unwrap()];
    if outcome == Outcome::StoppedByRenter {
        bourse.by(RENTER, &Market::stopJobCall { terms }).unwrap();
    } else {
        let call = Market::completeJobCall { terms, outcome: code, resultDigest: B256::ZERO };
        bourse.by(AGENT, &call).unwrap();
    }
    outcome
}

#[test]
fn whole_jobs_are_settled_as_the_rules_say() {
    let mut bourse = Bourse::new();
    let mut rng = rng(4);
    for salt in 0..JOBS {
        one_job(&mut bourse, &mut rng, salt.into());
    }
}
