// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReputation, Penalty, PenaltyKind} from "../../src/interfaces/IReputation.sol";
import {ReputationTest} from "./ReputationTest.sol";

contract PenaliseTest is ReputationTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized, under any name
        expectUnauthorized();
        reputation.penalise(PROVIDER, PenaltyKind.Downtime, "cid");
        expectUnauthorized();
        reputation.reportDowntime(PROVIDER, "cid");
        expectUnauthorized();
        reputation.reportInvalidData(PROVIDER, "cid");
        expectUnauthorized();
        reputation.reportInvalidSignature(PROVIDER, "cid");
    }

    function test_RevertWhen_TheProviderIsUnknown() external {
        // it reverts with UnknownProvider
        expectUnknown(2);
        reputation.penalise(2, PenaltyKind.Downtime, "cid");
    }

    function test_RevertWhen_ThereIsNoEvidence() external {
        // it reverts with NoEvidence
        expect(IReputation.NoEvidence.selector);
        vm.prank(admin);
        reputation.penalise(PROVIDER, PenaltyKind.Downtime, "");
    }

    function test_RevertWhen_TheEvidenceWasUsed() external {
        // it reverts with EvidenceUsed: one outage is one penalty, by whatever verb
        vm.startPrank(admin);
        reputation.reportDowntime(PROVIDER, "cid");
        vm.expectRevert(abi.encodeWithSelector(IReputation.EvidenceUsed.selector, "cid"));
        reputation.penalise(PROVIDER, PenaltyKind.Downtime, "cid");
        vm.expectRevert(abi.encodeWithSelector(IReputation.EvidenceUsed.selector, "cid"));
        reputation.reportDowntime(PROVIDER, "cid");
    }

    function test_When_EachKindIsReported() external {
        // it takes its points off
        uint16[5] memory points = [uint16(50), 200, 100, 100, 50];
        uint16 expected = 1000;
        for (uint8 i = 0; i < points.length; ++i) {
            expected -= points[i];
            string memory cid = evidence();
            vm.expectEmit(address(reputation));
            emit IReputation.Penalised(PROVIDER, PenaltyKind(i), points[i], expected, cid);
            vm.prank(admin);
            reputation.penalise(PROVIDER, PenaltyKind(i), cid);
            assertEq(score(), expected);
        }
    }

    function test_When_ItIsCalledByItsOldNames() external {
        // it is the penalty of that kind
        vm.startPrank(admin);
        reputation.reportDowntime(PROVIDER, "a");
        reputation.reportInvalidData(PROVIDER, "a");
        reputation.reportInvalidSignature(PROVIDER, "a");
        Penalty[] memory live = reputation.penaltiesOf(PROVIDER);
        assertEq(live.length, 3);
        assertEq(uint8(live[0].kind), uint8(PenaltyKind.Downtime));
        assertEq(uint8(live[1].kind), uint8(PenaltyKind.DataFraud));
        assertEq(uint8(live[2].kind), uint8(PenaltyKind.BadSignature));
        assertEq(live[1].points, 200);
        assertEq(live[1].left, 200);
        assertEq(live[1].at, vm.getBlockTimestamp());
    }

    function test_When_TimePasses() external {
        // it fades linearly over thirty days, each penalty by its own date
        penalise(PenaltyKind.DataFraud);
        skip(15 days);
        assertEq(score(), 900);
        penalise(PenaltyKind.DataFraud);
        assertEq(score(), 700);
        skip(15 days);
        assertEq(score(), 900, "the first has faded, half of the second is left");
        assertEq(reputation.penaltiesOf(PROVIDER).length, 1);
        skip(15 days - 1);
        assertEq(score(), 999, "a fraction of a point is not forgiven");
        skip(1);
        assertEq(score(), 1000);
        assertEq(reputation.penaltiesOf(PROVIDER).length, 0);
    }

    function test_When_PenaltiesComeToMoreThanTheFormula() external {
        // it is zero points, never less
        for (uint256 i = 0; i < 6; ++i) {
            penalise(PenaltyKind.DataFraud);
        }
        assertEq(score(), 0);
        (uint16 formula, uint16 penalties,) = reputation.partsOf(PROVIDER);
        assertEq(formula, 1000);
        assertEq(penalties, 1000);
    }

    function test_When_ThereAreVeryMany() external {
        // it keeps sixty-four, so that nobody can make the score unreadable
        for (uint256 i = 0; i < 70; ++i) {
            skip(1 minutes);
            penalise(PenaltyKind.Downtime);
        }
        Penalty[] memory live = reputation.penaltiesOf(PROVIDER);
        assertEq(live.length, 64);
        assertEq(live[63].at, vm.getBlockTimestamp());
        assertEq(live[0].at, vm.getBlockTimestamp() - 63 minutes);
        assertEq(score(), 0);
        skip(31 days);
        penalise(PenaltyKind.Downtime);
        assertEq(reputation.penaltiesOf(PROVIDER).length, 1);
        assertEq(score(), 950);
    }
}
