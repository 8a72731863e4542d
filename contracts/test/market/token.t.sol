// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract TokenTest is MarketTest {
    function test_When_TheMarketIsDeployed() external view {
        // it is the settlement token for good
        assertEq(market.token(), address(token));
    }
}
