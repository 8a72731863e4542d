// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {DevMulticall} from "../../src/DevMulticall.sol";

contract Aggregate3Test is Test {
    DevMulticall private immutable many = DevMulticall(deployCode("DevMulticall.sol:DevMulticall"));

    function answer() external pure returns (uint256) {
        return 42;
    }

    function test_RevertWhen_ACallFailsThatMayNot() external {
        // it reverts with the index of that call
        vm.expectRevert(abi.encodeWithSelector(DevMulticall.CallFailed.selector, 0));
        many.aggregate3(calls(false));
    }

    function test_When_ACallFailsThatMay() external {
        // it gives what each call gave
        DevMulticall.Result[] memory results = many.aggregate3(calls(true));
        assertFalse(results[0].success, "first");
        assertEq(abi.decode(results[1].returnData, (uint256)), 42, "answer");
    }

    function calls(bool allowFailure) private view returns (DevMulticall.Call3[] memory list) {
        list = new DevMulticall.Call3[](2);
        list[0] = DevMulticall.Call3(address(this), allowFailure, hex"ffffffff");
        list[1] = DevMulticall.Call3(address(this), false, abi.encodeCall(this.answer, ()));
    }
}
