// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {SLASH_PROPOSED, SlashProposal} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract GetSlashTest is MarketTest {
    function test_When_ThereIsNone() external view {
        // it is empty
        assertEq(market.getSlash(1).status, 0);
    }

    function test_When_OneIsProposed() external {
        // it tells whose stake, for whom, how much and until when
        vm.prank(admin);
        assertEq(market.proposeSlash(resourceId, renter, 1000, 400, ""), 1);
        SlashProposal memory proposal = market.getSlash(1);
        assertEq(proposal.resourceId, resourceId);
        assertEq(proposal.harmed, renter);
        assertEq(proposal.contestableUntil, time() + 48 hours);
        assertEq(proposal.status, SLASH_PROPOSED);
        assertEq(proposal.amount, 1000);
        assertEq(proposal.loss, 400);
    }
}
