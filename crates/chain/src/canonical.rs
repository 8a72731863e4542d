//! Where contracts for payments over HTTP stand on every chain that has them. Clients of x402 have these addresses
//! built in, so a signature for a channel names them whether it is meant or not.

pub use wire::x402::typed::{BATCH_SETTLEMENT, ERC3009_COLLECTOR, PERMIT2, PERMIT2_COLLECTOR};
