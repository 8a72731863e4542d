// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

/// What jobs and verdicts come to, against plain arithmetic that knows seconds and nothing else.
contract VerdictsTest is MarketTest {
    struct Story {
        uint72 price;
        uint96 minCharge;
        uint72 free;
        uint16 feeBps;
        uint32 duration;
        uint16[6] gaps; //     seconds until the next step
        uint8[6] steps; //     0 pay, 1 pause, 2 resume, else wait
        uint8 end;
        uint16 waited; //      after the end
        uint8 verdict;
        bool byRenter;
    }

    struct Seconds_ {
        uint256 ran;
        uint256 old;
        uint256 cover;
        uint256 paid;
    }

    /// What a verdict must come to.
    struct Sum {
        uint256 pot;
        uint256 returned;
        uint256 net;
        uint256 fee;
        uint256 fromCover;
    }

    function testFuzz_AVerdictMovesWhatPlainArithmeticSays(Story memory story) external {
        (Terms memory t, uint256 staked) = played(story);
        uint16 share = uint16(story.verdict % 3) * 5000;
        Sum memory sum = sumOf(t, share);
        vm.assume(sum.pot != 0);
        (uint256 renterHad, uint256 providerHad) = (token.balanceOf(renter), token.balanceOf(payout));
        open(t, story.byRenter, sum.pot);
        resolve(t, share);

        assertStatus(t, Status.Final);
        assertEq(market.getResource(t.resourceId).stake, staked - sum.fromCover, "stake");
        assertEq(market.getResource(t.resourceId).tied, 0, "tie");
        assertEq(market.fees(), sum.fee, "fee");
        uint256 lostByRenter = story.byRenter && share == 10_000 ? sum.pot / 10 : 0;
        uint256 wonByRenter = !story.byRenter && share == 0 ? sum.pot / 10 : 0;
        assertEq(token.balanceOf(renter) + lostByRenter, renterHad + sum.returned + wonByRenter, "renter");
        assertEq(token.balanceOf(payout), sum.net + sum.fromCover + lostByRenter, "provider");
        assertGe(token.balanceOf(payout), providerHad, "nobody reaches into a purse");
        assertEq(token.balanceOf(address(market)), STAKE + staked - sum.fromCover + sum.fee, "nothing is left");
    }

    function sumOf(Terms memory t, uint16 share) private view returns (Sum memory sum) {
        State memory job = jobOf(t);
        Seconds_ memory s = secondsOf(t, job);
        uint256 stands = s.paid > s.cover ? s.paid - s.cover : 0;
        if (s.old > stands) stands = s.old;
        uint256 total = earned(t, job, s.ran);
        sum.pot = total - earned(t, job, stands);
        sum.returned = sum.pot - sum.pot * share / 10_000;
        sum.fee = (total - sum.returned) * job.feeBps / 10_000;
        sum.net = total - sum.returned - sum.fee;
        uint256 received = token.balanceOf(payout);
        sum.fromCover = received > sum.net ? received - sum.net : 0;
        assertLe(sum.fromCover, (uint256(t.pricePerHour) * s.cover + 3599) / 3600, "the tie suffices");
    }

    function open(Terms memory t, bool byRenter, uint256 pot) private {
        vm.prank(admin);
        token.mint(owner, pot);
        vm.prank(owner);
        token.approve(address(market), pot);
        dispute(t, byRenter ? renter : owner);
    }

    function testFuzz_WithoutADisputeTheTotalFollowsFromTheSeconds(Story memory story) external {
        (Terms memory t, uint256 staked) = played(story);
        State memory job = jobOf(t);
        Seconds_ memory s = secondsOf(t, job);
        uint256 total = earned(t, job, s.ran);
        skip(WINDOW + 1);
        finalize(t);
        assertEq(token.balanceOf(payout), total - total * job.feeBps / 10_000, "provider");
        assertEq(market.fees(), total * job.feeBps / 10_000, "fee");
        assertEq(token.balanceOf(renter), PURSE - total, "renter");
        assertEq(token.balanceOf(address(market)), STAKE + staked + market.fees(), "nothing is left");
    }

    /// A job on a resource of its own that was paid, paused and ended somehow.
    function played(Story memory story) private returns (Terms memory t, uint256 staked) {
        vm.prank(admin);
        market.setFee(uint16(bound(story.feeBps, 0, 500)));
        t = unstaked();
        t.pricePerHour = uint72(bound(story.price, PRICE, 1e10));
        t.minCharge = uint96(bound(story.minCharge, 0, uint256(t.pricePerHour) / 6));
        t.maxDuration = uint32(bound(story.duration, 1, 5 hours));
        staked = bound(story.free, 1, 2 * uint256(t.pricePerHour));
        stake(staked);
        create(t);
        start(t);
        for (uint256 i = 0; i < story.steps.length; ++i) {
            skip(bound(story.gaps[i], 0, 1 hours));
            Status status = jobOf(t).status;
            uint8 step = story.steps[i] % 5;
            if (step == 0 && market.payableNow(t) != 0) pay(t);
            bool runs = status == Status.Running && time() <= START + t.maxDuration;
            vm.startPrank(agent);
            if (step == 1 && runs) market.pauseJob(t);
            if (step == 2 && status == Status.Paused) market.resumeJob(t);
            vm.stopPrank();
        }
        if (story.end % 3 == 0) complete(t, Outcome.Succeeded);
        if (story.end % 3 == 1) complete(t, Outcome.AbortedByProvider);
        if (story.end % 3 == 2) stop(t);
        skip(bound(story.waited, 0, WINDOW));
    }

    function stop(Terms memory t) private {
        vm.prank(renter);
        market.stopJob(t);
    }

    function secondsOf(Terms memory t, State memory job) private view returns (Seconds_ memory s) {
        s.ran = uint256(job.endedAt) - job.startedAt - job.pausedSeconds;
        if (s.ran == 0) s.ran = 1;
        if (s.ran > t.maxDuration) s.ran = t.maxDuration;
        uint256 first = uint256(job.startedAt) + job.pausedSeconds + WINDOW;
        s.old = time() > first ? time() - first : 0;
        if (s.old > s.ran) s.old = s.ran;
        (s.cover, s.paid) = (job.coverSeconds, job.paidSeconds);
    }

    function earned(Terms memory t, State memory job, uint256 seconds_) private pure returns (uint256 amount) {
        if (seconds_ == 0) return 0;
        amount = uint256(t.pricePerHour) * seconds_ / 3600;
        bool left = job.outcome == Outcome.AbortedByProvider && job.paidSeconds == 0;
        if (!left && amount < t.minCharge) amount = t.minCharge;
        uint256 locked = uint256(t.pricePerHour) * t.maxDuration / 3600;
        if (amount > locked) amount = locked;
    }
}
