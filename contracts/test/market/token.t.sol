// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract TokenTest is MarketTest {
    function test_When_TheMarketIsDeployed() external view {
        // it is the settlement token for good
        assertEq(market.token(), address(token));
    }

    function test_RevertWhen_ThereIsNoCodeAtTheToken() external {
        // it reverts with WrongToken at the deployment
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.WrongToken.selector, stranger));
        deployCode("Market.sol:Market", abi.encode(stranger, authority, FEE_BPS, court));
    }

    function test_RevertWhen_ThereIsNoCodeAtTheAuthority() external {
        // it reverts with AccessManagedInvalidAuthority at the deployment
        vm.expectRevert(abi.encodeWithSignature("AccessManagedInvalidAuthority(address)", stranger));
        deployCode("Market.sol:Market", abi.encode(token, stranger, FEE_BPS, court));
    }
}
