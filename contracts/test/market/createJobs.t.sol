// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreateJobsTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        vm.prank(renter);
        market.createJobs(three());
    }

    function test_RevertWhen_OneOfThemIsBad() external {
        // it reverts and creates none
        Terms[] memory all = three();
        all[2].maxDuration = 0;
        expectBadTerms("maxDuration");
        vm.prank(renter);
        market.createJobs(all);
        assertStatus(all[0], Status.None);
        assertEq(token.balanceOf(renter), PURSE);
    }

    function test_RevertWhen_TwoAreEqual() external {
        // it reverts with JobExists
        Terms[] memory all = three();
        all[2].salt = all[1].salt;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.JobExists.selector, market.jobIdOf(all[1])));
        vm.prank(renter);
        market.createJobs(all);
    }

    function test_When_AllAreGood() external {
        // it creates each and locks the sum
        Terms[] memory all = three();
        vm.prank(renter);
        market.createJobs(all);
        for (uint256 i = 0; i < all.length; ++i) {
            assertStatus(all[i], Status.Created);
        }
        assertEq(held(), 3 * LOCKED);
    }

    function three() private view returns (Terms[] memory all) {
        all = new Terms[](3);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = terms();
            all[i].salt = uint64(100 + i);
        }
    }
}
