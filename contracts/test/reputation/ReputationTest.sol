// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReputation, PenaltyKind, Totals} from "../../src/interfaces/IReputation.sol";
import {MarketTest} from "../MarketTest.sol";

/// A provider whose work is counted.
abstract contract ReputationTest is MarketTest {
    uint32 internal constant PROVIDER = 1;

    IReputation internal reputation;
    uint256 private evidences;

    function setUp() public virtual override {
        super.setUp();
        reputation = IReputation(deployCode("Reputation.sol:Reputation", abi.encode(market, authority)));
    }

    /// The example of the first design: uptime 0.992, answers at once, completion 0.98, disputes 0.01.
    function example() internal pure returns (Totals memory) {
        return Totals({
            seenSeconds: 992,
            listedSeconds: 1000,
            challenges: 10,
            answerMillis: 0,
            started: 100,
            silent: 1,
            aborted: 0,
            lost: 1
        });
    }

    function perfect() internal pure returns (Totals memory totals) {
        totals.seenSeconds = 1000;
        totals.listedSeconds = 1000;
        totals.started = 1;
    }

    function report(Totals memory totals) internal {
        skip(1 hours);
        vm.prank(admin);
        reputation.report(PROVIDER, totals);
    }

    function penalise(PenaltyKind kind) internal {
        string memory cid = evidence();
        vm.prank(admin);
        reputation.penalise(PROVIDER, kind, cid);
    }

    function evidence() internal returns (string memory) {
        return vm.toString(++evidences);
    }

    function score() internal view returns (uint16 found) {
        (found,) = reputation.scoreOf(PROVIDER);
    }

    function expectUnauthorized() internal {
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", stranger));
        vm.prank(stranger);
    }

    function expectUnknown(uint32 providerId) internal {
        vm.expectRevert(abi.encodeWithSelector(IReputation.UnknownProvider.selector, providerId));
        vm.prank(admin);
    }
}
