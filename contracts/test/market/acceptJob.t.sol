// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract AcceptJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed, for the owner too
        Terms memory t = created();
        expectNotAllowed(owner);
        vm.prank(owner);
        market.acceptJob(t);
    }

    function test_RevertWhen_TheJobIsNotCreated() external {
        // it reverts with WrongStatus
        Terms memory t = accepted();
        expectWrongStatus(t, Status.Accepted);
        accept(t);
    }

    function test_RevertWhen_TenMinutesAreOver() external {
        // it reverts with TooLate
        Terms memory t = created();
        skip(10 minutes + 1);
        expectTooLate(START + 10 minutes);
        accept(t);
    }

    function test_RevertWhen_TheResourceIsBusy() external {
        // it reverts with ResourceBusy: one unit carries one job
        Terms memory t = created();
        Terms memory other = terms();
        other.salt = 2;
        create(other);
        accept(t);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        accept(other);
    }

    function test_When_ThereIsNoStake() external {
        // it ties nothing
        Terms memory t = unstaked();
        create(t);
        accept(t);
        assertEq(jobOf(t).coverSeconds, 0);
        assertEq(market.getResource(resourceId).tied, 0);
    }

    function test_When_TheStakeIsShort() external {
        // it ties as many seconds as it pays for, rounded up in money
        Terms memory t = unstaked();
        stake(10 * SECOND + 999);
        t.pricePerHour = PRICE + 3599;
        create(t);
        accept(t);
        assertEq(jobOf(t).coverSeconds, 10);
        assertEq(market.getResource(resourceId).tied, 10 * SECOND + 10);
    }

    function test_When_TheJobIsShort() external {
        // it ties no more than the job can cost
        Terms memory t = terms();
        t.maxDuration = 90;
        create(t);
        accept(t);
        assertEq(jobOf(t).coverSeconds, 90);
        assertEq(market.getResource(resourceId).tied, 90 * SECOND);
    }

    function test_When_StakeIsTiedToAJobThatIsNotFinal() external {
        // it ties what is left
        stake(10 * SECOND);
        completed();
        Terms memory t = terms();
        t.salt = 2;
        create(t);
        accept(t);
        assertEq(jobOf(t).coverSeconds, 10);
        assertEq(market.getResource(resourceId).tied, STAKE + 10 * SECOND);
    }

    function testFuzz_When_PriceAndStakeVary(uint72 price, uint72 free, uint32 duration) external {
        // it never ties more than there is, nor less than any run of the covered seconds costs
        Terms memory t = unstaked();
        t.pricePerHour = uint72(bound(price, PRICE, 1e11));
        t.maxDuration = uint32(bound(duration, 1, 30 days));
        uint256 amount = bound(free, 1, 2e11);
        stake(amount);
        create(t);
        accept(t);
        uint256 cover = jobOf(t).coverSeconds;
        uint256 tied = market.getResource(resourceId).tied;
        assertLe(tied, amount);
        assertGe(tied * 3600, t.pricePerHour * cover);
        bool longest = cover == WINDOW || cover == t.maxDuration;
        assertTrue(longest || uint256(t.pricePerHour) * (cover + 1) > amount * 3600, "as much as there is");
    }

    function test_When_ItIsInTime() external {
        // it marks the resource busy and ties an hour of stake
        Terms memory t = created();
        skip(10 minutes);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobAccepted(market.jobIdOf(t), 1 hours);
        accept(t);
        assertStatus(t, Status.Accepted);
        assertEq(jobOf(t).since, time());
        assertBusy(true);
    }
}
