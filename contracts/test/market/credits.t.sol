// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreditsTest is MarketTest {
    function test_When_ARefundFails() external {
        // it is what could not be delivered
        Terms memory t = created();
        vm.mockCallRevert(address(token), abi.encodeCall(token.transfer, (renter, LOCKED)), "blocked");
        vm.prank(renter);
        market.cancelJob(t);
        assertEq(market.credits(renter), LOCKED);
        assertEq(market.credits(stranger), 0);
    }
}
