//! One call of a contract, ready for whoever sends it.

use alloy::{
    primitives::{Address, Bytes},
    sol_types::SolCall,
};

/// What to call and with which words. It moves no coin of the chain's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// The contract.
    pub to: Address,
    /// The function's selector and arguments.
    pub input: Bytes,
    /// Gas to grant. `None` grants what the call needs at the moment and a quarter more, which is too little for calls
    /// that do nothing now and may find work by the time they are mined.
    pub gas: Option<u64>,
}

impl Call {
    /// A call that gets the gas it needs.
    #[must_use]
    pub fn new<C: SolCall>(to: Address, call: &C) -> Self {
        Self { to, input: call.abi_encode().into(), gas: None }
    }

    /// The same call with this much gas.
    #[must_use]
    pub fn with_gas(self, gas: u64) -> Self {
        Self { gas: Some(gas), ..self }
    }
}
