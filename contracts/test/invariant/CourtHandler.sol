// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {Model, Seen} from "./Model.sol";

/// What happens after a job's end, and to the stake behind it.
abstract contract CourtHandler is Model {
    function finalize(uint256 seed) external {
        (bool found, Seen storage job) = _pick(seed, Status.Ended, Status.Ended);
        if (!found) return;
        bool refused = vm.getBlockTimestamp() <= job.since + 1 hours;
        Terms[] memory batch = new Terms[](1);
        batch[0] = job.terms;
        (uint256 rich, uint256 fees) = _before(job);
        if (refused) vm.expectRevert();
        market.finalize(batch);
        if (refused) return;
        _after(job, rich, fees);
        _move(job, Status.Final);
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
        vm.prank(opener);
        if (refused) vm.expectRevert();
        market.disputeJob(job.terms, "");
        if (refused) return;
        (job.opener, job.pot, job.bond) = (opener, pot, pot / 10);
        // The opener's own purse pays the bond; the renter's receives what is unearned.
        (uint256 renter, uint256 provider) = _wealth(job);
        job.returned += renter + (byRenter ? job.bond : 0) - (rich >> 128);
        assertEq(provider, uint256(uint128(rich)), "no pay before the verdict");
        assertEq(market.fees(), fees, "no fee before the verdict");
        if (ends) (job.endSeconds, job.outcome) = (ran, Outcome.Disputed);
        _move(job, Status.Disputed);
    }

    /// Earned, but for seconds that are too old or were paid without cover.
    function _potOf(Seen storage job, uint256 ran) private view returns (uint256) {
        uint256 bare = job.paidSeconds > job.cover ? job.paidSeconds - job.cover : 0;
        uint256 old = _old(job);
        return earned(job, ran) - earned(job, old > bare ? old : bare);
    }

    function resolve(uint256 seed, uint8 how) external {
        (bool found, Seen storage job) = _pick(seed, Status.Disputed, Status.Disputed);
        if (!found) return;
        uint16 share = how % 4 == 3 ? 5000 : uint16(how % 4) * 5000;
        bool answered = how % 4 != 3;
        bool refused = !answered && vm.getBlockTimestamp() <= job.since + 7 days;
        uint256 total = market.getResource(job.terms.resourceId).stake;
        (uint256 rich, uint256 fees) = _before(job);
        vm.prank(ADMIN);
        if (refused) vm.expectRevert();
        answered ? market.resolveDispute(job.terms, share, "") : market.settleDispute(job.terms);
        if (refused) return;
        job.taken = total - market.getResource(job.terms.resourceId).stake;
        assertLe(job.taken, tieOf(job), "never more than the tie");
        staked[_resourceOf(job)] -= job.taken;
        job.lost = job.pot - job.pot * share / 10_000;
        _after(job, rich, fees);
        _bondBack(job, share);
        _move(job, Status.Final);
    }

    /// The bond is no part of what the job came to.
    function _bondBack(Seen storage job, uint16 share) private {
        bool byRenter = job.opener == job.terms.renter;
        if (byRenter ? share == 10_000 : share == 0) byRenter = !byRenter;
        // An owner that gets its own bond back is paid at its own address, where no pay goes.
        if (byRenter) job.returned -= job.bond;
        else if (job.opener == job.terms.renter) job.paid -= job.bond;
        job.bond = 0;
    }

    function stake(uint256 r, uint72 amount) external {
        r = r % 2;
        amount = uint72(bound(amount, 1, 2 * uint256(PRICE)));
        bool refused = market.paused();
        vm.prank(owners[r]);
        if (refused) vm.expectRevert();
        market.stake(resources[r], amount);
        if (!refused) staked[r] += amount;
    }

    function unstake(uint256 r, uint72 amount) external {
        r = r % 2;
        amount = uint72(bound(amount, 1, 3 * uint256(PRICE)));
        bool refused = amount > staked[r] - unbonding[r] - tiedOf(r);
        vm.prank(owners[r]);
        if (refused) vm.expectRevert();
        market.unstake(resources[r], amount);
        if (refused) return;
        unbonding[r] += amount;
        availableAt[r] = vm.getBlockTimestamp() + 14 days;
    }

    function withdrawStake(uint256 r, uint8 far) external {
        r = r % 2;
        if (far < 32) _elapse(14 days);
        bool refused = unbonding[r] == 0 || vm.getBlockTimestamp() < availableAt[r];
        address purse = address(0x57A4E);
        uint256 before = token.balanceOf(purse);
        vm.prank(owners[r]);
        if (refused) vm.expectRevert();
        market.withdrawStake(resources[r], purse);
        if (refused) return;
        assertEq(token.balanceOf(purse) - before, unbonding[r], "all that was unbonding");
        (staked[r], unbonding[r]) = (staked[r] - unbonding[r], 0);
    }
}
