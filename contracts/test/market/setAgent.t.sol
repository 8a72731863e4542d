// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetAgentTest is MarketTest {
    function test_RevertWhen_TheCallerIsNoProvider() external {
        // it reverts with UnknownProvider
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownProvider.selector, agent));
        vm.prank(agent);
        market.setAgent(stranger);
    }

    function test_RevertWhen_TheAgentIsZero() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        vm.prank(owner);
        market.setAgent(address(0));
    }

    function test_When_TheOwnerNamesAnAgent() external {
        // it takes effect at once, for jobs that exist too, and the old agent is out
        Terms memory t = created();
        vm.expectEmit(address(market));
        emit IMarketEvents.AgentChanged(1, stranger);
        vm.prank(owner);
        market.setAgent(stranger);
        expectNotAllowed(agent);
        vm.prank(agent);
        market.acceptJob(t);
        vm.prank(stranger);
        market.acceptJob(t);
        assertStatus(t, Status.Accepted);
    }
}
