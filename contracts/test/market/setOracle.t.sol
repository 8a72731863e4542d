// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetOracleTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", oracle));
        vm.prank(oracle);
        market.setOracle(stranger, true);
    }

    function test_RevertWhen_TheOracleIsZero() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        vm.prank(admin);
        market.setOracle(address(0), true);
    }

    function test_When_AnOracleIsRemoved() external {
        // it reports no more
        Terms memory t = running();
        vm.expectEmit(address(market));
        emit IMarketEvents.OracleChanged(oracle, false);
        vm.prank(admin);
        market.setOracle(oracle, false);
        assertFalse(market.isOracle(oracle));
        expectNotAllowed(oracle);
        report(t, time());
    }
}
