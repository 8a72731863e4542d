// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.30;

// Addresses that x402 clients know by heart, the same on every chain. On public chains others deployed what stands
// there; on development chains ours is placed there, with the same interface.
// Source: constants of the npm package @x402/evm, `batch-settlement`.
address constant BATCH_SETTLEMENT = 0x4020074e9dF2ce1deE5A9C1b5c3f541D02a10003;
address constant ERC3009_DEPOSIT_COLLECTOR = 0x4020806089470a89826cB9fB1f4059150b550004;
address constant PERMIT2_DEPOSIT_COLLECTOR = 0x4020425FAf3B746C082C2f942b4E5159887B0005;

// Uniswap's Permit2. Source: https://docs.uniswap.org/contracts/permit2/overview
address constant PERMIT2 = 0x000000000022D473030F116dDEE9F6B43aC78BA3;
