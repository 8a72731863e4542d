// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Dispute, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract GetDisputeTest is MarketTest {
    function test_When_ThereIsNone() external view {
        // it is empty
        assertEq(market.getDispute(KEY).opener, address(0));
    }

    function test_When_OneIsOpen() external {
        // it tells who opened it when, about how much and on which bond
        Terms memory t = disputed();
        Dispute memory dispute_ = market.getDispute(market.jobIdOf(t));
        assertEq(dispute_.opener, renter);
        assertEq(dispute_.openedAt, time());
        assertEq(dispute_.pot, 100 * SECOND);
        assertEq(dispute_.bond, 10 * SECOND);
    }
}
