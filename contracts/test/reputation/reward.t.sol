// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReputation, Penalty, PenaltyKind} from "../../src/interfaces/IReputation.sol";
import {ReputationTest} from "./ReputationTest.sol";

contract RewardTest is ReputationTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        expectUnauthorized();
        reputation.reward(PROVIDER, 1, "cid");
    }

    function test_RevertWhen_TheProviderIsUnknown() external {
        // it reverts with UnknownProvider
        expectUnknown(2);
        reputation.reward(2, 1, "cid");
    }

    function test_RevertWhen_NoPenaltyIsLeft() external {
        // it reverts with NothingToRestore: a score never rises above its formula
        vm.expectRevert(abi.encodeWithSelector(IReputation.NothingToRestore.selector, PROVIDER));
        vm.prank(admin);
        reputation.reward(PROVIDER, 100, "cid");
        penalise(PenaltyKind.Downtime);
        skip(30 days);
        vm.expectRevert(abi.encodeWithSelector(IReputation.NothingToRestore.selector, PROVIDER));
        vm.prank(admin);
        reputation.reward(PROVIDER, 100, "cid");
    }

    function test_RevertWhen_ThereIsNoEvidenceOrItWasUsed() external {
        // it reverts with NoEvidence or EvidenceUsed
        penalise(PenaltyKind.DataFraud);
        vm.startPrank(admin);
        expect(IReputation.NoEvidence.selector);
        reputation.reward(PROVIDER, 1, "");
        reputation.reward(PROVIDER, 1, "cid");
        vm.expectRevert(abi.encodeWithSelector(IReputation.EvidenceUsed.selector, "cid"));
        reputation.reward(PROVIDER, 1, "cid");
    }

    function test_When_APartIsRestored() external {
        // it takes the oldest penalties back first, and what is left fades on to its own end
        penalise(PenaltyKind.DataFraud);
        skip(15 days);
        penalise(PenaltyKind.Downtime);
        assertEq(score(), 850);
        vm.expectEmit(address(reputation));
        emit IReputation.Rewarded(PROVIDER, 40, 890, "cid");
        vm.prank(admin);
        reputation.reward(PROVIDER, 40, "cid");
        Penalty[] memory live = reputation.penaltiesOf(PROVIDER);
        assertEq(live[0].left, 60);
        assertEq(live[1].left, 50);
        skip(7.5 days);
        live = reputation.penaltiesOf(PROVIDER);
        assertEq(live[0].left, 30);
        skip(7.5 days);
        assertEq(score(), 975, "half of the downtime");
    }

    function test_When_MoreIsGivenThanIsLeft() external {
        // it restores what is left and keeps nothing for later penalties
        penalise(PenaltyKind.Downtime);
        penalise(PenaltyKind.Downtime);
        vm.expectEmit(address(reputation));
        emit IReputation.Rewarded(PROVIDER, 100, 1000, "cid");
        vm.prank(admin);
        reputation.reward(PROVIDER, 500, "cid");
        assertEq(score(), 1000);
        penalise(PenaltyKind.Downtime);
        assertEq(score(), 950);
    }

    function testFuzz_When_RewardsAndTimeMix(uint8[6] calldata points, uint24[6] calldata pauses) external {
        // it only ever raises the score, never above the formula, and all is forgiven after thirty days
        penalise(PenaltyKind.DataFraud);
        penalise(PenaltyKind.Downtime);
        for (uint256 i = 0; i < points.length; ++i) {
            skip(pauses[i] % 5 days);
            uint16 before = score();
            string memory cid = evidence();
            vm.prank(admin);
            try reputation.reward(PROVIDER, points[i], cid) {
                assertGe(score(), before);
                assertLe(score(), uint256(before) + points[i] + 1);
            } catch {
                assertTrue(points[i] == 0 || before == 1000);
            }
            assertLe(score(), 1000);
        }
        skip(30 days);
        assertEq(score(), 1000);
    }
}
