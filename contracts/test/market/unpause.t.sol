// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents, Status} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract UnpauseTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", stranger));
        vm.prank(stranger);
        market.unpause();
    }

    function test_When_ARoleHolderUnpauses() external {
        // it takes orders again
        vm.startPrank(admin);
        market.pause();
        vm.expectEmit(address(market));
        emit IMarketEvents.PauseChanged(false);
        market.unpause();
        vm.stopPrank();
        assertFalse(market.paused());
        assertStatus(created(), Status.Created);
    }
}
