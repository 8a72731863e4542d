// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SettleDisputeTest is MarketTest {
    function test_RevertWhen_TheJobIsNotDisputed() external {
        // it reverts with WrongStatus
        Terms memory t = completed();
        skip(30 days);
        expectWrongStatus(t, Status.Ended);
        market.settleDispute(t);
    }

    function test_RevertWhen_AJudgeMayStillAnswer() external {
        // it reverts with TooEarly
        Terms memory t = disputed();
        skip(7 days);
        expectTooEarly(START + 100 + 7 days);
        market.settleDispute(t);
    }

    function test_When_NoJudgeAnswered() external {
        // it splits the pot for anyone and returns the bond
        Terms memory t = disputed();
        skip(7 days + 1);
        uint256 fromCover = netOf(100 * SECOND) - netOf(50 * SECOND);
        vm.expectEmit(address(market));
        emit IMarketEvents.DisputeResolved(market.jobIdOf(t), stranger, 5000, 50 * SECOND, fromCover, "");
        vm.prank(stranger);
        market.settleDispute(t);
        assertStatus(t, Status.Final);
        assertEq(token.balanceOf(renter), PURSE - 50 * SECOND);
        assertEq(market.fees(), feeOf(50 * SECOND));
        assertEq(market.getResource(resourceId).tied, 0);
    }
}
