//! Where contracts for payments over HTTP stand on every chain that has them. Clients of x402 have these addresses
//! built in, so a signature for a channel names them whether it is meant or not.

use alloy::primitives::{Address, address};

/// `x402BatchSettlement`: payment channels.
pub const BATCH_SETTLEMENT: Address = address!("4020074e9dF2ce1deE5A9C1b5c3f541D02a10003");
/// Fills channels by EIP-3009 authorizations.
pub const ERC3009_COLLECTOR: Address = address!("4020806089470a89826cB9fB1f4059150b550004");
/// Fills channels by Permit2.
pub const PERMIT2_COLLECTOR: Address = address!("4020425FAf3B746C082C2f942b4E5159887B0005");
/// Uniswap's Permit2.
pub const PERMIT2: Address = address!("000000000022D473030F116dDEE9F6B43aC78BA3");
