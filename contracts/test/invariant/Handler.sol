// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, Outcome, Ready, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {CourtHandler} from "./CourtHandler.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {Model, Seen} from "./Model.sol";

/// Walks the market through random histories of several renters, providers and jobs. It decides by its own model what
/// must work, so that every revert is a finding; money is read off balances, not off the market's words.
contract Handler is CourtHandler {
    constructor(IMarket market_, BlockingToken token_) Model(market_, token_) {}

    // ── the world ────────────────────────────────────────────────────────────────────────────────────────

    /// Mostly minutes, so that jobs get somewhere; now and then long enough to miss a deadline, a pause's included.
    function elapse(uint256 gap, uint8 far) external {
        (bool held,) = _pick(gap, Status.Paused, Status.Paused);
        gap = bound(gap, 0, held && far < 96 ? 26 hours : far < 32 ? 2 hours : 5 minutes);
        _elapse(gap);
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

    function togglePause() external {
        vm.startPrank(ADMIN);
        market.paused() ? market.unpause() : market.pause();
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
        vm.prank(job.terms.renter);
        if (refused) vm.expectRevert();
        market.createJob(job.terms);
        if (refused) {
            _jobs.pop();
            return;
        }
        job.feeBps = market.feeBps();
        job.pulled = token.balanceOf(address(market)) - before;
        _move(job, Status.Created);
    }

    function accept(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Created);
        if (!found) return;
        bool late = vm.getBlockTimestamp() > job.since + 10 minutes;
        bool refused = late || market.getResource(job.terms.resourceId).busy;
        uint256 cover = _coverFor(job);
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.acceptJob(job.terms);
        if (refused) return;
        job.cover = cover;
        _move(job, Status.Accepted);
    }

    function abandon(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Accepted);
        if (!found) return;
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(byRenter ? job.terms.renter : signer);
        byRenter ? market.cancelJob(job.terms) : market.declineJob(job.terms, "no");
        _after(job, rich, fees);
        _move(job, Status.Cancelled);
    }

    function start(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Accepted);
        if (!found) return;
        uint256 time = vm.getBlockTimestamp();
        if (time < job.terms.notBefore) return;
        bool refused = time > _startBy(job);
        if (job.status == Status.Created) refused = refused || market.getResource(job.terms.resourceId).busy;
        Ready memory ready = Ready({readyRecord: bytes32(0), at: uint40(time)});
        bytes32 typeHash = keccak256("Ready(bytes32 jobId,bytes32 readyRecord,uint40 at)");
        bytes32 structHash = keccak256(abi.encode(typeHash, market.jobIdOf(job.terms), ready.readyRecord, ready.at));
        bytes memory signature = _sign(structHash);
        uint256 cover = job.status == Status.Created ? _coverFor(job) : job.cover;
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.startJob(job.terms, ready, signature);
        if (refused) return;
        (job.cover, job.started) = (cover, time);
        _move(job, Status.Running);
    }

    // ── on the clock ─────────────────────────────────────────────────────────────────────────────────────

    function pauseJob(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Running);
        if (!found || job.ran > _bought(job)) return;
        bool refused = job.gaps >= 24 hours;
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.pauseJob(job.terms);
        if (refused) return;
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
        if (!found) return;
        uint256 time = vm.getBlockTimestamp();
        back = bound(back, 0, 10 minutes);
        uint40 lastSeen = uint40(time - back);
        uint256 unpaid = job.ran > job.paidSeconds ? job.ran - job.paidSeconds : 0;
        if (back > time - job.since) back = time - job.since;
        if (back > unpaid) back = unpaid;
        bool refused = job.ran - back >= _bought(job);
        vm.prank(ORACLE);
        if (refused) vm.expectRevert();
        market.reportSilence(job.terms, lastSeen);
        if (refused) return;
        job.ran -= back;
        job.hand = time - back;
        _move(job, Status.Silent);
    }

    function resume(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Paused, Status.Silent);
        if (!found) return;
        bool refused = _stale(job);
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.resumeJob(job.terms);
        if (refused) return;
        uint256 gap = vm.getBlockTimestamp() - job.hand;
        job.gaps += gap;
        if (job.status == Status.Paused) job.pauses += gap;
        _move(job, Status.Running);
    }

    function extend(uint256 seed, uint24 more) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Running);
        if (!found || job.ran >= _bought(job)) return;
        uint24 extra = job.extra + uint24(bound(more, 1, 1 hours));
        uint40 expiry = uint40(vm.getBlockTimestamp());
        bytes32 typeHash = keccak256("Extend(bytes32 jobId,uint24 extraSeconds,uint40 expiry)");
        bytes memory signature = _sign(keccak256(abi.encode(typeHash, market.jobIdOf(job.terms), extra, expiry)));
        uint256 before = token.balanceOf(address(market));
        vm.prank(job.terms.renter);
        market.extendJob(job.terms, extra, expiry, signature);
        job.pulled += token.balanceOf(address(market)) - before;
        job.extra = extra;
    }

    function processPayment(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found || market.payableNow(job.terms) == 0) return;
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(signer);
        market.processPayment(job.terms);
        job.paidSeconds = _payable(job);
        _after(job, rich, fees);
    }

    function complete(uint256 seed, uint256 how) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found || (job.status != Status.Running && _stale(job))) return;
        Outcome[3] memory outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.AbortedByProvider];
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(signer);
        market.completeJob(job.terms, outcomes[how % 3], bytes32(0));
        _ended(job, outcomes[how % 3], rich, fees);
    }

    function stop(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found) return;
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(byRenter ? job.terms.renter : signer);
        market.stopJob(job.terms);
        _ended(job, Outcome.StoppedByRenter, rich, fees);
    }

    function close(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Created, Status.Silent);
        if (!found) return;
        bool refused = !_closable(job);
        (uint256 rich, uint256 fees) = _before(job);
        if (refused) vm.expectRevert();
        market.closeJob(job.terms);
        if (refused) return;
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
}
