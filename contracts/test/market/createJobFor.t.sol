// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Order, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract CreateJobForTest is MarketTest {
    address private matcher = makeAddr("matcher");

    function test_RevertWhen_TheMarketIsPaused() external {
        // it reverts with MarketPaused
        bytes memory signature = signOrder(renterKey, order());
        vm.prank(admin);
        market.pause();
        expect(IMarketErrors.MarketPaused.selector);
        fill(order(), signature, terms());
    }

    function test_RevertWhen_TheCallerIsNotTheMatcher() external {
        // it reverts with NotAllowed: an order is no bearer's cheque
        bytes memory signature = signOrder(renterKey, order());
        expectNotAllowed(stranger);
        vm.prank(stranger);
        market.createJobFor(order(), signature, terms());
    }

    function test_RevertWhen_TheOrderIsOver() external {
        // it reverts with TooLate
        bytes memory signature = signOrder(renterKey, order());
        skip(1 days + 1);
        expectTooLate(START + 1 days);
        fill(order(), signature, terms());
        rewind(1);
        fill(order(), signature, terms());
    }

    function test_RevertWhen_AnotherSigned() external {
        // it reverts with BadSignature
        bytes memory signature = signOrder(strangerKey, order());
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadSignature.selector, vm.addr(strangerKey)));
        fill(order(), signature, terms());
    }

    function test_RevertWhen_TheOrderWasChanged() external {
        // it reverts with BadSignature
        bytes memory signature = signOrder(renterKey, order());
        Order memory changed = order();
        changed.budget += 1;
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        fill(changed, signature, terms());
    }

    function test_RevertWhen_TheTermsAreNotWhatWasOrdered() external {
        // it reverts with BadOrder and the field
        bytes memory signature = signOrder(renterKey, order());
        for (uint256 i = 0; i < 7; ++i) {
            Terms memory t = terms();
            string memory field;
            if (i == 0) (t.renter, field) = (stranger, "renter");
            if (i == 1) (t.controller, field) = (stranger, "controller");
            if (i == 2) (t.specDigest, field) = (KEY, "specDigest");
            if (i == 3) (t.pricePerHour, field) = (PRICE + 101, "maxPrice");
            if (i == 4) (t.minCharge, field) = (MIN_CHARGE + 1, "maxMinCharge");
            if (i == 5) (t.maxDuration, field) = (DURATION + 1, "maxDuration");
            if (i == 6) (t.cancelFeeBps, field) = (10, "cancelFeeBps");
            vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadOrder.selector, field));
            fill(order(), signature, t);
        }
    }

    function test_RevertWhen_TheTermsAreBadByThemselves() external {
        // it reverts as createJob does
        bytes memory signature = signOrder(renterKey, order());
        Terms memory t = terms();
        t.flags = 1;
        expectBadTerms("flags");
        fill(order(), signature, t);
        vm.prank(owner);
        market.updatePricing(resourceId, PRICE + 1);
        vm.expectPartialRevert(IMarketErrors.PriceTooLow.selector);
        fill(order(), signature, terms());
    }

    function test_RevertWhen_TheBudgetIsSpent() external {
        // it reverts with OverBudget, over all orders under the nonce and after refunds
        bytes memory signature = signOrder(renterKey, order());
        Terms memory t = terms();
        fill(order(), signature, t);
        vm.prank(renter);
        market.cancelJob(t);
        t.salt = 2;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.OverBudget.selector, LOCKED, LOCKED / 2));
        fill(order(), signature, t);
        t.maxDuration = DURATION / 2;
        fill(order(), signature, t);
        assertEq(market.orderSpent(renter, 7), LOCKED + LOCKED / 2);
        Order memory second = order();
        second.expiry += 1;
        bytes memory again = signOrder(renterKey, second);
        t.salt = 3;
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.OverBudget.selector, LOCKED / 2, 0));
        fill(second, again, t);
    }

    function test_When_TheMatcherKeepsToTheOrder() external {
        // it locks the renter's money
        bytes memory signature = signOrder(renterKey, order());
        Terms memory t = terms();
        bytes32 jobId = market.jobIdOf(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobCreated(jobId, resourceId, renter, FEE_BPS, t);
        vm.expectEmit(address(market));
        emit IMarketEvents.OrderFilled(jobId, renter, 7, LOCKED);
        fill(order(), signature, t);
        assertStatus(t, Status.Created);
        assertEq(token.balanceOf(renter), PURSE - LOCKED);
        assertEq(held(), LOCKED);
    }

    function test_RevertWhen_TheRenterAllowedTooLittle() external {
        // it reverts with the token's own error and spends nothing
        bytes memory signature = signOrder(renterKey, order());
        vm.prank(renter);
        token.approve(address(market), LOCKED - 1);
        vm.expectRevert();
        fill(order(), signature, terms());
        assertEq(market.orderSpent(renter, 7), 0);
    }

    function order() private view returns (Order memory) {
        return Order({
            renter: renter,
            matcher: matcher,
            controller: controller,
            specDigest: keccak256("spec"),
            needsDigest: keccak256("needs"),
            maxPrice: PRICE + 100,
            maxMinCharge: MIN_CHARGE,
            maxDuration: DURATION,
            budget: uint128(LOCKED + LOCKED / 2),
            expiry: uint40(START + 1 days),
            nonce: 7
        });
    }

    function signOrder(uint256 key, Order memory o) private view returns (bytes memory) {
        bytes32 typeHash = keccak256(
            "Order(address renter,address matcher,address controller,bytes32 specDigest,bytes32 needsDigest,uint96 maxPrice,uint96 maxMinCharge,uint32 maxDuration,uint128 budget,uint40 expiry,uint256 nonce)"
        );
        return signMarket(key, keccak256(abi.encode(typeHash, o)));
    }

    function fill(Order memory o, bytes memory signature, Terms memory t) private {
        vm.prank(matcher);
        market.createJobFor(o, signature, t);
    }
}
