// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReputation, PenaltyKind} from "../../src/interfaces/IReputation.sol";
import {ReputationTest} from "./ReputationTest.sol";

contract ReportTimeoutTest is ReputationTest {
    bytes32 private constant JOB = keccak256("job");

    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        expectUnauthorized();
        reputation.reportTimeout(PROVIDER, JOB, false, "cid");
    }

    function test_RevertWhen_TheProviderIsUnknown() external {
        // it reverts with UnknownProvider
        expectUnknown(2);
        reputation.reportTimeout(2, JOB, false, "cid");
    }

    function test_When_NobodySawTheMachine() external {
        // it is recorded and costs nothing
        vm.expectEmit(address(reputation));
        emit IReputation.ChallengeTimedOut(PROVIDER, JOB, "cid");
        vm.prank(admin);
        reputation.reportTimeout(PROVIDER, JOB, false, "cid");
        assertEq(score(), 1000);
    }

    function test_When_TheMachineWasThere() external {
        // it is a penalty too
        vm.expectEmit(address(reputation));
        emit IReputation.ChallengeTimedOut(PROVIDER, JOB, "cid");
        vm.expectEmit(address(reputation));
        emit IReputation.Penalised(PROVIDER, PenaltyKind.Timeout, 50, 950, "cid");
        vm.prank(admin);
        reputation.reportTimeout(PROVIDER, JOB, true, "cid");
        assertEq(score(), 950);
    }
}
