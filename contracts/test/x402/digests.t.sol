// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {ChannelConfig, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {ChannelTest} from "./ChannelTest.sol";

contract DigestsTest is ChannelTest {
    /// Of "x402 Batch Settlement", version 1, on chain 84532 at the canonical address, as the official client has it.
    bytes32 private constant DOMAIN = 0xfdef80764086b1e0fc6ba99f0cb9aa1d59109fda7c23d60334c89d2de44dffce;

    function test_When_TypeHashesAreComparedWithTheStandard() external view {
        // it has those that official clients sign with
        assertEq(
            constantOf("CHANNEL_CONFIG_TYPEHASH()"), 0x1c9a06ceab9b0ebbd3301dc56c9111bb6d9af421356dc9ccb3b7084c755db308
        );
        assertEq(constantOf("VOUCHER_TYPEHASH()"), 0x1e1bd6ff84c3e0d9029a292b212e039c0ca97ec497c55191a4a5874294609a69);
        assertEq(constantOf("REFUND_TYPEHASH()"), 0xbe23ad087435072cd69b49cc5b92de10ee610fce7ae0ab428307972d764bb216);
        assertEq(
            constantOf("CLAIM_ENTRY_TYPEHASH()"), 0x30b9a0367528fca13c3e8ec6134c3113f1887ebe7a1ad61de0955aac288b0cf5
        );
        assertEq(
            constantOf("CLAIM_BATCH_TYPEHASH()"), 0x42bd57c010b870c2e96203c66341f28a6a19b4d56a74533a8eb5f706b9fd6d57
        );
        assertEq(uint256(constantOf("MIN_WITHDRAW_DELAY()")), 900);
        assertEq(uint256(constantOf("MAX_WITHDRAW_DELAY()")), 2_592_000);
    }

    function test_When_TheDomainIsAskedFor() external view {
        // it is computed for this chain and this address
        (bytes1 fields, string memory name, string memory version, uint256 chainId, address place,,) =
            IERC5267(address(settlement)).eip712Domain();
        assertEq(fields, bytes1(0x0f));
        assertEq(name, "x402 Batch Settlement");
        assertEq(version, "1");
        assertEq(chainId, CHAIN_ID);
        assertEq(place, address(settlement));
    }

    function test_When_AVoucherIsHashed() external view {
        // it is EIP-712 of Voucher
        bytes32 id = keccak256("a channel");
        bytes32 typeHash = keccak256("Voucher(bytes32 channelId,uint128 maxClaimableAmount)");
        assertEq(settlement.getVoucherDigest(id, 7), digest(keccak256(abi.encode(typeHash, id, uint128(7)))));
    }

    function test_When_ARefundIsHashed() external view {
        // it is EIP-712 of Refund
        bytes32 id = keccak256("a channel");
        bytes32 typeHash = keccak256("Refund(bytes32 channelId,uint256 nonce,uint128 amount)");
        assertEq(
            settlement.getRefundDigest(id, 3, 7), digest(keccak256(abi.encode(typeHash, id, uint256(3), uint128(7))))
        );
    }

    function test_When_ABatchIsHashed() external view {
        // it is EIP-712 of ClaimBatch, over its entries in their order
        ChannelConfig memory other = channel();
        other.salt = bytes32(uint256(1));
        VoucherClaim[] memory claims = new VoucherClaim[](2);
        claims[0] = row(channel(), 10, 9);
        claims[1] = row(other, 20, 19);
        bytes32 batch = keccak256(
            "ClaimBatch(ClaimEntry[] claims)ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"
        );
        bytes32 entries = keccak256(abi.encodePacked(entry(claims[0]), entry(claims[1])));
        assertEq(settlement.getClaimBatchDigest(claims), digest(keccak256(abi.encode(batch, entries))));
        (claims[0], claims[1]) = (claims[1], claims[0]);
        assertNotEq(settlement.getClaimBatchDigest(claims), digest(keccak256(abi.encode(batch, entries))));
    }

    function test_When_ACloseIsHashed() external {
        // it is EIP-712 of Close for the present nonce
        ChannelConfig memory config = funded();
        vm.prank(authorizer);
        settlement.refund(config, 1);
        bytes32 typeHash = keccak256(
            "Close(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed,uint256 nonce,uint128 refundAmount)"
        );
        bytes32 structHash = keccak256(
            abi.encode(
                typeHash, settlement.getChannelId(config), uint128(10), uint128(9), uint256(1), type(uint128).max
            )
        );
        assertEq(settlement.getCloseDigest(row(config, 10, 9), type(uint128).max), digest(structHash));
    }

    function entry(VoucherClaim memory claim) private view returns (bytes32) {
        return keccak256(
            abi.encode(
                keccak256("ClaimEntry(bytes32 channelId,uint128 maxClaimableAmount,uint128 totalClaimed)"),
                settlement.getChannelId(claim.voucher.channel),
                claim.voucher.maxClaimableAmount,
                claim.totalClaimed
            )
        );
    }

    function digest(bytes32 structHash) private pure returns (bytes32) {
        return keccak256(abi.encodePacked(hex"1901", DOMAIN, structHash));
    }

    function constantOf(string memory signature) private view returns (bytes32) {
        (bool success, bytes memory answer) = address(settlement).staticcall(abi.encodeWithSignature(signature));
        assertTrue(success, signature);
        return abi.decode(answer, (bytes32));
    }
}
