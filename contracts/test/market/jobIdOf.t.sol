// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract JobIdOfTest is MarketTest {
    function test_When_TheTermsAreGiven() external view {
        // it is keccak256(abi.encode(chainId, market, terms))
        Terms memory t = terms();
        assertEq(market.jobIdOf(t), keccak256(abi.encode(block.chainid, address(market), t)));
    }

    function test_When_TheChainIsAnother() external {
        // it is another job
        bytes32 here = market.jobIdOf(terms());
        vm.chainId(10_507);
        assertNotEq(market.jobIdOf(terms()), here);
    }
}
