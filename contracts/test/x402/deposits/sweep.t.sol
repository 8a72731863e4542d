// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, IMarketErrors, Status, Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {JobDepositsTest} from "./JobDepositsTest.sol";

contract SweepTest is JobDepositsTest {
    function test_RevertWhen_TooLittleHasArrived() external {
        // it reverts with DepositShort, to the last unit
        Terms memory t = terms();
        pay(t, LOCKED - 1);
        vm.expectRevert(abi.encodeWithSelector(IJobDeposits.DepositShort.selector, LOCKED, LOCKED - 1));
        deposits.sweep(t);
    }

    function test_When_ThePriceHasArrived() external {
        // it creates the job of the renter who is named, whoever sweeps
        Terms memory t = terms();
        bytes32 jobId = market.jobIdOf(t);
        address account = pay(t, LOCKED);
        vm.expectEmit(address(deposits));
        emit IJobDeposits.DepositSwept(jobId, account, LOCKED, 0);
        vm.prank(stranger);
        assertEq(deposits.sweep(t), jobId);
        assertStatus(t, Status.Created);
        assertEq(token.balanceOf(renter), PURSE, "the renter paid nothing");
        assertEmpty(t);
    }

    function test_When_MoreHasArrived() external {
        // it sends the excess to the renter and leaves nothing behind
        Terms memory t = terms();
        address account = pay(t, LOCKED);
        vm.prank(client);
        token.transfer(account, 77);
        deposits.sweep(t);
        assertStatus(t, Status.Created);
        assertEq(token.balanceOf(renter), PURSE + 77);
        assertEmpty(t);
    }

    function test_When_ThePaymentIsAnAuthorizationOfAStandardClient() external {
        // it becomes the job, whoever broadcasts it
        Terms memory t = terms();
        address account = deposits.depositAddress(t);
        bytes32 typeHash = keccak256(
            "TransferWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
        );
        bytes32 structHash =
            keccak256(abi.encode(typeHash, client, account, LOCKED, 0, type(uint256).max, keccak256("random")));
        bytes memory signature = sign(clientKey, token.DOMAIN_SEPARATOR(), structHash);
        vm.prank(stranger);
        token.transferWithAuthorization(client, account, LOCKED, 0, type(uint256).max, keccak256("random"), signature);
        deposits.sweep(t);
        assertStatus(t, Status.Created);
    }

    function test_When_TheJobEndsEarly() external {
        // it refunds the renter who is named, not the client
        Terms memory t = terms();
        pay(t, LOCKED);
        deposits.sweep(t);
        vm.prank(renter);
        market.cancelJob(t);
        assertEq(token.balanceOf(renter), PURSE + LOCKED);
        assertEq(token.balanceOf(client), PURSE - LOCKED);
    }

    function test_RevertWhen_ItWasSweptBefore() external {
        // it reverts with JobExists; what arrived since goes back
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.prank(stranger);
        deposits.sweep(t);
        pay(t, LOCKED);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.JobExists.selector, market.jobIdOf(t)));
        deposits.sweep(t);
        deposits.returnDeposit(t);
        assertEq(token.balanceOf(renter), PURSE + LOCKED);
        assertEmpty(t);
    }

    function test_RevertWhen_TheJobCannotBeCreated() external {
        // it reverts with the market's reason and keeps the money where it is
        Terms memory t = terms();
        pay(t, LOCKED);
        vm.prank(agent);
        market.updateAvailability(resourceId, false);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceUnavailable.selector, resourceId));
        deposits.sweep(t);
        assertEq(token.balanceOf(deposits.depositAddress(t)), LOCKED);
    }

    function test_RevertWhen_OtherTermsAreSwept() external {
        // it reverts with DepositShort: money at one address buys one job and no other
        pay(terms(), LOCKED);
        Terms memory t = terms();
        t.renter = stranger;
        vm.expectRevert(abi.encodeWithSelector(IJobDeposits.DepositShort.selector, LOCKED, 0));
        vm.prank(stranger);
        deposits.sweep(t);
    }

    function test_When_SomebodyDonatesToTheFactory() external {
        // it buys nobody anything
        vm.prank(client);
        token.transfer(address(deposits), LOCKED);
        Terms memory t = terms();
        vm.expectRevert(abi.encodeWithSelector(IJobDeposits.DepositShort.selector, LOCKED, 0));
        deposits.sweep(t);
        pay(t, LOCKED);
        deposits.sweep(t);
        assertEq(token.balanceOf(address(deposits)), LOCKED, "out of reach");
    }
}
