// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {AccrualHarness} from "../harness/AccrualHarness.sol";

/// The money functions for any price, second and fee.
contract AccrualTest is Test {
    AccrualHarness private accrual = new AccrualHarness();

    function test_KnownValues() external view {
        assertEq(accrual.cost(3600, 7), 7);
        assertEq(accrual.cost(1, 3599), 0);
        assertEq(accrual.cost(1, 3600), 1);
        assertEq(accrual.cost(1_200_000, 1), 333);
        assertEq(accrual.earned(3600, 5, 1000, 0), 0);
        assertEq(accrual.earned(3600, 5, 1000, 1), 5);
        assertEq(accrual.earned(3600, 5, 1000, 6), 6);
        assertEq(accrual.earned(3600, 5, 1000, 2000), 1000);
        assertEq(accrual.earned(3600, 5, 3, 1), 3);
        assertEq(accrual.fee(999, 200), 19);
        assertEq(accrual.net(999, 200), 980);
    }

    function testFuzz_EarnedStaysInsideTheLockAndNeverFalls(
        uint96 price,
        uint96 minCharge,
        uint32 bought,
        uint32 a,
        uint32 b
    ) external view {
        (uint256 first, uint256 second) = a < b ? (a, b) : (b, a);
        uint256 locked = accrual.cost(price, bought);
        uint256 before = accrual.earned(price, minCharge, locked, first);
        uint256 later = accrual.earned(price, minCharge, locked, second);
        assertLe(before, later);
        assertLe(later, locked);
    }

    function testFuzz_NetNeverFallsAndSplitsWithoutARemainder(uint128 a, uint128 b, uint16 bps) external view {
        bps = uint16(bound(bps, 0, 500));
        (uint256 less, uint256 more) = a < b ? (a, b) : (b, a);
        assertLe(accrual.net(less, bps), accrual.net(more, bps));
        assertEq(accrual.net(more, bps) + accrual.fee(more, bps), more);
        assertEq(accrual.fee(more, bps), more * bps / 10_000);
    }
}
