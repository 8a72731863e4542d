// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Status} from "../../src/interfaces/IMarket.sol";
import {Model, Seen} from "./Model.sol";

/// Disputes and their verdicts.
abstract contract CourtHandler is Model {
    function setMinBond(uint128 amount) external {
        minBond = bound(amount, 0, PRICE / 10);
        vm.prank(ADMIN);
        market.setMinBond(uint128(minBond));
    }

    function dispute(uint256 seed, bool byRenter) external {
        (bool found, Seen storage job) = _pick(seed, Status.Running, Status.Ended);
        if (!found) return;
        bool ends = job.status != Status.Ended;
        uint256 ran = ends ? _onClock(job) : job.endSeconds;
        uint256 pot = _potOf(job, ran);
        bool refused = pot == 0 || (!ends && vm.getBlockTimestamp() > job.since + 1 hours);
        address opener = byRenter ? job.terms.renter : owners[_resourceOf(job)];
        (uint256 rich, uint256 fees) = _before(job);
        if (!_do(opener, abi.encodeCall(market.disputeJob, (job.terms, "")), refused, DISPUTE)) return;
        (job.opener, job.pot, job.bond) = (opener, pot, pot / 10 > minBond ? pot / 10 : minBond);
        // The opener's own purse pays the bond; the renter's receives what is unearned.
        (uint256 renter, uint256 provider) = _wealth(job);
        job.returned += renter + (byRenter ? job.bond : 0) - (rich >> 128);
        job.paid += provider - uint256(uint128(rich));
        job.fee += market.fees() - fees;
        if (ends) (job.endSeconds, job.outcome) = (ran, Outcome.Disputed);
        _move(job, Status.Disputed);
    }

    /// Earned, but for seconds that are too old or were paid without cover.
    function _potOf(Seen storage job, uint256 ran) private view returns (uint256) {
        uint256 bare = job.paidSeconds > job.cover ? job.paidSeconds - job.cover : 0;
        uint256 old = _old(job);
        return earned(job, ran) - earned(job, old > bare ? old : bare);
    }

    /// By the judge, or by default.
    function resolve(uint256 seed, uint8 how) external {
        (bool found, Seen storage job) = _pick(seed, Status.Disputed, Status.Disputed);
        if (!found) return;
        uint256 total = market.getResource(job.terms.resourceId).stake;
        uint256 owner = token.balanceOf(owners[_resourceOf(job)]);
        (uint256 rich, uint256 fees) = _before(job);
        if (!_judge(job, how % 4)) return;
        uint256 had = job.returned;
        _after(job, rich, fees);
        job.taken = total - market.getResource(job.terms.resourceId).stake;
        staked[_resourceOf(job)] -= job.taken;
        uint256 share = how % 4 == 3 ? 5000 : how % 4 * 5000;
        job.lost = job.pot - job.pot * share / 10_000;
        _bondBack(job, share, token.balanceOf(owners[_resourceOf(job)]) - owner, job.returned - had);
        _move(job, Status.Final);
    }

    /// Nothing, half or all by the judge, or half by default.
    function _judge(Seen storage job, uint256 how) private returns (bool) {
        bool refused = how == 3 && vm.getBlockTimestamp() <= job.since + 7 days;
        bytes memory call = how == 3
            ? abi.encodeCall(market.settleDispute, (job.terms))
            : abi.encodeCall(market.resolveDispute, (job.terms, uint16(how * 5000), ""));
        return _do(ADMIN, call, refused, DEFAULT_VERDICT);
    }

    /// Takes the bond out of what the job came to. An owner that gets its own bond back has it at its own address, where
    /// no pay goes; `toOwner` is what arrived there, and `toRenter` what the renter got by the verdict in all.
    function _bondBack(Seen storage job, uint256 share, uint256 toOwner, uint256 toRenter) private {
        bool opened = job.opener == job.terms.renter;
        bool renters_ = opened ? share != 10_000 : share == 0;
        bool purse = !opened && !renters_;
        _flawIf(toOwner != (purse ? job.bond : 0), BOND_GOES);
        _flawIf(toRenter != job.lost + (renters_ ? job.bond : 0), BOND_GOES);
        if (renters_) job.returned -= job.bond < job.returned ? job.bond : job.returned;
        else if (!purse) job.paid -= job.bond < job.paid ? job.bond : job.paid;
        job.bond = 0;
    }

    /// A verdict by who is no judge, or one that no judge may give.
    function misjudge(uint256 seed, uint16 share, bool stranger) external {
        (bool found, Seen storage job) = _pick(seed, Status.Disputed, Status.Disputed);
        if (!found) return;
        share = stranger ? (share % 3) * 5000 : uint16(bound(share, 1, 4999));
        address by = stranger ? job.opener : ADMIN;
        _do(by, abi.encodeCall(market.resolveDispute, (job.terms, share, "")), true, JUDGES);
    }

    /// Long enough for the default.
    function wait(uint256 gap) external {
        _elapse(bound(gap, 1 days, 8 days));
    }
}
