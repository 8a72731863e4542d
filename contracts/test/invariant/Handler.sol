// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {IMarket, Listing, Outcome, Ready, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";

/// A job as the test remembers it: a stopwatch that ticks while the job runs, and what was seen to move.
struct Seen {
    Terms terms;
    Status status;
    Outcome outcome;
    uint16 feeBps;
    uint24 extra;
    uint256 since;
    uint256 ran;
    uint256 gaps;
    uint256 pauses;
    uint256 hand;
    uint256 paidSeconds;
    uint256 endSeconds;
    uint256 pulled;
    uint256 paid;
    uint256 returned;
    uint256 fee;
}

/// Walks the market through random histories of several renters, providers and jobs. It decides by its own model what
/// must work, so that every revert is a finding; money is read off balances, not off the market's words.
contract Handler is Test {
    uint256 public constant JOBS_MAX = 12;
    uint72 private constant PRICE = 3_700_123;
    uint256 private constant KEY = uint256(keccak256("a key for every signature"));
    address private constant ADMIN = address(0xAD);
    address private constant ORACLE = address(0x3A7);

    IMarket public immutable market;
    BlockingToken public immutable token;
    address private immutable signer = vm.addr(KEY);
    address[2] public renters = [address(0x1001), address(0x1002)];
    address[2] public owners = [address(0x2001), address(0x2002)];
    address[2] public payouts = [address(0x3001), address(0x3002)];
    bytes32[2] public resources;
    uint256 public donated;
    mapping(Status => uint256) public reached;
    Seen[] private _jobs;
    Seen private _none;

    constructor(IMarket market_, BlockingToken token_) {
        (market, token) = (market_, token_);
        for (uint256 i = 0; i < 2; ++i) {
            token.mint(renters[i], 1e18);
            vm.prank(renters[i]);
            token.approve(address(market), type(uint256).max);
            vm.startPrank(owners[i]);
            market.registerProvider(signer, payouts[i]);
            Listing memory unit;
            unit.pricePerHour = PRICE;
            resources[i] = market.registerResource(unit);
            vm.stopPrank();
        }
    }

    function count() external view returns (uint256) {
        return _jobs.length;
    }

    function jobAt(uint256 i) external view returns (Seen memory) {
        return _jobs[i];
    }

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
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.acceptJob(job.terms);
        if (!refused) _move(job, Status.Accepted);
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
        vm.prank(signer);
        if (refused) vm.expectRevert();
        market.startJob(job.terms, ready, signature);
        if (!refused) _move(job, Status.Running);
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
        job.paidSeconds = _onClock(job);
        _after(job, rich, fees);
    }

    function complete(uint256 seed, uint256 how) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found || (job.status != Status.Running && _stale(job))) return;
        Outcome[3] memory outcomes = [Outcome.Succeeded, Outcome.Failed, Outcome.AbortedByProvider];
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(signer);
        market.completeJob(job.terms, outcomes[how % 3], bytes32(0));
        _finish(job, outcomes[how % 3], _onClock(job), rich, fees);
    }

    function stop(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Silent);
        if (!found) return;
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(byRenter ? job.terms.renter : signer);
        market.stopJob(job.terms);
        _finish(job, Outcome.StoppedByRenter, _onClock(job), rich, fees);
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
        uint256 ran = job.status == Status.Running ? job.paidSeconds : _onClock(job);
        _finish(job, job.status == Status.Paused ? Outcome.AbortedByProvider : Outcome.Silent, ran, rich, fees);
    }

    // ── the model ────────────────────────────────────────────────────────────────────────────────────────

    function _elapse(uint256 gap) private {
        skip(gap);
        for (uint256 i = 0; i < _jobs.length; ++i) {
            if (_jobs[i].status == Status.Running) _jobs[i].ran += gap;
        }
    }

    function _pick(uint256 seed, Status from, Status to) private view returns (bool, Seen storage) {
        uint256 n = _jobs.length;
        for (uint256 i = 0; i < n; ++i) {
            Seen storage job = _jobs[addmod(seed, i, n)];
            if (job.status >= from && job.status <= to) return (true, job);
        }
        return (false, _none);
    }

    function _bought(Seen storage job) private view returns (uint256) {
        return uint256(job.terms.maxDuration) + job.extra;
    }

    function _onClock(Seen storage job) private view returns (uint256) {
        if (job.ran == 0) return 1;
        return job.ran < _bought(job) ? job.ran : _bought(job);
    }

    function _stale(Seen storage job) private view returns (bool) {
        uint256 left = job.gaps < 24 hours ? 24 hours - job.gaps : 0;
        uint256 within = job.status == Status.Paused ? left : 10 minutes;
        return vm.getBlockTimestamp() > job.since + within;
    }

    function _startBy(Seen storage job) private view returns (uint256) {
        (uint256 since, uint256 notBefore) = (job.since, job.terms.notBefore);
        if (job.status == Status.Created) return notBefore > since ? notBefore + 60 minutes : since + 10 minutes;
        return (since > notBefore ? since : notBefore) + 60 minutes;
    }

    function _closable(Seen storage job) private view returns (bool) {
        uint256 time = vm.getBlockTimestamp();
        if (job.status < Status.Running) return time > _startBy(job);
        if (job.status == Status.Running) return job.ran > _bought(job) + 2 hours;
        return _stale(job);
    }

    function _wealth(Seen storage job) private view returns (uint256 renter, uint256 provider) {
        uint256 i = job.terms.resourceId == resources[0] ? 0 : 1;
        renter = token.balanceOf(job.terms.renter) + market.credits(job.terms.renter);
        provider = token.balanceOf(payouts[i]) + market.credits(owners[i]);
    }

    function _before(Seen storage job) private view returns (uint256 rich, uint256 fees) {
        (uint256 renter, uint256 provider) = _wealth(job);
        return (renter << 128 | provider, market.fees());
    }

    function _after(Seen storage job, uint256 rich, uint256 fees) private {
        (uint256 renter, uint256 provider) = _wealth(job);
        job.returned += renter - (rich >> 128);
        job.paid += provider - uint256(uint128(rich));
        job.fee += market.fees() - fees;
    }

    function _finish(Seen storage job, Outcome outcome, uint256 ran, uint256 rich, uint256 fees) private {
        _after(job, rich, fees);
        job.outcome = outcome;
        job.endSeconds = ran;
        _move(job, Status.Final);
    }

    function _move(Seen storage job, Status status) private {
        job.status = status;
        job.since = vm.getBlockTimestamp();
        ++reached[status];
    }

    function _sign(bytes32 structHash) private view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain =
            keccak256(abi.encode(typeHash, keccak256("Bourse Market"), keccak256("1"), block.chainid, address(market)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
