// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVersions} from "../../src/interfaces/IVersions.sol";
import {VersionsTest} from "./VersionsTest.sol";

contract PublishTest is VersionsTest {
    function test_RevertWhen_TheCallerHasNoRole() external {
        // it reverts with AccessManagedUnauthorized
        vm.expectRevert(abi.encodeWithSignature("AccessManagedUnauthorized(address)", stranger));
        vm.prank(stranger);
        versions.publish(first, "1");
    }

    function test_RevertWhen_NothingStandsThere() external {
        // it reverts with NoCode
        vm.expectRevert(abi.encodeWithSelector(IVersions.NoCode.selector, stranger));
        publish(stranger, "1");
    }

    function test_RevertWhen_TheNameIsEmptyOrLong() external {
        // it reverts with BadName
        vm.expectRevert(abi.encodeWithSelector(IVersions.BadName.selector, ""));
        publish(first, "");
        string memory long = "123456789012345678901234567890123";
        vm.expectRevert(abi.encodeWithSelector(IVersions.BadName.selector, long));
        publish(first, long);
    }

    function test_RevertWhen_ItWasPublishedBefore() external {
        // it reverts with AlreadyPublished: history is not rewritten
        publish(first, "1");
        publish(second, "2");
        vm.expectRevert(abi.encodeWithSelector(IVersions.AlreadyPublished.selector, first, 1));
        publish(first, "3");
    }

    function test_When_ARoleHolderPublishes() external {
        // it is the newest, and the older ones stay
        vm.expectEmit(address(versions));
        emit IVersions.Published(1, first, "1.0");
        assertEq(publish(first, "1.0"), 1);
        skip(5);
        assertEq(publish(second, "12345678901234567890123456789012"), 2);
        (uint256 number, address market,, uint40 publishedAt) = versions.latest();
        assertEq(number, 2);
        assertEq(market, second);
        assertEq(publishedAt, 1_800_000_005);
        string memory name;
        (market, name, publishedAt) = versions.version(1);
        assertEq(market, first);
        assertEq(name, "1.0");
        assertEq(publishedAt, 1_800_000_000);
        assertEq(versions.count(), 2);
        assertEq(versions.numberOf(first), 1);
        assertEq(versions.numberOf(second), 2);
    }
}
