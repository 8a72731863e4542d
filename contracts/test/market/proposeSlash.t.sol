// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Resource} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract ProposeSlashTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", oracle));
        vm.prank(oracle);
        market.proposeSlash(resourceId, renter, 1, 1, "");
    }

    function test_RevertWhen_TheResourceIsUnknown() external {
        // it reverts with UnknownResource
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.UnknownResource.selector, KEY));
        vm.prank(admin);
        market.proposeSlash(KEY, renter, 1, 1, "");
    }

    function test_RevertWhen_TheAmountIsNothing() external {
        // it reverts with NothingDue
        expect(IMarketErrors.NothingDue.selector);
        propose(renter, 0, 0);
    }

    function test_RevertWhen_NobodyHadTheLoss() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        propose(address(0), 1, 1);
    }

    function test_RevertWhen_TheHarmedIsPartial() external {
        // it reverts with NotAllowed for the proposer and for oracles, and with BadPayout for the market
        expectNotAllowed(admin);
        propose(admin, 1, 1);
        expectNotAllowed(oracle);
        propose(oracle, 1, 1);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadPayout.selector, address(market)));
        propose(address(market), 1, 1);
    }

    function test_RevertWhen_ItIsOverAFifthOfTheUntiedStake() external {
        // it reverts with SlashTooHigh; tied stake cannot be touched
        uint256 most = STAKE / 5;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.SlashTooHigh.selector, most + 1, most));
        propose(renter, most + 1, 1);
        accepted();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.SlashTooHigh.selector, 1, 0));
        propose(renter, 1, 1);
    }

    function test_When_StakeIsFree() external {
        // it sets the amount apart, so that it can be neither tied nor unstaked
        uint256 most = STAKE / 5;
        vm.expectEmit(address(market));
        emit IMarketEvents.SlashProposed(1, resourceId, renter, most, 77, time() + 48 hours, "bafyproof");
        propose(renter, most, 77);
        Resource memory resource = market.getResource(resourceId);
        assertEq(resource.stake, STAKE);
        assertEq(resource.contested, most);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.NotEnoughStake.selector, STAKE, STAKE - most));
        vm.prank(owner);
        market.unstake(resourceId, uint72(STAKE));
        accepted();
        assertEq(market.getResource(resourceId).tied, STAKE - most);
    }

    function test_When_AllIsUnbonding() external {
        // it reaches it all the same: nobody escapes by unstaking
        vm.prank(owner);
        market.unstake(resourceId, uint72(STAKE));
        propose(renter, STAKE / 5, 0);
        Resource memory resource = market.getResource(resourceId);
        assertEq(resource.unbonding, STAKE - STAKE / 5);
        assertEq(resource.contested, STAKE / 5);
        assertEq(resource.stake, STAKE);
        skip(14 days);
        vm.prank(owner);
        market.withdrawStake(resourceId, owner);
        assertEq(token.balanceOf(owner), STAKE - STAKE / 5);
    }

    function propose(address harmed, uint256 amount, uint128 loss) private {
        vm.prank(admin);
        market.proposeSlash(resourceId, harmed, uint72(amount), loss, "bafyproof");
    }
}
