// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {AccessManager} from "@openzeppelin/contracts/access/manager/AccessManager.sol";
import {Test} from "forge-std/Test.sol";
import {IVersions} from "../../src/interfaces/IVersions.sol";

abstract contract VersionsTest is Test {
    IVersions internal versions;
    address internal admin = makeAddr("admin");
    address internal stranger = makeAddr("stranger");
    address internal first;
    address internal second;

    function setUp() public {
        vm.warp(1_800_000_000);
        versions = IVersions(deployCode("Versions.sol:Versions", abi.encode(new AccessManager(admin))));
        // Any contract will do: the list knows no more of a market than that it is there.
        first = address(new AccessManager(admin));
        second = address(new AccessManager(admin));
    }

    function publish(address market, string memory name) internal returns (uint256) {
        vm.prank(admin);
        return versions.publish(market, name);
    }
}
