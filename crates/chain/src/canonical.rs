//! Where contracts for payments over HTTP stand on every chain that has them. Clients of x402 have these addresses
//! built in, so a signature for a channel names them whether it is meant or not.

pub use wire::x402::typed::{BATCH_SETTLEMENT, ERC3009_COLLECTOR, PERMIT2, PERMIT2_COLLECTOR};

use alloy::primitives::{Address, address};

/// Multicall3, with which facilitators read several facts at once. Source: <https://www.multicall3.com>.
pub const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");
