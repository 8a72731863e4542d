// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

import {Test, Vm} from "forge-std/Test.sol";
import {BATCH_SETTLEMENT, ERC3009_DEPOSIT_COLLECTOR, PERMIT2_DEPOSIT_COLLECTOR} from "../../src/x402/Canonical.sol";
import {ChannelConfig, IBatchSettlement, Voucher, VoucherClaim} from "../../src/x402/IBatchSettlement.sol";
import {IDevUSDC} from "./IDevUSDC.sol";

/// Contracts and token at their canonical addresses by their running code, as on a development chain; a payer with a
/// session key, a receiver with an authorizer, and a stranger.
abstract contract ChannelTest is Test {
    address internal constant COLLECTOR = ERC3009_DEPOSIT_COLLECTOR;
    address internal constant USDC = 0x036CbD53842c5426634e7929541eC2318f3dCF7e;
    uint256 internal constant CHAIN_ID = 84532;
    uint256 internal constant PURSE = 1e12;
    uint128 internal constant AMOUNT = 50_000;
    uint40 internal constant DELAY = 24 hours;

    IBatchSettlement internal settlement = IBatchSettlement(BATCH_SETTLEMENT);
    IDevUSDC internal token = IDevUSDC(USDC);
    address internal payer;
    uint256 internal payerKey;
    address internal session;
    uint256 internal sessionKey;
    address internal receiver = makeAddr("receiver");
    address internal authorizer;
    uint256 internal authorizerKey;
    address internal stranger;
    uint256 internal strangerKey;
    uint256 private salts;

    function setUp() public virtual {
        vm.chainId(CHAIN_ID);
        vm.warp(1_800_000_000);
        (payer, payerKey) = makeAddrAndKey("payer");
        (session, sessionKey) = makeAddrAndKey("session");
        (authorizer, authorizerKey) = makeAddrAndKey("authorizer");
        (stranger, strangerKey) = makeAddrAndKey("stranger");
        vm.etch(BATCH_SETTLEMENT, vm.getDeployedCode("BatchSettlement.sol:BatchSettlement"));
        vm.etch(ERC3009_DEPOSIT_COLLECTOR, vm.getDeployedCode("ERC3009DepositCollector.sol:ERC3009DepositCollector"));
        vm.etch(PERMIT2_DEPOSIT_COLLECTOR, vm.getDeployedCode("Permit2DepositCollector.sol:Permit2DepositCollector"));
        vm.etch(USDC, vm.getDeployedCode("DevUSDC.sol:DevUSDC"));
        token.mint(payer, PURSE);
    }

    function channel() internal view returns (ChannelConfig memory) {
        return ChannelConfig({
            payer: payer,
            payerAuthorizer: session,
            receiver: receiver,
            receiverAuthorizer: authorizer,
            token: USDC,
            withdrawDelay: DELAY,
            salt: bytes32(0)
        });
    }

    // ── channels brought to a state ──────────────────────────────────────────────────────────────────────

    /// With `AMOUNT` in it.
    function funded() internal returns (ChannelConfig memory config) {
        config = channel();
        fund(config, AMOUNT);
    }

    function fund(ChannelConfig memory config, uint128 amount) internal {
        settlement.deposit(config, amount, ERC3009_DEPOSIT_COLLECTOR, authorization(payerKey, config, amount));
    }

    /// Funded, and a withdrawal of everything is asked for.
    function withdrawing() internal returns (ChannelConfig memory config) {
        config = funded();
        vm.prank(payer);
        settlement.initiateWithdraw(config, AMOUNT);
    }

    function claimOne(ChannelConfig memory config, uint128 total) internal {
        VoucherClaim[] memory claims = one(row(config, total, total));
        vm.prank(authorizer);
        settlement.claim(claims);
    }

    // ── rows and signatures ──────────────────────────────────────────────────────────────────────────────

    function one(VoucherClaim memory claim) internal pure returns (VoucherClaim[] memory claims) {
        claims = new VoucherClaim[](1);
        claims[0] = claim;
    }

    /// Signed by the session key.
    function row(ChannelConfig memory config, uint128 most, uint128 total) internal view returns (VoucherClaim memory) {
        return rowBy(sessionKey, config, most, total);
    }

    function rowBy(uint256 key, ChannelConfig memory config, uint128 most, uint128 total)
        internal
        view
        returns (VoucherClaim memory)
    {
        bytes32 channelId = settlement.getChannelId(config);
        return VoucherClaim({
            voucher: Voucher({channel: config, maxClaimableAmount: most}),
            signature: sign(key, settlement.getVoucherDigest(channelId, most)),
            totalClaimed: total
        });
    }

    /// What the EIP-3009 collector needs for one deposit.
    function authorization(uint256 key, ChannelConfig memory config, uint128 amount) internal returns (bytes memory) {
        uint256 salt = ++salts;
        bytes32 nonce = keccak256(abi.encode(settlement.getChannelId(config), salt));
        bytes32 structHash = keccak256(
            abi.encode(
                keccak256(
                    "ReceiveWithAuthorization(address from,address to,uint256 value,uint256 validAfter,uint256 validBefore,bytes32 nonce)"
                ),
                config.payer,
                ERC3009_DEPOSIT_COLLECTOR,
                uint256(amount),
                uint256(0),
                type(uint256).max,
                nonce
            )
        );
        bytes32 digest = keccak256(abi.encodePacked(hex"1901", token.DOMAIN_SEPARATOR(), structHash));
        return abi.encode(uint256(0), type(uint256).max, salt, sign(key, digest));
    }

    function sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    // ── expectations ─────────────────────────────────────────────────────────────────────────────────────

    function expect(bytes4 selector) internal {
        vm.expectRevert(abi.encodeWithSelector(selector));
    }

    /// How many of the logs since `vm.recordLogs` are this event.
    function countOf(bytes32 topic) internal returns (uint256 count) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].topics[0] == topic) ++count;
        }
    }

    function assertDue(uint128 totalClaimed, uint128 totalSettled) internal view {
        (uint128 foundClaimed, uint128 foundSettled) = settlement.receivers(receiver, USDC);
        assertEq(foundClaimed, totalClaimed, "due");
        assertEq(foundSettled, totalSettled, "settled");
    }

    function assertChannel(ChannelConfig memory config, uint128 balance, uint128 totalClaimed) internal view {
        (uint128 foundBalance, uint128 foundClaimed) = settlement.channels(settlement.getChannelId(config));
        assertEq(foundBalance, balance, "balance");
        assertEq(foundClaimed, totalClaimed, "claimed");
    }
}
