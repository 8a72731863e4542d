// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IMarketErrors, IMarketEvents, Ready, Terms} from "../../src/interfaces/IMarket.sol";
import {MarketTest} from "../MarketTest.sol";

contract SetWatcherTest is MarketTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", watcher));
        vm.prank(watcher);
        market.setWatcher(stranger, true);
    }

    function test_RevertWhen_TheWatcherIsZero() external {
        // it reverts with ZeroAddress
        expect(IMarketErrors.ZeroAddress.selector);
        vm.prank(admin);
        market.setWatcher(address(0), true);
    }

    function test_When_AWatcherIsRemoved() external {
        // it reports no more
        Terms memory t = terms();
        t.controller = watcher;
        create(t);
        startByRenter(t);
        vm.expectEmit(address(market));
        emit IMarketEvents.WatcherChanged(watcher, false);
        vm.prank(admin);
        market.setWatcher(watcher, false);
        assertFalse(market.isWatcher(watcher));
        expectNotAllowed(watcher);
        vm.prank(watcher);
        market.reportSilence(t, time());
    }

    function startByRenter(Terms memory t) private {
        Ready memory ready = Ready({readyRecord: RECORD, at: time()});
        bytes memory signature = signReady(renterKey, market.jobIdOf(t), ready);
        vm.prank(agent);
        market.startJob(t, ready, signature);
    }
}
