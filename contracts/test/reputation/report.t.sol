// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IReputation, Totals} from "../../src/interfaces/IReputation.sol";
import {ReputationTest} from "./ReputationTest.sol";

contract ReportTest is ReputationTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized, under either name
        expectUnauthorized();
        reputation.report(PROVIDER, example());
        expectUnauthorized();
        reputation.submitValidationReport(PROVIDER, example());
    }

    function test_RevertWhen_TheProviderIsUnknown() external {
        // it reverts with UnknownProvider
        expectUnknown(2);
        reputation.report(2, example());
    }

    function test_When_AReporterReports() external {
        // it keeps the totals and tells the score
        vm.expectEmit(address(reputation));
        emit IReputation.Reported(PROVIDER, 989, example());
        report(example());
        (uint16 formula, uint16 penalties, Totals memory totals) = reputation.partsOf(PROVIDER);
        assertEq(formula, 989);
        assertEq(penalties, 0);
        assertEq(abi.encode(totals), abi.encode(example()));
        assertEq(reputation.market(), address(market));
    }

    function test_When_ItIsCalledByItsOldName() external {
        // it does the same
        skip(1 hours);
        vm.prank(admin);
        reputation.submitValidationReport(PROVIDER, example());
        assertEq(score(), 989);
    }

    function test_RevertWhen_AnHourIsNotOver() external {
        // it reverts with TooSoon until the next full hour
        report(example());
        uint256 next = (vm.getBlockTimestamp() / 1 hours + 1) * 1 hours;
        vm.warp(next - 1);
        vm.expectRevert(abi.encodeWithSelector(IReputation.TooSoon.selector, next));
        vm.prank(admin);
        reputation.report(PROVIDER, example());
        vm.warp(next);
        vm.prank(admin);
        reputation.report(PROVIDER, example());
    }

    function test_RevertWhen_ATotalFalls() external {
        // it reverts with BadTotals and the field: nothing that was counted is forgotten
        Totals memory high = full();
        report(high);
        skip(1 hours);
        for (uint256 i = 0; i < 8; ++i) {
            (Totals memory less, string memory field) = lessOf(i);
            vm.expectRevert(abi.encodeWithSelector(IReputation.BadTotals.selector, field));
            vm.prank(admin);
            reputation.report(PROVIDER, less);
        }
        report(high);
    }

    function test_RevertWhen_APartIsMoreThanItsWhole() external {
        // it reverts with BadTotals and the field
        skip(1 hours);
        Totals memory totals = example();
        totals.seenSeconds = 1001;
        vm.expectRevert(abi.encodeWithSelector(IReputation.BadTotals.selector, "seenSeconds"));
        vm.prank(admin);
        reputation.report(PROVIDER, totals);
        totals = example();
        (totals.silent, totals.aborted, totals.lost) = (34, 33, 34);
        vm.expectRevert(abi.encodeWithSelector(IReputation.BadTotals.selector, "started"));
        vm.prank(admin);
        reputation.report(PROVIDER, totals);
    }

    function full() private pure returns (Totals memory) {
        return Totals({
            seenSeconds: 500,
            listedSeconds: 1000,
            challenges: 10,
            answerMillis: 10,
            started: 100,
            silent: 10,
            aborted: 10,
            lost: 10
        });
    }

    function lessOf(uint256 i) private pure returns (Totals memory totals, string memory field) {
        totals = full();
        if (i == 0) (totals.seenSeconds, field) = (499, "seenSeconds");
        if (i == 1) (totals.listedSeconds, field) = (999, "listedSeconds");
        if (i == 2) (totals.challenges, field) = (9, "challenges");
        if (i == 3) (totals.answerMillis, field) = (9, "answerMillis");
        if (i == 4) (totals.started, field) = (99, "started");
        if (i == 5) (totals.silent, field) = (9, "silent");
        if (i == 6) (totals.aborted, field) = (9, "aborted");
        if (i == 7) (totals.lost, field) = (9, "lost");
    }
}
