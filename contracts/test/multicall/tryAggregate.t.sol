// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test} from "forge-std/Test.sol";
import {DevMulticall} from "../../src/DevMulticall.sol";

contract TryAggregateTest is Test {
    DevMulticall private immutable many = DevMulticall(deployCode("DevMulticall.sol:DevMulticall"));

    function answer() external pure returns (uint256) {
        return 42;
    }

    function test_RevertWhen_OneOfTheCallsFailsAndAllMustSucceed() external {
        // it reverts with the index of that call
        vm.expectRevert(abi.encodeWithSelector(DevMulticall.CallFailed.selector, 1));
        many.tryAggregate(true, calls());
    }

    function test_When_OneOfTheCallsFailsAndEachMay() external {
        // it gives what each call gave
        DevMulticall.Result[] memory results = many.tryAggregate(false, calls());
        assertTrue(results[0].success, "first");
        assertEq(abi.decode(results[0].returnData, (uint256)), 42, "answer");
        assertFalse(results[1].success, "second");
    }

    function calls() private view returns (DevMulticall.Call[] memory list) {
        list = new DevMulticall.Call[](2);
        list[0] = DevMulticall.Call(address(this), abi.encodeCall(this.answer, ()));
        list[1] = DevMulticall.Call(address(this), hex"ffffffff");
    }
}
