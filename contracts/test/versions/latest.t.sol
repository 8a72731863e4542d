// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IVersions} from "../../src/interfaces/IVersions.sol";
import {VersionsTest} from "./VersionsTest.sol";

contract LatestTest is VersionsTest {
    function test_RevertWhen_NothingIsPublished() external {
        // it reverts with UnknownVersion
        vm.expectRevert(abi.encodeWithSelector(IVersions.UnknownVersion.selector, 0));
        versions.latest();
        assertEq(versions.count(), 0);
        assertEq(versions.numberOf(first), 0);
    }

    function test_RevertWhen_TheNumberIsUnknown() external {
        // it reverts with UnknownVersion
        publish(first, "1");
        uint256[2] memory numbers = [uint256(0), 2];
        for (uint256 i = 0; i < numbers.length; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IVersions.UnknownVersion.selector, numbers[i]));
            versions.version(numbers[i]);
        }
    }

    function test_When_OneIsPublished() external {
        // it is that one
        publish(first, "1");
        (uint256 number, address market, string memory name,) = versions.latest();
        assertEq(number, 1);
        assertEq(market, first);
        assertEq(name, "1");
    }
}
