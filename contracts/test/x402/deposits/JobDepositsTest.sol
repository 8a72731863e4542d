// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../../src/interfaces/IMarket.sol";
import {IJobDeposits} from "../../../src/x402/IJobDeposits.sol";
import {MarketTest} from "../../MarketTest.sol";

/// A market with its deposit addresses, and somebody who pays to one of them: a client that knows no market.
abstract contract JobDepositsTest is MarketTest {
    IJobDeposits internal deposits;
    address internal client;
    uint256 internal clientKey;

    function setUp() public virtual override {
        super.setUp();
        (client, clientKey) = makeAddrAndKey("client");
        deposits = IJobDeposits(deployCode("JobDeposits.sol:JobDeposits", abi.encode(market)));
        vm.startPrank(admin);
        token.mint(client, PURSE);
        vm.stopPrank();
    }

    function pay(Terms memory t, uint256 amount) internal returns (address account) {
        account = deposits.depositAddress(t);
        vm.prank(client);
        token.transfer(account, amount);
    }

    function assertEmpty(Terms memory t) internal view {
        assertEq(token.balanceOf(deposits.depositAddress(t)), 0, "the account is left empty");
        assertEq(token.balanceOf(address(deposits)), 0, "so is the factory");
    }
}
