// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, Outcome, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";
import {Forwarder} from "../doubles/Forwarder.sol";
import {HookedToken} from "../doubles/HookedToken.sol";

/// A settlement token that calls back in the middle of a transfer.
contract ReentrancyTest is MarketTest {
    HookedToken private hooked;
    Forwarder private party;

    function setUp() public override {
        super.setUp();
        hooked = new HookedToken();
        deployMarket(address(hooked));
        party = new Forwarder();
        hooked.mint(renter, PURSE);
        hooked.mint(address(party), PURSE);
        vm.prank(renter);
        hooked.approve(address(market), type(uint256).max);
        party.forward(address(hooked), abi.encodeCall(hooked.approve, (address(market), type(uint256).max)));
        stake(STAKE);
    }

    function test_ACreateInsideACreateIsRefused() external {
        Terms memory inner = terms();
        inner.salt = 2;
        arm(abi.encodeCall(market.createJob, (inner)));
        Terms memory t = created();
        assertFalse(hooked.lastCallSucceeded());
        assertStatus(t, Status.Created);
        assertStatus(inner, Status.None);
        assertEq(hooked.balanceOf(address(market)) - STAKE, LOCKED);
    }

    function test_ACreateIsNotPaidWithTheRefundOfAnotherJob() external {
        Terms memory own = terms();
        own.renter = address(party);
        own.salt = 2;
        party.forward(address(market), abi.encodeCall(market.createJob, (own)));
        arm(abi.encodeCall(market.cancelJob, (own)));
        Terms memory t = terms();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongAmountReceived.selector, LOCKED, 0));
        create(t);
    }

    function test_APayoutIsNotPaidTwice() external {
        Terms memory t = running();
        vm.prank(owner);
        market.setAgent(address(party));
        skip(100);
        arm(abi.encodeCall(market.processPayment, (t)));
        party.forward(address(market), abi.encodeCall(market.processPayment, (t)));
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payout), netOf(100 * SECOND));
    }

    function test_AnEndIsNotPaidTwice() external {
        Terms memory t = running();
        vm.prank(owner);
        market.setAgent(address(party));
        skip(100);
        bytes memory again = abi.encodeCall(market.completeJob, (t, Outcome.Succeeded, RESULT));
        arm(again);
        party.forward(address(market), again);
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payout), netOf(100 * SECOND));
        assertEq(hooked.balanceOf(renter), PURSE - 100 * SECOND);
        assertEq(hooked.balanceOf(address(market)) - STAKE, feeOf(100 * SECOND));
    }

    function test_ACancelIsNotRefundedTwice() external {
        Terms memory t = terms();
        t.renter = address(party);
        party.forward(address(market), abi.encodeCall(market.createJob, (t)));
        created();
        arm(abi.encodeCall(market.cancelJob, (t)));
        party.forward(address(market), abi.encodeCall(market.cancelJob, (t)));
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(address(market)) - STAKE, LOCKED);
    }

    function test_AFinalizationIsNotPaidTwice() external {
        Terms memory t = unstaked();
        create(t);
        start(t);
        skip(100);
        complete(t, Outcome.Succeeded);
        skip(WINDOW + 1);
        Terms[] memory batch = new Terms[](1);
        batch[0] = t;
        arm(abi.encodeCall(market.finalize, (batch)));
        market.finalize(batch);
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payout), netOf(100 * SECOND));
        assertEq(market.fees(), feeOf(100 * SECOND));
    }

    function test_ABondIsNotPaidWithTheRefundOfAnotherJob() external {
        Terms memory own = terms();
        own.renter = address(party);
        own.salt = 2;
        party.forward(address(market), abi.encodeCall(market.createJob, (own)));
        start(own);
        skip(100);
        complete(own, Outcome.Succeeded);
        Terms memory other = terms();
        other.renter = address(party);
        other.salt = 3;
        party.forward(address(market), abi.encodeCall(market.createJob, (other)));
        // While the bond is pulled, the party cancels: the refund must not be taken for a part of the bond.
        arm(abi.encodeCall(market.cancelJob, (other)));
        vm.expectRevert("forwarded call failed");
        party.forward(address(market), abi.encodeCall(market.disputeJob, (own, "")));
        hooked.arm(address(0), "");
        party.forward(address(market), abi.encodeCall(market.disputeJob, (own, "")));
        assertStatus(own, Status.Disputed);
    }

    function test_AVerdictIsNotPaidTwice() external {
        Terms memory t = running();
        vm.prank(owner);
        market.setAgent(address(party));
        skip(100);
        dispute(t, renter);
        skip(7 days + 1);
        bytes memory again = abi.encodeCall(market.settleDispute, (t));
        arm(again);
        party.forward(address(market), again);
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(payout), netOf(50 * SECOND));
        assertEq(hooked.balanceOf(renter), PURSE - 50 * SECOND);
        assertEq(hooked.balanceOf(address(market)) - STAKE, feeOf(50 * SECOND));
    }

    function test_StakeIsNotWithdrawnTwice() external {
        party.forward(address(market), abi.encodeCall(market.registerProvider, (agent, payout)));
        party.forward(address(market), abi.encodeCall(market.registerResource, (listing())));
        bytes32 own = market.resourceIdOf(address(party), KEY);
        party.forward(address(market), abi.encodeCall(market.stake, (own, 1000)));
        party.forward(address(market), abi.encodeCall(market.unstake, (own, 1000)));
        skip(14 days);
        arm(abi.encodeCall(market.withdrawStake, (own, stranger)));
        party.forward(address(market), abi.encodeCall(market.withdrawStake, (own, stranger)));
        assertFalse(hooked.lastCallSucceeded());
        assertEq(hooked.balanceOf(stranger), 1000);
    }

    function test_AStakeInsideAStakeIsRefused() external {
        hooked.mint(address(party), 10);
        arm(abi.encodeCall(market.stake, (resourceId, 10)));
        party.forward(address(market), abi.encodeCall(market.stake, (resourceId, 10)));
        assertFalse(hooked.lastCallSucceeded());
        assertEq(market.getResource(resourceId).stake, STAKE + 10);
    }

    /// The party's next step, taken in the middle of the next transfer.
    function arm(bytes memory call) private {
        hooked.arm(address(party), abi.encodeCall(party.forward, (address(market), call)));
    }
}
