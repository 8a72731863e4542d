// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, Outcome, Ready, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {CourtHandler} from "./CourtHandler.sol";
import {Model, Seen} from "./Model.sol";
import {StakeHandler} from "./StakeHandler.sol";

/// Walks the market through random histories of several renters, providers and jobs. It decides by its own model what
/// must work, so that every call that ends otherwise is a finding; money is read off balances, not off the market's
/// words.
contract Handler is CourtHandler, StakeHandler {
    address private constant STRANGER = address(0xBAD);

    constructor(IMarket market_, BlockingToken token_) Model(market_, token_) {}

    // ── the world ────────────────────────────────────────────────────────────────────────────────────────

    /// Mostly minutes, so that jobs get somewhere; now and then long enough to miss a deadline, a pause's included.
    function elapse(uint256 gap, uint8 far) external {
        (bool held,) = _pick(gap, Status.Paused, Status.Paused);
        gap = bound(gap, 0, held && far < 96 ? 26 hours : far < 32 ? 2 hours : 5 minutes);
        _elapse(gap);
        ++turns;
    }

    function donate(uint256 amount) external {
        amount = bound(amount, 1, 1e9);
        token.mint(address(market), amount);
        donated += amount;
    }

    function toggleBlocked(uint256 seed) external {
        address account = seed % 2 == 0 ? renters[seed / 2 % 2] : payouts[seed / 2 % 2];
        token.setBlocked(account, !token.isBlocked(account));
    }

    /// Paused for a quarter of the time.
    function togglePause(uint8 how) external {
        vm.startPrank(ADMIN);
        how < 64 ? market.pause() : market.unpause();
        vm.stopPrank();
    }

    function setFee(uint16 bps) external {
        vm.prank(ADMIN);
        market.setFee(uint16(bound(bps, 0, 500)));
    }

    function withdrawFees() external {
        if (market.fees() == 0) return;
        vm.prank(ADMIN);
        market.withdrawFees(address(0xFEE));
    }

    function withdrawCredit(uint256 seed) external {
        address account = seed % 2 == 0 ? renters[seed / 2 % 2] : owners[seed / 2 % 2];
        if (market.credits(account) == 0) return;
        vm.prank(account);
        market.withdrawCredit(address(token), address(0xC4ED));
    }

    // ── before the clock ─────────────────────────────────────────────────────────────────────────────────

    /// An `ahead` of nothing is no reservation.
    function create(uint256 who, uint32 duration, uint96 minCharge, bool later, uint256 ahead) external {
        if (_jobs.length == JOBS_MAX) return;
        // As often over at once as still to come.
        ahead = bound(ahead, 0, 2 hours);
        ahead = ahead < 1 hours ? 0 : ahead - 1 hours;
        Seen storage job = _jobs.push();
        job.terms = Terms({
            renter: renters[who % 2],
            controller: signer,
            resourceId: resources[who / 2 % 2],
            pricePerHour: PRICE,
            minCharge: uint96(bound(minCharge, 0, uint256(PRICE) * 600 / 3600)),
            maxDuration: uint32(bound(duration, 1, 3 hours)),
            notBefore: later ? uint40(vm.getBlockTimestamp() + ahead) : 0,
            cancelFeeBps: 0,
            specDigest: bytes32(0),
            flags: 0,
            salt: uint64(_jobs.length),
            extra: bytes32(0)
        });
        bool free = (later && ahead != 0) || !market.getResource(job.terms.resourceId).busy;
        bool refused = market.paused() || !free;
        uint256 before = token.balanceOf(address(market));
        if (!_do(job.terms.renter, abi.encodeCall(market.createJob, (job.terms)), refused, CREATE)) {
            _jobs.pop();
            return;
        }
        job.feeBps = market.feeBps();
        job.pulled = token.balanceOf(address(market)) - before;
        _move(job, Status.Created);
    }

    /// A job that runs, at one go.
    function begin(uint256 who, uint32 duration, uint96 minCharge) external {
        if (_jobs.length == JOBS_MAX) return;
        this.create(who, duration, minCharge, false, 0);
        if (_jobs.length != 0) this.start(_jobs.length - 1);
    }

    /// Nobody to do it to: the next job begins instead.
    function _idle(uint256 seed) private {
        this.begin(seed, uint32(seed >> 8), uint96(seed >> 64));
    }

    function accept(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Created);
        if (!found) return;
        bool late = vm.getBlockTimestamp() > job.since + 10 minutes;
        bool refused = late || market.getResource(job.terms.resourceId).busy;
        uint256 cover = _coverFor(job);
        if (!_do(signer, abi.encodeCall(market.acceptJob, (job.terms)), refused, ACCEPT)) return;
        job.cover = cover;
        _move(job, Status.Accepted);
    }

    function abandon(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Accepted);
        if (!found) return;
        (uint256 rich, uint256 fees) = _before(job);
        bytes memory call = byRenter
            ? abi.encodeCall(market.cancelJob, (job.terms))
            : abi.encodeCall(market.declineJob, (job.terms, "no"));
        if (!_do(byRenter ? job.terms.renter : signer, call, false, 0)) return;
        _after(job, rich, fees);
        _move(job, Status.Cancelled);
    }

    function start(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Accepted);
        if (!found) return;
        uint256 time = vm.getBlockTimestamp();
        bool refused = time < job.terms.notBefore || time > _startBy(job);
        if (job.status == Status.Created) refused = refused || market.getResource(job.terms.resourceId).busy;
        uint256 cover = job.status == Status.Created ? _coverFor(job) : job.cover;
        if (!_do(signer, _startCall(job.terms), refused, START)) return;
        (job.cover, job.started) = (cover, time);
        _move(job, Status.Running);
    }

    // ── on the clock ─────────────────────────────────────────────────────────────────────────────────────

    function pauseJob(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Running);
        if (!found) return _idle(seed);
        if (job.ran > _bought(job)) return;
        bool refused = job.gaps >= 24 hours;
        if (!_do(signer, abi.encodeCall(market.pauseJob, (job.terms)), refused, HOLD)) return;
        job.hand = vm.getBlockTimestamp();
        _move(job, Status.Paused);
    }

    /// A long pause at one go, so that a job's pauses come near to a day.
    function hold(uint256 seed, uint256 gap) external {
        this.pauseJob(seed);
        _elapse(bound(gap, 4 hours, 20 hours));
        this.resume(seed);
    }

    function report(uint256 seed, uint256 back) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Running);
        if (!found) return _idle(seed);
        uint256 time = vm.getBlockTimestamp();
        back = bound(back, 0, 11 minutes);
        uint40 lastSeen = uint40(time - back);
        bool refused = back > 10 minutes;
        uint256 unpaid = job.ran > job.paidSeconds ? job.ran - job.paidSeconds : 0;
        if (back > time - job.since) back = time - job.since;
        if (back > unpaid) back = unpaid;
        refused = refused || job.ran - back >= _bought(job);
        if (!_do(ORACLE, abi.encodeCall(market.reportSilence, (job.terms, lastSeen)), refused, SILENCE)) return;
        job.ran -= back;
        job.hand = time - back;
        _move(job, Status.Silent);
    }

    function resume(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Paused, Status.Silent);
        if (!found) return;
        bool went = _do(signer, abi.encodeCall(market.resumeJob, (job.terms)), _stale(job), HOLD);
        uint256 gap = vm.getBlockTimestamp() - job.hand;
        // Whether it should have gone on or not: how long it was held is measured by what the market lets pass.
        bool runs = market.getJob(market.jobIdOf(job.terms)).status == Status.Running;
        if (job.status == Status.Paused && runs) job.pauses += gap;
        if (!went) return;
        job.gaps += gap;
        _move(job, Status.Running);
    }

    function extend(uint256 seed, uint24 more) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Running);
        if (!found || job.ran >= _bought(job)) return;
        uint24 extra = job.extra + uint24(bound(more, 1, 1 hours));
        uint256 before = token.balanceOf(address(market));
        if (!_do(job.terms.renter, _extendCall(job.terms, extra), false, 0)) return;
        job.pulled += token.balanceOf(address(market)) - before;
        job.extra = extra;
    }

    function processPayment(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found) return _idle(seed);
        if (market.payableNow(job.terms) == 0) return;
        (uint256 rich, uint256 fees) = _before(job);
        if (!_do(signer, abi.encodeCall(market.processPayment, (job.terms)), false, 0)) return;
        job.paidSeconds = _payable(job);
        _after(job, rich, fees);
    }

    function complete(uint256 seed, uint256 how) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found) return _idle(seed);
        bool refused = job.status != Status.Running && _stale(job);
        Outcome[3] memory outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.AbortedByProvider];
        (uint256 rich, uint256 fees) = _before(job);
        bytes memory call = abi.encodeCall(market.completeJob, (job.terms, outcomes[how % 3], bytes32(0)));
        if (_do(signer, call, refused, HOLD)) _ended(job, outcomes[how % 3], rich, fees);
    }

    function stop(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found) return _idle(seed);
        (uint256 rich, uint256 fees) = _before(job);
        address by = byRenter ? job.terms.renter : signer;
        if (!_do(by, abi.encodeCall(market.stopJob, (job.terms)), false, 0)) return;
        _ended(job, Outcome.StoppedByRenter, rich, fees);
    }

    function close(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Silent);
        if (!found) return;
        (uint256 rich, uint256 fees) = _before(job);
        if (!_do(STRANGER, abi.encodeCall(market.closeJob, (job.terms)), !_closable(job), CLOSE)) return;
        if (job.status == Status.Created || job.status == Status.Accepted) {
            _after(job, rich, fees);
            _move(job, Status.Cancelled);
            return;
        }
        if (job.status == Status.Running) {
            // Not collected in time: what was processed stands, and the job is over.
            _after(job, rich, fees);
            (job.endSeconds, job.outcome) = (job.paidSeconds, Outcome.Silent);
            _move(job, Status.Final);
            return;
        }
        _ended(job, job.status == Status.Paused ? Outcome.AbortedByProvider : Outcome.Silent, rich, fees);
    }

    function finalize(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Ended, Status.Ended);
        if (!found) return;
        bool refused = vm.getBlockTimestamp() <= job.since + 1 hours;
        Terms[] memory batch = new Terms[](1);
        batch[0] = job.terms;
        (uint256 rich, uint256 fees) = _before(job);
        if (!_do(STRANGER, abi.encodeCall(market.finalize, (batch)), refused, FINALIZE)) return;
        _after(job, rich, fees);
        _move(job, Status.Final);
    }

    // ── who has no business here ─────────────────────────────────────────────────────────────────────────

    /// Every verb that is somebody's, by nobody, with the signatures that a party would bring.
    function intrude(uint256 seed, uint256 verb) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Ended);
        if (found) _do(STRANGER, _verb(job.terms, verb), true, STRANGERS);
    }

    /// A party's own verb on terms that are not quite what was agreed.
    function bend(uint256 seed, uint256 verb, uint256 field) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Ended);
        if (!found) return;
        Terms memory bent = job.terms;
        field %= 6;
        if (field == 0) bent.renter = STRANGER;
        else if (field == 1) bent.controller = STRANGER;
        else if (field == 2) bent.pricePerHour += 1;
        else if (field == 3) bent.maxDuration += 1;
        else if (field == 4) bent.minCharge += 1;
        else bent.resourceId = resources[1 - _resourceOf(job)];
        verb %= 10;
        // The first five verbs are the agent's, the others the renter's.
        _do(verb < 6 ? signer : bent.renter, _verb(bent, verb), true, OTHER_TERMS);
    }

    function _verb(Terms memory terms, uint256 verb) private view returns (bytes memory) {
        verb %= 12;
        if (verb == 0) return abi.encodeCall(market.acceptJob, (terms));
        if (verb == 1) return abi.encodeCall(market.declineJob, (terms, ""));
        if (verb == 2) return _startCall(terms);
        if (verb == 3) return abi.encodeCall(market.processPayment, (terms));
        if (verb == 4) return abi.encodeCall(market.completeJob, (terms, Outcome.Succeeded, bytes32(0)));
        if (verb == 5) return abi.encodeCall(market.pauseJob, (terms));
        if (verb == 6) return abi.encodeCall(market.cancelJob, (terms));
        if (verb == 7) return abi.encodeCall(market.stopJob, (terms));
        if (verb == 8) return abi.encodeCall(market.disputeJob, (terms, ""));
        if (verb == 9) return _extendCall(terms, 1 hours);
        if (verb == 10) return abi.encodeCall(market.resumeJob, (terms));
        return abi.encodeCall(market.reportSilence, (terms, uint40(vm.getBlockTimestamp())));
    }

    function _startCall(Terms memory terms) private view returns (bytes memory) {
        Ready memory ready = Ready({readyRecord: bytes32(0), at: uint40(vm.getBlockTimestamp())});
        bytes32 typeHash = keccak256("Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)");
        bytes32 structHash = keccak256(abi.encode(typeHash, market.jobIdOf(terms), ready.readyRecord, ready.at));
        return abi.encodeCall(market.startJob, (terms, ready, _sign(structHash)));
    }

    function _extendCall(Terms memory terms, uint24 extra) private view returns (bytes memory) {
        uint40 expiry = uint40(vm.getBlockTimestamp());
        bytes32 typeHash = keccak256("Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)");
        bytes memory signature = _sign(keccak256(abi.encode(typeHash, market.jobIdOf(terms), extra, expiry)));
        return abi.encodeCall(market.extendJob, (terms, extra, expiry, signature));
    }
}
