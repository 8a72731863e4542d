// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Outcome, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract FeesTest is MarketTest {
    function test_When_JobsEnd() external {
        // it adds their fees up once they are final
        Terms memory first = completed();
        Terms memory t = terms();
        t.salt = 2;
        create(t);
        start(t);
        skip(333);
        complete(t, Outcome.Failed);
        assertEq(market.fees(), 0);
        skip(WINDOW + 1);
        finalize(first);
        finalize(t);
        assertEq(market.fees(), feeOf(100 * SECOND) + feeOf(333 * SECOND));
    }
}
