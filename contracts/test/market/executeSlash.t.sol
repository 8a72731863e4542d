// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, SLASH_DISMISSED, SLASH_EXECUTED} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ExecuteSlashTest is MarketTest {
    function setUp() public override {
        super.setUp();
        vm.prank(admin);
        market.proposeSlash(resourceId, renter, 1000, 4000, "");
    }

    function test_RevertWhen_ThereIsNoProposal() external {
        // it reverts with WrongSlashStatus
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 2, 0));
        market.executeSlash(2);
    }

    function test_RevertWhen_TwoDaysAreNotOver() external {
        // it reverts with TooEarly
        skip(48 hours);
        expectTooEarly(START + 48 hours);
        market.executeSlash(1);
    }

    function test_RevertWhen_AJudgeMayStillDecide() external {
        // it reverts with TooEarly
        contest();
        skip(48 hours + 7 days);
        expectTooEarly(START + 48 hours + 7 days);
        market.executeSlash(1);
    }

    function test_When_NobodyContested() external {
        // it pays the harmed no more than the amount, for anyone
        skip(48 hours + 1);
        vm.prank(stranger);
        market.executeSlash(1);
        assertEq(token.balanceOf(renter), PURSE + 1000);
        assertEq(token.balanceOf(0x000000000000000000000000000000000000dEaD), 0);
        assertEq(market.getSlash(1).status, SLASH_EXECUTED);
    }

    function test_When_NoJudgeDecided() external {
        // it dismisses the proposal
        contest();
        skip(48 hours + 7 days + 1);
        market.executeSlash(1);
        assertEq(market.getSlash(1).status, SLASH_DISMISSED);
        assertEq(market.getResource(resourceId).stake, STAKE);
        assertEq(market.getResource(resourceId).contested, 0);
        assertEq(token.balanceOf(renter), PURSE);
    }

    function contest() private {
        vm.prank(owner);
        market.contestSlash(1, "");
    }
}
