// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {BlockingToken} from "../../doubles/BlockingToken.sol";
import {JobDepositsTest} from "./JobDepositsTest.sol";

contract ReturnTokenTest is JobDepositsTest {
    function test_RevertWhen_ItIsTheMarketsToken() external {
        // it reverts with DepositSweepable: that has a rule of its own
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.expectRevert(abi.encodeWithSelector(IJobDeposits.DepositSweepable.selector, market.jobIdOf(t)));
        deposits.returnToken(t, address(token));
    }

    function test_RevertWhen_NothingIsThere() external {
        // it reverts with NothingToReturn
        BlockingToken other = new BlockingToken();
        expect(IJobDeposits.NothingToReturn.selector);
        deposits.returnToken(terms(), address(other));
    }

    function test_When_AnotherTokenWasSent() external {
        // it goes to the renter, before and after the job
        Terms memory t = terms();
        BlockingToken other = new BlockingToken();
        other.mint(deposits.depositAddress(t), 9);
        deposits.returnToken(t, address(other));
        assertEq(other.balanceOf(renter), 9);
        pay(t, LOCKED);
        deposits.sweep(t);
        other.mint(deposits.depositAddress(t), 9);
        deposits.returnToken(t, address(other));
        assertEq(other.balanceOf(renter), 18);
    }
}
