// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {ChannelConfig, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract GetChannelIdTest is ChannelTest {
    /// Anvil's second account, known to everybody.
    uint256 private constant VECTOR_KEY = 0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d;

    function test_When_ItIsComparedWithThePublicVector() external {
        // it gives the id and accepts the voucher of the official client
        ChannelConfig memory config = ChannelConfig({
            payer: 0x70997970C51812dc3A010C7d01b50e0d17dc79C8,
            payerAuthorizer: 0x70997970C51812dc3A010C7d01b50e0d17dc79C8,
            receiver: 0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC,
            receiverAuthorizer: 0x90F79bf6EB2c4f870365E785982E1f101E93b906,
            token: USDC,
            withdrawDelay: 900,
            salt: bytes32(0)
        });
        assertEq(
            settlement.getChannelId(config), 0xe94a435ba5c4a651c4c975bc5e2a208275f95d4199785ab0d7fbbf56bc9469ec, "id"
        );

        token.mint(config.payer, AMOUNT);
        (payer, payerKey) = (config.payer, VECTOR_KEY);
        fund(config, AMOUNT);
        VoucherClaim memory claim = row(config, 10_000, 10_000);
        claim.signature =
            hex"96ab9f2f2e9956e705fa4ed0238d1a92a28aa1400766685e754c481db780113b0821b72babda6a7005473b5f92863e9e22ce28e0e88fa3156933ac4bd628e56f1c";
        vm.prank(config.receiver);
        settlement.claim(one(claim));
        assertChannel(config, AMOUNT, 10_000);
    }

    function test_When_AnyFieldDiffers() external view {
        // it is another channel
        bytes32[8] memory ids;
        for (uint256 i = 0; i < ids.length; ++i) {
            ChannelConfig memory config = channel();
            if (i == 1) config.payer = stranger;
            if (i == 2) config.payerAuthorizer = stranger;
            if (i == 3) config.receiver = stranger;
            if (i == 4) config.receiverAuthorizer = stranger;
            if (i == 5) config.token = stranger;
            if (i == 6) config.withdrawDelay = DELAY + 1;
            if (i == 7) config.salt = bytes32(uint256(1));
            ids[i] = settlement.getChannelId(config);
            for (uint256 j = 0; j < i; ++j) {
                assertNotEq(ids[i], ids[j]);
            }
        }
    }

    function test_When_ChainOrContractDiffer() external {
        // it is another channel
        bytes32 id = settlement.getChannelId(channel());
        address elsewhere = makeAddr("elsewhere");
        vm.etch(elsewhere, address(settlement).code);
        (, bytes memory answer) = elsewhere.call(abi.encodeCall(settlement.getChannelId, (channel())));
        assertNotEq(abi.decode(answer, (bytes32)), id, "contract");
        vm.chainId(8453);
        assertNotEq(settlement.getChannelId(channel()), id, "chain");
    }
}
