// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {ChannelHandler} from "./ChannelHandler.sol";

/// What holds of channels after any history.
contract ChannelsInvariantTest is Test {
    uint256 private constant CHANNELS = 4;

    ChannelHandler private handler;

    function setUp() public {
        handler = new ChannelHandler();
        handler.setUp();
        targetContract(address(handler));
        bytes4[] memory verbs = new bytes4[](8);
        verbs[0] = handler.pay.selector;
        verbs[1] = handler.claim.selector;
        verbs[2] = handler.settle.selector;
        verbs[3] = handler.refund.selector;
        verbs[4] = handler.close.selector;
        verbs[5] = handler.wish.selector;
        verbs[6] = handler.leave.selector;
        verbs[7] = handler.donate.selector;
        targetSelector(FuzzSelector({addr: address(handler), selectors: verbs}));
    }

    function invariant_channels() external view {
        uint256 owed = handler.donated();
        uint256[2] memory claimedFor;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            (uint128 balance, uint128 claimed, uint128 wished) = handler.stateOf(i);
            owed += balance - claimed;
            claimedFor[i % 2] += claimed;
            check_61_balances(handler.bookOf(i), balance);
            check_62_claims(handler.bookOf(i), balance, claimed);
            check_63_wishes(balance, wished);
        }
        for (uint256 i = 0; i < 2; ++i) {
            (uint128 due, uint128 settled) = handler.dueOf(i == 0);
            owed += due - settled;
            check_64_receivers(i == 0, due, settled, claimedFor[i]);
        }
        check_65_held(owed);
        check_66_delay();
    }

    /// 61. A channel's balance is what was paid in less what was paid back.
    function check_61_balances(ChannelHandler.Book memory book, uint128 balance) private pure {
        assertEq(balance, book.paidIn - book.paidBack, "61");
    }

    /// 62. What is claimed is the highest total that was ever sound, and so never more than the payer promised or paid.
    function check_62_claims(ChannelHandler.Book memory book, uint128 balance, uint128 claimed) private pure {
        assertEq(claimed, book.claimed, "62: the highest");
        assertLe(claimed, book.promised, "62: promised");
        assertLe(claimed, balance, "62: paid");
    }

    /// 63. No withdrawal is pending for more than the channel holds.
    function check_63_wishes(uint128 balance, uint128 wished) private pure {
        assertLe(wished, balance, "63");
    }

    /// 64. A receiver is due what was claimed in its channels, and has what was sent.
    function check_64_receivers(bool first, uint128 due, uint128 settled, uint256 claimed) private view {
        assertEq(due, claimed, "64: due");
        assertEq(handler.balanceOf(first), settled, "64: sent");
    }

    /// 65. Held = unclaimed + claimed and not sent + donations, to the unit.
    function check_65_held(uint256 owed) private view {
        assertEq(handler.held(), owed, "65");
    }

    /// 66. Nobody takes money out of a channel before its delay is over.
    function check_66_delay() private view {
        assertFalse(handler.leftTooEarly(), "66");
    }
}
