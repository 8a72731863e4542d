// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {BATCH_SETTLEMENT} from "../../../src/x402/Canonical.sol";
import {ChannelConfig, IBatchSettlement, Voucher, VoucherClaim} from "../../../src/x402/IBatchSettlement.sol";
import {IProviderTill} from "../../../src/x402/ITills.sol";
import {AllowanceCollector} from "../../doubles/AllowanceCollector.sol";
import {TillsTest} from "./TillsTest.sol";

/// `claim` and `refund` of a channel whose receiver is the till.
contract ForwardTest is TillsTest {
    uint128 private constant AMOUNT = 50_000;

    IBatchSettlement private settlement = IBatchSettlement(BATCH_SETTLEMENT);
    ChannelConfig private config;

    function setUp() public override {
        super.setUp();
        vm.etch(BATCH_SETTLEMENT, vm.getDeployedCode("BatchSettlement.sol:BatchSettlement"));
        AllowanceCollector collector = new AllowanceCollector();
        config = ChannelConfig({
            payer: renter,
            payerAuthorizer: controller,
            receiver: address(till),
            receiverAuthorizer: agent,
            token: address(token),
            withdrawDelay: 1 days,
            salt: bytes32(0)
        });
        vm.prank(renter);
        token.approve(address(collector), AMOUNT);
        settlement.deposit(config, AMOUNT, address(collector), "");
    }

    function test_When_TheOwnerClaims() external {
        // it claims as the receiver; what is settled is shared
        VoucherClaim[] memory claims = voucher();
        vm.prank(owner);
        till.claim(claims);
        settlement.settle(address(till), address(token));
        till.payProvider(address(token));
        till.payFee(address(token));
        assertEq(token.balanceOf(payout), 9_800);
        assertEq(token.balanceOf(feePayee), 200);
    }

    function test_When_TheOwnerRefunds() external {
        // it goes to the payer, never to the owner
        vm.prank(owner);
        till.refund(config, AMOUNT);
        assertEq(token.balanceOf(renter), PURSE);
    }

    function test_RevertWhen_SomebodyElseClaimsOrRefunds() external {
        // it reverts with NotAllowed, for the agent too, who can do so directly
        VoucherClaim[] memory claims = voucher();
        address[2] memory others = [stranger, agent];
        for (uint256 i = 0; i < others.length; ++i) {
            vm.startPrank(others[i]);
            vm.expectRevert(abi.encodeWithSelector(IProviderTill.NotAllowed.selector, others[i]));
            till.claim(claims);
            vm.expectRevert(abi.encodeWithSelector(IProviderTill.NotAllowed.selector, others[i]));
            till.refund(config, 1);
            vm.stopPrank();
        }
    }

    function test_RevertWhen_TheOwnerTriesAnothersChannel() external {
        // it reverts: the till is no party to it
        config.receiver = stranger;
        vm.expectRevert(abi.encodeWithSelector(IBatchSettlement.NotAuthorizedToRefund.selector));
        vm.prank(owner);
        till.refund(config, 1);
    }

    function voucher() private view returns (VoucherClaim[] memory claims) {
        bytes32 digest = settlement.getVoucherDigest(settlement.getChannelId(config), 10_000);
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(controllerKey, digest);
        claims = new VoucherClaim[](1);
        claims[0] = VoucherClaim({
            voucher: Voucher({channel: config, maxClaimableAmount: 10_000}),
            signature: abi.encodePacked(r, s, v),
            totalClaimed: 10_000
        });
    }
}
