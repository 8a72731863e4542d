// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketEvents} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetMinBondTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", stranger));
        vm.prank(stranger);
        market.setMinBond(1);
    }

    function test_When_ARoleHolderSetsIt() external {
        // it is the least bond from now on
        vm.expectEmit(address(market));
        emit IMarketEvents.MinBondChanged(5);
        vm.prank(admin);
        market.setMinBond(5);
        assertEq(market.minBond(), 5);
    }
}
