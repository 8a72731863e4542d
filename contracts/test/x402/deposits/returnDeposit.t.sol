// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {JobDepositsTest} from "./JobDepositsTest.sol";

contract ReturnDepositTest is JobDepositsTest {
    function test_RevertWhen_TheDepositBuysItsJob() external {
        // it reverts with DepositSweepable: nobody can undo a purchase
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.expectRevert(abi.encodeWithSelector(IJobDeposits.DepositSweepable.selector, market.jobIdOf(t)));
        vm.prank(renter);
        deposits.returnDeposit(t);
    }

    function test_RevertWhen_NothingIsThere() external {
        // it reverts with NothingToReturn
        expect(IJobDeposits.NothingToReturn.selector);
        deposits.returnDeposit(terms());
    }

    function test_When_TooLittleHasArrived() external {
        // it goes to the renter, whoever asks
        Terms memory t = terms();
        address account = pay(t, LOCKED - 1);
        vm.expectEmit(address(deposits));
        emit IJobDeposits.DepositReturned(market.jobIdOf(t), account, address(token), LOCKED - 1);
        vm.prank(stranger);
        deposits.returnDeposit(t);
        assertReturned(t, LOCKED - 1);
    }

    function test_When_TheListingIsBusy() external {
        // it goes to the renter: a deposit never sticks to a busy machine
        Terms memory t = terms();
        t.salt = 2;
        pay(t, LOCKED);
        running();
        uint256 before = token.balanceOf(renter);
        deposits.returnDeposit(t);
        assertEq(token.balanceOf(renter), before + LOCKED);
        assertEmpty(t);
    }

    function test_When_TheListingIsGoneOrDearer() external {
        // it goes to the renter
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE + 1);
        deposits.returnDeposit(t);
        assertReturned(t, LOCKED);
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE);
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        pay(t, LOCKED);
        deposits.returnDeposit(t);
        assertReturned(t, 2 * LOCKED);
    }

    function test_When_TheMarketIsPaused() external {
        // it goes to the renter
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.prank(admin);
        market.pause();
        deposits.returnDeposit(t);
        assertReturned(t, LOCKED);
    }

    function test_When_TheTermsWereNeverSound() external {
        // it goes to the renter
        Terms memory t = terms();
        t.controller = address(0);
        pay(t, LOCKED);
        deposits.returnDeposit(t);
        assertReturned(t, LOCKED);
    }

    function test_When_TheJobWasCreatedWithoutTheDeposit() external {
        // it goes to the renter: a front-run costs who runs
        Terms memory t = terms();
        pay(t, LOCKED);
        create(t);
        deposits.returnDeposit(t);
        assertEq(token.balanceOf(renter), PURSE);
        assertEmpty(t);
    }

    function test_When_MoneyArrivesAgain() external {
        // it goes to the renter again
        Terms memory t = terms();
        pay(t, 5);
        deposits.returnDeposit(t);
        pay(t, 6);
        deposits.returnDeposit(t);
        assertReturned(t, 11);
    }

    function assertReturned(Terms memory t, uint256 amount) private view {
        assertEq(token.balanceOf(renter), PURSE + amount);
        assertEmpty(t);
    }
}
