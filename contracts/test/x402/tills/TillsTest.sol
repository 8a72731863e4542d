// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IProviderTill, ITills} from "../../../src/x402/ITills.sol";
import {MarketTest} from "../../MarketTest.sol";

/// The tills of a market that has one provider, whose till is open.
abstract contract TillsTest is MarketTest {
    uint32 internal constant PROVIDER = 1;

    ITills internal tills;
    IProviderTill internal till;
    address internal feePayee = makeAddr("fee payee");

    function setUp() public virtual override {
        super.setUp();
        tills = ITills(deployCode("Tills.sol:Tills", abi.encode(market, authority, feePayee)));
        till = IProviderTill(tills.open(PROVIDER));
    }

    function receive_(uint256 amount) internal {
        vm.prank(admin);
        token.mint(address(till), amount);
    }
}
