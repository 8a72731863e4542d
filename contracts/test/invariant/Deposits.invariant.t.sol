// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Campaign} from "./Campaign.sol";
import {DepositHandler} from "./DepositHandler.sol";
import {Rules} from "./Rules.sol";

/// Money that comes in by transfer: deposit addresses, tills, the market's wallet.
contract DepositsCampaign is Campaign {
    DepositHandler private handler;

    function setUp() public override {
        super.setUp();
        handler = new DepositHandler();
        targetContract(address(handler));
    }

    function rules() internal view override returns (Rules) {
        return handler;
    }

    function invariant_deposits() external view {
        check_14();
        check_71();
        check_73();
        check_74();
        check_75();
        check_76();
        check_79();
        check_80();
        check_70();
        check_72();
        check_77();
        check_78();
        check_81();
    }

    /// 70. The maker of deposit accounts holds nothing between two calls.
    function check_70() private view numbered(70) {
        assertEq(handler.token().balanceOf(address(handler.deposits())), 0, "70: held");
    }

    /// 71. A deposit account is left empty, swept or returned.
    function check_71() private view numbered(71) {
        assertFlawless(71, "71: left over");
    }

    /// 72. What came to a deposit account is there, locked for its job, or the renter's again; other tokens too.
    function check_72() private view numbered(72) {
        assertFlawless(72, "72: other token");
        uint256 locked;
        for (uint256 i = 0; i < handler.JOBS(); ++i) {
            DepositHandler.Book memory book = handler.bookOf(i);
            uint256 there = handler.token().balanceOf(handler.accountOf(i));
            assertEq(book.paidIn, there + book.locked + book.returned, "72: lost");
            locked += book.locked;
        }
        assertEq(handler.token().balanceOf(address(handler.market())), locked, "72: locked");
    }

    /// 73. A sweep creates its job with exactly its lock, if the market would take it.
    function check_73() private view numbered(73) {
        assertFlawless(73, "73: swept");
    }

    /// 74. A deposit that buys its job is not returned, by whatever door.
    function check_74() private view numbered(74) {
        assertFlawless(74, "74: returned");
    }

    /// 75. A deposit that is short is not swept.
    function check_75() private view numbered(75) {
        assertFlawless(75, "75: short");
    }

    /// 76. A deposit account hears nobody but its maker.
    function check_76() private view numbered(76) {
        assertFlawless(76, "76: command");
    }

    /// 77. A till has received what came to it, whatever was paid out since.
    function check_77() private view numbered(77) {
        assertEq(handler.till().received(address(handler.token())), handler.received(), "77: received");
    }

    /// 78. Neither side of a till ever has more than its part of the sum; the rate is that of the day it was opened.
    function check_78() private view numbered(78) {
        uint256 fee = handler.received() * 333 / 10_000;
        assertLe(handler.token().balanceOf(handler.FEE_PAYEE()), fee, "78: fee");
        assertLe(handler.token().balanceOf(handler.PAYOUT()), handler.received() - fee, "78: provider");
    }

    /// 79. Paid, a side has all of its part: no rounding is lost to the number of payments.
    function check_79() private view numbered(79) {
        assertFlawless(79, "79: part");
    }

    /// 80. A till's owner verbs are its owner's, its making its maker's, and it never pays itself.
    function check_80() private view numbered(80) {
        assertFlawless(80, "80: stranger");
    }

    /// 81. The wallet's till holds nothing: what it was given is the treasury's.
    function check_81() private view numbered(81) {
        assertFlawless(81, "81: nothing");
        assertEq(handler.token().balanceOf(address(handler.wallet())), 0, "81: held");
        assertEq(handler.token().balanceOf(handler.TREASURY()), handler.walletIn(), "81: treasury");
    }
}
