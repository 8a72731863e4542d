// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Campaign} from "./Campaign.sol";
import {ChannelHandler} from "./ChannelHandler.sol";
import {Rules} from "./Rules.sol";

/// Payment channels between one payer and two receivers.
contract ChannelsCampaign is Campaign {
    uint256 private constant CHANNELS = 4;

    ChannelHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new ChannelHandler();
        handler.setUp();
        targetContract(address(handler));
        bytes4[] memory verbs = new bytes4[](10);
        verbs[0] = handler.pay.selector;
        verbs[1] = handler.claim.selector;
        verbs[2] = handler.settle.selector;
        verbs[3] = handler.refund.selector;
        verbs[4] = handler.close.selector;
        verbs[5] = handler.wish.selector;
        verbs[6] = handler.leave.selector;
        verbs[7] = handler.donate.selector;
        verbs[8] = handler.claimBoth.selector;
        verbs[9] = handler.intrude.selector;
        targetSelector(FuzzSelector({addr: address(handler), selectors: verbs}));
    }

    function rules() internal view override returns (Rules) {
        return handler;
    }

    function invariant_channels() external view {
        check_66();
        check_67();
        check_69();
        uint256 owed = handler.donated();
        uint256[2] memory claimedFor;
        for (uint256 i = 0; i < CHANNELS; ++i) {
            (uint128 balance, uint128 claimed, uint128 wished) = handler.stateOf(i);
            owed += balance - claimed;
            claimedFor[i % 2] += claimed;
            check_61(handler.bookOf(i), balance);
            check_62(handler.bookOf(i), balance, claimed);
            check_63(balance, wished);
            check_68(i);
        }
        for (uint256 i = 0; i < 2; ++i) {
            (uint128 due, uint128 settled) = handler.dueOf(i == 0);
            owed += due - settled;
            check_64(i == 0, due, settled, claimedFor[i]);
        }
        check_65(owed);
    }

    /// 61. A channel's balance is what was paid in less what was paid back.
    function check_61(ChannelHandler.Book memory book, uint128 balance) private view numbered(61) {
        assertEq(balance, book.paidIn - book.paidBack, "61: balance");
    }

    /// 62. What is claimed is the highest total that was ever sound, and so never more than the payer promised or paid.
    function check_62(ChannelHandler.Book memory book, uint128 balance, uint128 claimed) private view numbered(62) {
        assertEq(claimed, book.claimed, "62: the highest");
        assertLe(claimed, book.promised, "62: promised");
        assertLe(claimed, balance, "62: paid");
    }

    /// 63. No withdrawal is pending for more than the channel holds.
    function check_63(uint128 balance, uint128 wished) private view numbered(63) {
        assertLe(wished, balance, "63: wish");
    }

    /// 64. A receiver is due what was claimed in its channels, and has what was sent.
    function check_64(bool first, uint128 due, uint128 settled, uint256 claimed) private view numbered(64) {
        assertEq(due, claimed, "64: due");
        assertEq(handler.balanceOf(first), settled, "64: sent");
    }

    /// 65. Held = unclaimed + claimed and not sent + donations, to the unit.
    function check_65(uint256 owed) private view numbered(65) {
        assertEq(handler.held(), owed, "65: held");
    }

    /// 66. Nobody takes money out of a channel before its delay is over.
    function check_66() private view numbered(66) {
        assertFlawless(66, "66: too early");
    }

    /// 67. Neither side's verbs are anybody else's.
    function check_67() private view numbered(67) {
        assertFlawless(67, "67: stranger");
    }

    /// 68. Each refund uses up one nonce, and nothing gives one back.
    function check_68(uint256 which) private view numbered(68) {
        assertEq(handler.refundsOf(which), handler.bookOf(which).refunds, "68: nonces");
    }

    /// 69. A bad row does not hold up the one beside it.
    function check_69() private view numbered(69) {
        assertFlawless(69, "69: held up");
    }
}
