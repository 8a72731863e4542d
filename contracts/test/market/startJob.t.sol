// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Ready, State, Status, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";
import {Wallet} from "../doubles/Wallet.sol";

contract StartJobTest is MarketTest {
    function test_RevertWhen_TheCallerIsNotTheAgent() external {
        // it reverts with NotAllowed
        Terms memory t = accepted();
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        expectNotAllowed(owner);
        vm.prank(owner);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_TheClockRunsAlready() external {
        // it reverts with WrongStatus: one Ready starts one clock once
        Terms memory t = running();
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        expectWrongStatus(t, Status.Running);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_ItIsBeforeNotBefore() external {
        // it reverts with TooEarly
        Terms memory t = reservation(1 hours);
        accept(t);
        skip(1 hours - 1);
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        expectTooEarly(t.notBefore);
        vm.prank(agent);
        market.startJob(t, ready, signature);
        skip(1);
        start(t);
        assertStatus(t, Status.Running);
    }

    function test_RevertWhen_AnHourSinceAcceptIsOver() external {
        // it reverts with TooLate
        Terms memory t = accepted();
        skip(60 minutes + 1);
        expectStartTooLate(t, START + 60 minutes);
    }

    function test_RevertWhen_AnHourSinceNotBeforeIsOver() external {
        // it reverts with TooLate
        Terms memory t = reservation(1 days);
        accept(t);
        skip(1 days + 60 minutes + 1);
        expectStartTooLate(t, START + 1 days + 60 minutes);
    }

    function test_RevertWhen_TenMinutesSinceCreateAreOver() external {
        // it reverts with TooLate
        Terms memory t = created();
        skip(10 minutes + 1);
        expectStartTooLate(t, START + 10 minutes);
    }

    function test_RevertWhen_NotBeforeWasOverAtTheOrder() external {
        // it reverts with TooLate after ten minutes
        Terms memory t = terms();
        t.notBefore = time();
        create(t);
        skip(10 minutes + 1);
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        expectTooLate(START + 10 minutes);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_When_AReservationIsStillCreatedAtItsTime() external {
        // it accepts and starts up to an hour after notBefore
        Terms memory t = reservation(1 days);
        skip(1 days + 60 minutes);
        start(t);
        assertStatus(t, Status.Running);
    }

    function test_RevertWhen_ReadyIsOlderThanTwoMinutes() external {
        // it reverts with ReadyExpired
        Terms memory t = accepted();
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        skip(121);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ReadyExpired.selector, ready.at));
        vm.prank(agent);
        market.startJob(t, ready, signature);
        rewind(1);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_ReadyIsFromTheFuture() external {
        // it reverts with ReadyExpired beyond fifteen seconds of skew
        Terms memory t = accepted();
        Ready memory ready = Ready({readyRecord: RECORD, at: time() + 16});
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ReadyExpired.selector, ready.at));
        vm.prank(agent);
        market.startJob(t, ready, signature);
        skip(1);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_SomebodyElseSigned() external {
        // it reverts with BadSignature and names the signer
        Terms memory t = accepted();
        Ready memory ready = now_();
        bytes memory signature = signReady(agentKey, market.jobIdOf(t), ready);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadSignature.selector, agent));
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_TheSignatureIsMalformed() external {
        // it reverts with BadSignature
        Terms memory t = accepted();
        Ready memory ready = now_();
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.BadSignature.selector, address(0)));
        vm.prank(agent);
        market.startJob(t, ready, hex"01");
    }

    function test_RevertWhen_TheSignatureIsForAnotherJob() external {
        // it reverts with BadSignature
        Terms memory t = accepted();
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, keccak256("another job"), ready);
        vm.expectPartialRevert(IMarketErrors.BadSignature.selector);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_RevertWhen_TheResourceIsBusy() external {
        // it reverts with ResourceBusy: one unit carries one job
        Terms memory t = created();
        Terms memory other = terms();
        other.salt = 2;
        create(other);
        start(other);
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        vm.expectRevert(abi.encodeWithSelector(IMarketErrors.ResourceBusy.selector, resourceId));
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }

    function test_When_TheJobIsAccepted() external {
        // it starts the clock
        Terms memory t = accepted();
        skip(60 minutes);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobStarted(market.jobIdOf(t), RECORD);
        start(t);
        State memory job = jobOf(t);
        assertEq(uint8(job.status), uint8(Status.Running));
        assertEq(job.startedAt, time());
        assertEq(job.since, time());
        assertEq(job.endedAt, 0);
    }

    function test_When_TheJobIsCreated() external {
        // it accepts too
        Terms memory t = created();
        vm.expectEmit(address(market));
        emit IMarketEvents.JobAccepted(market.jobIdOf(t), 1 hours);
        vm.expectEmit(address(market));
        emit IMarketEvents.JobStarted(market.jobIdOf(t), RECORD);
        start(t);
        assertStatus(t, Status.Running);
        assertBusy(true);
    }

    function test_When_TheRenterSigned() external {
        // it takes the renter's word in place of the controller's
        Terms memory t = accepted();
        Ready memory ready = now_();
        bytes memory signature = signReady(renterKey, market.jobIdOf(t), ready);
        vm.prank(agent);
        market.startJob(t, ready, signature);
        assertStatus(t, Status.Running);
    }

    function test_When_TheControllerIsAWallet() external {
        // it asks the wallet (EIP-1271)
        Terms memory t = terms();
        t.controller = address(new Wallet(strangerKey));
        create(t);
        Ready memory ready = now_();
        bytes memory signature = signReady(strangerKey, market.jobIdOf(t), ready);
        vm.prank(agent);
        market.startJob(t, ready, signature);
        assertStatus(t, Status.Running);
    }

    function reservation(uint40 ahead) private returns (Terms memory t) {
        t = terms();
        t.notBefore = time() + ahead;
        create(t);
    }

    function now_() private view returns (Ready memory) {
        return Ready({readyRecord: RECORD, at: time()});
    }

    function expectStartTooLate(Terms memory t, uint256 deadline) private {
        Ready memory ready = now_();
        bytes memory signature = signReady(controllerKey, market.jobIdOf(t), ready);
        expectTooLate(deadline);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }
}
