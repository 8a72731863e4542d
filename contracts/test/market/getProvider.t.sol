// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract GetProviderTest is MarketTest {
    function test_When_TheProviderIsKnown() external view {
        // it tells owner, agent and payout
        (address owner_, address agent_, address payout_) = market.getProvider(1);
        assertEq(owner_, owner);
        assertEq(agent_, agent);
        assertEq(payout_, payout);
    }

    function test_When_TheProviderIsUnknown() external view {
        // it is all zero
        (address owner_, address agent_, address payout_) = market.getProvider(2);
        assertEq(owner_, address(0));
        assertEq(agent_, address(0));
        assertEq(payout_, address(0));
    }
}
