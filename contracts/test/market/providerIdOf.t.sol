// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ProviderIdOfTest is MarketTest {
    function test_When_TheOwnerIsUnknown() external view {
        // it is zero
        assertEq(market.providerIdOf(agent), 0);
    }

    function test_When_TheOwnerIsRegistered() external view {
        // it counts from one
        assertEq(market.providerIdOf(owner), 1);
    }
}
