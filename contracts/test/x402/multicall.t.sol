// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ChannelConfig, IBatchSettlement, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract MulticallTest is ChannelTest {
    function test_When_ClaimSettleAndRefundComeTogether() external {
        // it does all three, as official facilitators ask, in the caller's own name
        ChannelConfig memory config = funded();
        bytes[] memory calls = threeCalls(config);
        vm.prank(authorizer);
        Multicall(address(settlement)).multicall(calls);
        assertChannel(config, 20_000, 20_000);
        assertEq(token.balanceOf(receiver), 20_000);
        assertEq(token.balanceOf(payer), PURSE - 20_000);
    }

    function test_RevertWhen_OneOfTheCallsReverts() external {
        // it reverts as a whole
        bytes[] memory calls = threeCalls(funded());
        expect(IBatchSettlement.NotAuthorizedToClaim.selector);
        vm.prank(stranger);
        Multicall(address(settlement)).multicall(calls);
    }

    function threeCalls(ChannelConfig memory config) private view returns (bytes[] memory calls) {
        VoucherClaim[] memory claims = one(row(config, 20_000, 20_000));
        calls = new bytes[](3);
        calls[0] = abi.encodeCall(settlement.claim, (claims));
        calls[1] = abi.encodeCall(settlement.settle, (receiver, USDC));
        calls[2] = abi.encodeCall(settlement.refund, (config, AMOUNT));
    }
}
