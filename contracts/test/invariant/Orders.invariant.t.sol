// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Campaign} from "./Campaign.sol";
import {OrderHandler, Ordered} from "./OrderHandler.sol";
import {Rules} from "./Rules.sol";

/// Orders, authorisations and reservations: what a renter's signature is good for, and what a cancellation costs.
contract OrdersCampaign is Campaign {
    OrderHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new OrderHandler();
        targetContract(address(handler));
    }

    function rules() internal view override returns (Rules) {
        return handler;
    }

    function invariant_orders() external view {
        Ordered[] memory jobs = handler.jobs();
        check_14();
        check_49();
        check_50();
        check_51();
        check_52();
        check_53();
        check_54();
        check_57();
        check_58();
        check_48();
        check_55(jobs);
        check_56(jobs);
        check_59();
        check_60(jobs);
    }

    /// 48. What is spent under a nonce is what was locked under it, and never more than the budget.
    function check_48() private view numbered(48) {
        for (uint256 nonce = 0; nonce < handler.NONCES(); ++nonce) {
            uint256 spent = handler.market().orderSpent(handler.renter(), nonce);
            assertEq(spent, handler.spent(nonce), "48: spent");
            assertLe(spent, handler.BUDGET(), "48: budget");
        }
    }

    /// 49. No order is filled beyond its budget.
    function check_49() private view numbered(49) {
        assertFlawless(49, "49: over budget");
    }

    /// 50. Nobody but its matcher fills an order.
    function check_50() private view numbered(50) {
        assertFlawless(50, "50: stranger");
    }

    /// 51. No order is filled with terms that leave it in one field.
    function check_51() private view numbered(51) {
        assertFlawless(51, "51: other terms");
    }

    /// 52. No order is filled late.
    function check_52() private view numbered(52) {
        assertFlawless(52, "52: late");
    }

    /// 53. No order is filled but with its renter's signature.
    function check_53() private view numbered(53) {
        assertFlawless(53, "53: forged");
    }

    /// 54. `canCreate` says what `createJob` does.
    function check_54() private view numbered(54) {
        assertFlawless(54, "54: canCreate");
    }

    /// 55. Who cancels gets back the lock but for the fee that is due; whose job is declined, all of it.
    function check_55(Ordered[] memory jobs) private view numbered(55) {
        for (uint256 i = 0; i < jobs.length; ++i) {
            Ordered memory job = jobs[i];
            if (job.status == 3) assertEq(job.back, job.locked - job.due, "55: back");
        }
    }

    /// 56. A provider gets the fee less the platform's part: a quarter of the lock at most, and no more than was listed.
    function check_56(Ordered[] memory jobs) private view numbered(56) {
        assertFlawless(56, "56: listed");
        for (uint256 i = 0; i < jobs.length; ++i) {
            Ordered memory job = jobs[i];
            if (job.status != 3) continue;
            assertEq(job.paid, job.due - job.due * 200 / 10_000, "56: paid");
            assertLe(job.paid, job.locked / 4, "56: a quarter");
            assertLe(job.paid, job.locked * job.listedFee / 10_000, "56: above the listing");
        }
    }

    /// 57. Only watched reservations carry a cancel fee, within the listing's.
    function check_57() private view numbered(57) {
        assertFlawless(57, "57: cancel fee");
    }

    /// 58. An authorisation buys the job that it was signed for, once, whoever submits it.
    function check_58() private view numbered(58) {
        assertFlawless(58, "58: authorisation");
    }

    /// 59. The platform's part of cancel fees is booked, and nothing else.
    function check_59() private view numbered(59) {
        assertEq(handler.market().fees(), handler.feesDue(), "59: fees");
    }

    /// 60. What is held is open locks and fees.
    function check_60(Ordered[] memory jobs) private view numbered(60) {
        uint256 owed = handler.feesDue();
        for (uint256 i = 0; i < jobs.length; ++i) {
            if (jobs[i].status != 3) owed += jobs[i].locked;
        }
        assertEq(handler.token().balanceOf(address(handler.market())), owed, "60: held");
    }
}
