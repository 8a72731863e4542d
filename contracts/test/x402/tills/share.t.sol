// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ShrinkingToken} from "../../doubles/ShrinkingToken.sol";
import {TillsTest} from "./TillsTest.sol";

contract ShareTest is TillsTest {
    function testFuzz_When_MoneyComesInAnyNumberOfPieces(uint64[12] calldata pieces, uint256 whoIsPaid) external {
        // it shares by the sum: pieces and payouts in any order lose nothing to rounding
        uint256 total = 0;
        for (uint256 i = 0; i < pieces.length; ++i) {
            receive_(pieces[i]);
            total += pieces[i];
            (uint256 providerDue, uint256 feeDue) = till.share(address(token));
            assertEq(providerDue + feeDue, token.balanceOf(address(till)), "all of it is somebody's");
            if (whoIsPaid >> (2 * i) & 1 == 1 && providerDue != 0) till.payProvider(address(token));
            if (whoIsPaid >> (2 * i) & 2 == 2 && feeDue != 0) till.payFee(address(token));
        }
        (uint256 provider, uint256 fee) = till.share(address(token));
        assertEq(token.balanceOf(feePayee) + fee, total * FEE_BPS / 10_000, "fee");
        assertEq(token.balanceOf(payout) + provider, total - total * FEE_BPS / 10_000, "provider");
        assertEq(till.received(address(token)), total);
    }

    function test_When_ATokenTakesMoneyAway() external {
        // it never promises more than there is
        ShrinkingToken shrinking = new ShrinkingToken();
        shrinking.mint(address(till), 10_000);
        till.payFee(address(shrinking));
        shrinking.shrink(address(till), 9_000);
        (uint256 provider, uint256 fee) = till.share(address(shrinking));
        assertEq(provider, 800);
        assertEq(fee, 0);
        till.payProvider(address(shrinking));
        assertEq(shrinking.balanceOf(payout), 800);
    }
}
