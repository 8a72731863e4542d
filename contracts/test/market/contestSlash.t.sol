// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, SLASH_CONTESTED} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ContestSlashTest is MarketTest {
    function setUp() public override {
        super.setUp();
        vm.prank(admin);
        market.proposeSlash(resourceId, renter, 1000, 400, "");
    }

    function test_RevertWhen_ThereIsNoProposal() external {
        // it reverts with WrongSlashStatus
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 2, 0));
        contest(2);
    }

    function test_RevertWhen_TheCallerIsNotTheOwner() external {
        // it reverts with NotAllowed, for the agent too
        expectNotAllowed(agent);
        vm.prank(agent);
        market.contestSlash(1, "");
    }

    function test_RevertWhen_TwoDaysAreOver() external {
        // it reverts with TooLate
        skip(48 hours + 1);
        expectTooLate(START + 48 hours);
        contest(1);
    }

    function test_RevertWhen_ItIsContestedAlready() external {
        // it reverts with WrongSlashStatus
        contest(1);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongSlashStatus.selector, 1, SLASH_CONTESTED));
        contest(1);
    }

    function test_When_ItIsInTime() external {
        // it leaves the proposal to the judge
        skip(48 hours);
        vm.expectEmit(address(market));
        emit IMarketEvents.SlashContested(1, "bafyanswer");
        contest(1);
        assertEq(market.getSlash(1).status, SLASH_CONTESTED);
    }

    function contest(uint256 proposalId) private {
        vm.prank(owner);
        market.contestSlash(proposalId, "bafyanswer");
    }
}
