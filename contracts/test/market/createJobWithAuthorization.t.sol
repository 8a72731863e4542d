// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreateJobWithAuthorizationTest is MarketTest {
    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        submit(terms(), "");
    }

    function test_When_TheRenterSignedForThisJob() external {
        // it takes the renter's money, whoever submits
        withoutAllowance();
        Terms memory t = terms();
        submit(t, authorization(renterKey, t));
        assertStatus(t, Status.Created);
        assertEq(token.balanceOf(renter), PURSE - LOCKED);
        assertTrue(token.authorizationState(renter, market.jobIdOf(t)));
    }

    function test_RevertWhen_TheAuthorizationIsForOtherTerms() external {
        // it reverts: a stolen signature buys only what its owner meant
        Terms memory t = terms();
        bytes memory signature = authorization(renterKey, t);
        t.controller = stranger;
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        submit(t, signature);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts
        Terms memory t = terms();
        bytes memory signature = authorization(strangerKey, t);
        vm.expectRevert(abi.encodeWithSignature("ERC3009InvalidSignature()"));
        submit(t, signature);
    }

    function test_RevertWhen_ItIsSubmittedTwice() external {
        // it reverts with JobExists
        Terms memory t = terms();
        bytes memory signature = authorization(renterKey, t);
        submit(t, signature);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.JobExists.selector, market.jobIdOf(t)));
        submit(t, signature);
    }

    function test_RevertWhen_ItIsTakenToTheTokenDirectly() external {
        // it reverts: only the market may use it
        Terms memory t = terms();
        bytes memory signature = authorization(renterKey, t);
        bytes32 nonce = market.jobIdOf(t);
        vm.expectRevert();
        vm.prank(stranger);
        token.receiveWithAuthorization(renter, address(market), LOCKED, 0, type(uint256).max, nonce, signature);
    }

    function withoutAllowance() private {
        vm.prank(renter);
        token.approve(address(market), 0);
    }

    function authorization(uint256 key, Terms memory t) private view returns (bytes memory) {
        return signReceive(key, renter, address(market), LOCKED, market.jobIdOf(t));
    }

    function submit(Terms memory t, bytes memory signature) private {
        vm.prank(stranger);
        market.createJobWithAuthorization(t, 0, type(uint256).max, signature);
    }
}
