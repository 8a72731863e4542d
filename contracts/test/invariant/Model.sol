// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, Listing, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {BlockingToken} from "../doubles/BlockingToken.sol";
import {Rules} from "./Rules.sol";

/// A job as the test remembers it: a stopwatch that ticks while the job runs, and what was seen to move.
struct Seen {
    Terms terms;
    Status status;
    Outcome outcome;
    uint16 feeBps;
    uint24 extra;
    uint256 since;
    uint256 started;
    uint256 ran;
    uint256 gaps;
    uint256 pauses;
    uint256 hand;
    uint256 cover;
    uint256 paidSeconds;
    uint256 endSeconds;
    uint256 pulled;
    uint256 paid;
    uint256 returned;
    uint256 fee;
    address opener;
    uint256 bond;
    uint256 pot;
    uint256 lost; //   of the pot, by the verdict
    uint256 taken; //  from the stake
}

/// A slash as the test remembers it.
struct Slash {
    uint256 r;
    address harmed;
    uint256 amount;
    uint256 loss;
    uint256 until;
    uint256 status;
    uint256 fromUnbonding;
}

/// What the handler knows of the market without asking it: jobs, stopwatches, deadlines, stake and money seen to move.
abstract contract Model is Rules {
    uint256 public constant JOBS_MAX = 12;
    uint72 internal constant PRICE = 3_700_123;
    uint256 internal constant KEY = uint256(keccak256("a key for every signature"));
    address internal constant ADMIN = address(0xAD);
    address internal constant ORACLE = address(0x3A7);

    IMarket public immutable market;
    BlockingToken public immutable token;
    address internal immutable signer = vm.addr(KEY);
    address[2] public renters = [address(0x1001), address(0x1002)];
    address[2] public owners = [address(0x2001), address(0x2002)];
    address[2] public payouts = [address(0x3001), address(0x3002)];
    bytes32[2] public resources;
    /// All stake of a resource: free, tied, unbonding and contested.
    uint256[2] public staked;
    uint256[2] public unbonding;
    uint256[2] public contested;
    uint256[2] internal availableAt;
    uint256 public donated;
    uint256 public minBond;
    Slash[] internal _slashes;
    Seen[] internal _jobs;
    Seen private _none;

    constructor(IMarket market_, BlockingToken token_) {
        (market, token) = (market_, token_);
        for (uint256 i = 0; i < 2; ++i) {
            token.mint(renters[i], 1e18);
            token.mint(owners[i], 1e18);
            vm.prank(renters[i]);
            token.approve(address(market), type(uint256).max);
            vm.startPrank(owners[i]);
            market.registerProvider(signer, payouts[i]);
            Listing memory unit;
            unit.pricePerHour = PRICE;
            resources[i] = market.registerResource(unit);
            token.approve(address(market), type(uint256).max);
            vm.stopPrank();
        }
    }

    function jobs() external view returns (Seen[] memory) {
        return _jobs;
    }

    function _do(address from, bytes memory call, bool refused, uint256 check) internal returns (bool) {
        return _call({to: address(market), from: from, data: call, refused: refused, check: check});
    }

    // ── the model ────────────────────────────────────────────────────────────────────────────────────────

    function _elapse(uint256 gap) internal {
        skip(gap);
        for (uint256 i = 0; i < _jobs.length; ++i) {
            if (_jobs[i].status == Status.Running) _jobs[i].ran += gap;
        }
    }

    function _pick(uint256 seed, Status from, Status to) internal view returns (bool, Seen storage) {
        uint256 n = _jobs.length;
        for (uint256 i = 0; i < n; ++i) {
            Seen storage job = _jobs[addmod(seed, i, n)];
            if (job.status >= from && job.status <= to) return (true, job);
        }
        return (false, _none);
    }

    function _bought(Seen storage job) internal view returns (uint256) {
        return uint256(job.terms.maxDuration) + job.extra;
    }

    /// ⌈price · cover / 3600⌉.
    function tieOf(Seen memory job) public pure returns (uint256) {
        return (uint256(job.terms.pricePerHour) * job.cover + 3599) / 3600;
    }

    /// Stake of a resource that is tied to jobs that are not over.
    function tiedOf(uint256 r) public view returns (uint256 tied) {
        for (uint256 i = 0; i < _jobs.length; ++i) {
            bool open = _jobs[i].status >= Status.Accepted && _jobs[i].status <= Status.Disputed;
            if (open && _jobs[i].terms.resourceId == resources[r]) tied += tieOf(_jobs[i]);
        }
    }

    /// Stake that may be tied, or asked back.
    function freeOf(uint256 r) public view returns (uint256) {
        return staked[r] - unbonding[r] - contested[r] - tiedOf(r);
    }

    function _resourceOf(Seen storage job) internal view returns (uint256) {
        return job.terms.resourceId == resources[0] ? 0 : 1;
    }

    /// What accepting ties: an hour, the whole job, or what there is stake for.
    function _coverFor(Seen storage job) internal view returns (uint256) {
        uint256 r = _resourceOf(job);
        uint256 most = job.terms.maxDuration < 1 hours ? job.terms.maxDuration : 1 hours;
        uint256 seconds_ = freeOf(r) * 3600 / job.terms.pricePerHour;
        return seconds_ < most ? seconds_ : most;
    }

    /// Seconds on the clock that ran more than an hour ago.
    function _old(Seen storage job) internal view returns (uint256) {
        uint256 first = job.started + job.gaps + 1 hours;
        uint256 time = vm.getBlockTimestamp();
        uint256 old = time > first ? time - first : 0;
        return old < _onClock(job) ? old : _onClock(job);
    }

    function _payable(Seen storage job) internal view returns (uint256) {
        uint256 to = _old(job) + job.cover;
        if (to > _onClock(job)) to = _onClock(job);
        return to > job.paidSeconds ? to : job.paidSeconds;
    }

    function _cost(Seen storage job, uint256 seconds_) internal view returns (uint256) {
        return uint256(job.terms.pricePerHour) * seconds_ / 3600;
    }

    /// Nothing is paid before the seconds or the cover are worth the minimum, which nobody owes who left unpaid.
    function _mayPay(Seen storage job, uint256 to) internal view returns (bool) {
        if (to == 0) return false;
        if (_cost(job, to) >= job.terms.minCharge) return true;
        return !_waived(job) && _cost(job, job.cover) >= job.terms.minCharge;
    }

    /// What must have been paid up to a second.
    function _dueAt(Seen storage job, uint256 to) internal view returns (uint256) {
        if (to == 0) return 0;
        uint256 cost = _cost(job, to);
        if (cost < job.terms.minCharge) cost = job.terms.minCharge;
        return cost - cost * job.feeBps / 10_000;
    }

    function _waived(Seen memory job) internal pure returns (bool) {
        return job.paidSeconds == 0 && (job.outcome == Outcome.Silent || job.outcome == Outcome.AbortedByProvider);
    }

    function earned(Seen memory job, uint256 seconds_) public pure returns (uint256 amount) {
        if (seconds_ == 0) return 0;
        amount = uint256(job.terms.pricePerHour) * seconds_ / 3600;
        if (!_waived(job) && amount < job.terms.minCharge) amount = job.terms.minCharge;
        if (amount > job.pulled) amount = job.pulled;
    }

    function _onClock(Seen storage job) internal view returns (uint256) {
        if (job.ran == 0) return 1;
        return job.ran < _bought(job) ? job.ran : _bought(job);
    }

    function _stale(Seen storage job) internal view returns (bool) {
        uint256 left = job.gaps < 24 hours ? 24 hours - job.gaps : 0;
        uint256 within = job.status == Status.Paused ? left : 10 minutes;
        return vm.getBlockTimestamp() > job.since + within;
    }

    function _startBy(Seen storage job) internal view returns (uint256) {
        (uint256 since, uint256 notBefore) = (job.since, job.terms.notBefore);
        if (job.status == Status.Created) return notBefore > since ? notBefore + 60 minutes : since + 10 minutes;
        return (since > notBefore ? since : notBefore) + 60 minutes;
    }

    function _closable(Seen storage job) internal view returns (bool) {
        uint256 time = vm.getBlockTimestamp();
        if (job.status < Status.Running) return time > _startBy(job);
        if (job.status == Status.Running) return job.ran > _bought(job) + 2 hours;
        return _stale(job);
    }

    function _wealth(Seen storage job) internal view returns (uint256 renter, uint256 provider) {
        uint256 i = _resourceOf(job);
        renter = token.balanceOf(job.terms.renter) + market.credits(job.terms.renter);
        provider = token.balanceOf(payouts[i]) + market.credits(owners[i]);
    }

    function _before(Seen storage job) internal view returns (uint256 rich, uint256 fees) {
        (uint256 renter, uint256 provider) = _wealth(job);
        return (renter << 128 | provider, market.fees());
    }

    function _after(Seen storage job, uint256 rich, uint256 fees) internal {
        (uint256 renter, uint256 provider) = _wealth(job);
        job.returned += renter - (rich >> 128);
        job.paid += provider - uint256(uint128(rich));
        job.fee += market.fees() - fees;
    }

    /// After an end that may still be disputed.
    function _ended(Seen storage job, Outcome outcome, uint256 rich, uint256 fees) internal {
        _after(job, rich, fees);
        job.endSeconds = _onClock(job);
        job.outcome = outcome;
        uint256 to = _payable(job);
        // Seconds that a minimum has paid already are not paid again, nor marked as paid.
        if (_mayPay(job, to) && _dueAt(job, to) != _dueAt(job, job.paidSeconds)) job.paidSeconds = to;
        _move(job, Status.Ended);
    }

    function _move(Seen storage job, Status status) internal {
        job.status = status;
        job.since = vm.getBlockTimestamp();
    }

    function _sign(bytes32 structHash) internal view returns (bytes memory) {
        bytes32 typeHash =
            keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");
        bytes32 domain =
            keccak256(abi.encode(typeHash, keccak256("Bourse Market"), keccak256("1"), block.chainid, address(market)));
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(KEY, keccak256(abi.encodePacked(hex"1901", domain, structHash)));
        return abi.encodePacked(r, s, v);
    }
}
