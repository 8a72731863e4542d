// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {JobDepositsTest} from "./JobDepositsTest.sol";

/// What a deposit account offers to its factory alone.
interface IAccount {
    function send(address token, address to, uint256 amount) external;
}

contract DepositAddressTest is JobDepositsTest {
    function test_RevertWhen_NoRenterIsNamed() external {
        // it reverts with NoRenter: nobody could get the money back
        Terms memory t = terms();
        t.renter = address(0);
        expect(IJobDeposits.NoRenter.selector);
        deposits.depositAddress(t);
    }

    function test_When_AnyTermDiffers() external view {
        // it is another address
        Terms memory t = terms();
        address first = deposits.depositAddress(t);
        t.salt = 2;
        assertNotEq(deposits.depositAddress(t), first);
        t = terms();
        t.pricePerHour += 1;
        assertNotEq(deposits.depositAddress(t), first);
        t = terms();
        t.renter = client;
        assertNotEq(deposits.depositAddress(t), first);
    }

    function test_When_TheAccountIsOpened() external {
        // it stands where it was foretold, and obeys its factory only
        Terms memory t = terms();
        address account = pay(t, LOCKED);
        assertEq(account.code.length, 0);
        deposits.sweep(t);
        assertNotEq(account.code.length, 0);
        assertEq(deposits.depositAddress(t), account);
        vm.expectRevert(abi.encodeWithSignature("OnlyFactory(address)", stranger));
        vm.prank(stranger);
        IAccount(account).send(address(token), stranger, 0);
    }

    function test_When_TheMarketIsAskedFor() external view {
        // it names the market
        assertEq(deposits.market(), address(market));
    }
}
