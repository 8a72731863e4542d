// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {State, Status} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract GetJobTest is MarketTest {
    function test_When_TheJobIsUnknown() external view {
        // it is all zero
        assertEq(uint8(market.getJob(KEY).status), uint8(Status.None));
    }

    function test_When_TheJobIsOver() external {
        // it keeps the final seconds for good
        State memory job = jobOf(completed());
        assertEq(uint8(job.status), uint8(Status.Ended));
        assertEq(job.startedAt, START);
        assertEq(job.endedAt, START + 100);
        assertEq(job.paidSeconds, 100);
        assertEq(job.feeBps, FEE_BPS);
        assertEq(job.coverSeconds, 1 hours);
    }
}
