// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ResourceIdOfTest is MarketTest {
    function test_When_OwnerAndKeyAreGiven() external view {
        // it is keccak256(abi.encode(owner, key))
        assertEq(market.resourceIdOf(owner, KEY), keccak256(abi.encode(owner, KEY)));
        assertEq(market.resourceIdOf(owner, KEY), resourceId);
    }
}
