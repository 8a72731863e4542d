// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarket, IMarketErrors, Listing, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CourtTest is MarketTest {
    function test_When_TheMarketIsDeployed() external view {
        // it is the contract that the cold verbs are delegated to, for good
        assertEq(market.court(), court);
    }

    function test_RevertWhen_TheCourtSettlesInAnotherToken() external {
        // it reverts with WrongCourt at the deployment
        address other = deployCode("MarketCourt.sol:MarketCourt", abi.encode(authority));
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongCourt.selector, other));
        deployCode("Market.sol:Market", abi.encode(token, authority, FEE_BPS, other));
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongCourt.selector, stranger));
        deployCode("Market.sol:Market", abi.encode(token, authority, FEE_BPS, stranger));
    }

    function test_RevertWhen_TheCourtIsCalledAtItsOwnAddress() external {
        // it reverts with MarketPaused, or has no role to give
        IMarket alone = IMarket(court);
        vm.startPrank(owner);
        expect(IMarketErrors.MarketPaused.selector);
        alone.registerProvider(agent, payout);
        Listing memory unit = listing();
        expect(IMarketErrors.MarketPaused.selector);
        alone.registerResource(unit);
        vm.stopPrank();
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", admin));
        vm.prank(admin);
        alone.unpause();
    }

    function test_RevertWhen_NobodyKnowsTheVerb() external {
        // it reverts, with or without calldata
        (bool known,) = address(market).call(abi.encodeWithSignature("steal(address)", stranger));
        assertFalse(known);
        (bool empty,) = address(market).call("");
        assertFalse(empty);
        vm.deal(stranger, 1 ether);
        vm.prank(stranger);
        (bool paid,) = address(market).call{value: 1}("");
        assertFalse(paid);
    }

    function test_When_TheCourtWrites() external {
        // it writes the market's own slots, and the market reads them
        vm.prank(admin);
        market.setFee(123);
        assertEq(market.getJob(create(terms())).feeBps, 123);
        vm.prank(admin);
        market.pause();
        Terms memory t = terms();
        t.salt = 2;
        expect(IMarketErrors.MarketPaused.selector);
        create(t);
    }
}
