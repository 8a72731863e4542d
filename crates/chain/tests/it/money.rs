//! The money function twice: `market::Stream` in Rust and the contracts in an EVM, compared to the unit.

use alloy::{
    primitives::{Address, Bytes, Log, TxKind, U256},
    sol,
    sol_types::SolCall,
};
use market::{Amount, BasisPoints, PerHour, Seconds, Stream};
use revm::{
    Context, ExecuteCommitEvm, ExecuteEvm, MainBuilder, MainContext, MainnetEvm,
    context::{
        BlockEnv, TxEnv,
        result::{ExecutionResult, Output},
    },
    database::{CacheDB, EmptyDB},
    handler::MainnetContext,
};
use testkit::{Rng, StdRng, rng};

mod jobs;

sol!(AccrualHarness, "../../contracts/abi/AccrualHarness.json");

/// Cases of the bare functions.
const CASES: u32 = 10_000;
const ADMIN: Address = Address::repeat_byte(0xad);

/// An EVM with a clock that is set at will.
struct Machine {
    evm: MainnetEvm<MainnetContext<CacheDB<EmptyDB>>>,
    now: u64,
}

impl Machine {
    fn new() -> Self {
        let context = Context::mainnet().with_db(CacheDB::<EmptyDB>::default()).modify_cfg_chained(|cfg| {
            cfg.disable_nonce_check = true;
            cfg.tx_gas_limit_cap = Some(u64::MAX);
        });
        let mut machine = Self { evm: context.build_mainnet(), now: 0 };
        machine.at(1_800_000_000);
        machine
    }

    fn at(&mut self, now: u64) {
        self.now = now;
        let block = BlockEnv { timestamp: U256::from(now), gas_limit: u64::MAX, ..BlockEnv::default() };
        self.evm.set_block(block);
    }

    fn transact(&mut self, caller: Address, kind: TxKind, data: Bytes) -> ExecutionResult {
        let gas_limit = 30_000_000;
        let tx = TxEnv { caller, kind, data, gas_limit, gas_price: 0, ..TxEnv::default() };
        self.evm.transact_commit(tx).unwrap()
    }

    fn create(&mut self, bytecode: &Bytes, arguments: &[u8]) -> Address {
        let input = [bytecode.as_ref(), arguments].concat();
        match self.transact(ADMIN, TxKind::Create, input.into()) {
            ExecutionResult::Success { output: Output::Create(_, Some(address)), .. } => address,
            other => panic!("{other:?}"),
        }
    }

    /// Calls and returns what came back and what was logged; the data of a revert is the error.
    fn call<C: SolCall>(&mut self, caller: Address, to: Address, call: &C) -> Result<(C::Return, Vec<Log>), Bytes> {
        match self.transact(caller, TxKind::Call(to), call.abi_encode().into()) {
            ExecutionResult::Success { output, logs, .. } => Ok((C::abi_decode_returns(output.data()).unwrap(), logs)),
            ExecutionResult::Revert { output, .. } => Err(output),
            halt @ ExecutionResult::Halt { .. } => panic!("{halt:?}"),
        }
    }
}

/// Numbers of every size are equally likely, so the small and the huge ones come too.
fn any_size(rng: &mut StdRng, bits: u32) -> u128 {
    let width = rng.next_u64() % u64::from(bits + 1);
    let number = u128::from(rng.next_u64()) << 64 | u128::from(rng.next_u64());
    if width == 0 { 0 } else { number >> (128 - width) }
}

fn below(rng: &mut StdRng, end: u64) -> u64 {
    rng.next_u64() % end.max(1)
}

fn amount(value: U256) -> Amount {
    Amount(value.to())
}

#[test]
fn cost_earned_fee_and_net_are_the_same_functions() {
    let mut machine = Machine::new();
    let at = machine.create(&AccrualHarness::BYTECODE, &[]);
    let mut rng = rng(3);
    for case in 0..CASES {
        let price = PerHour(any_size(&mut rng, 96));
        let duration = Seconds(1 + below(&mut rng, (1 << 32) + (1 << 24)));
        let seconds = Seconds(below(&mut rng, duration.0 + 1));
        let min_charge = Amount(price.cost(Seconds(600)).0 * u128::from(below(&mut rng, 101)) / 100);
        let fee = BasisPoints(u16::try_from(below(&mut rng, 501)).unwrap());
        let stream = Stream { price, min_charge, duration, fee };
        let context = format!("case {case}: {stream:?} after {seconds:?}");

        let [price, min_charge, locked] = [price.0, min_charge.0, stream.locked().0].map(U256::from);
        let duration = U256::from(seconds.0);
        let cost = AccrualHarness::costCall { pricePerHour: price, duration };
        assert_eq!(amount(machine.call(ADMIN, at, &cost).unwrap().0), stream.price.cost(seconds), "{context}");
        let earned = AccrualHarness::earnedCall { pricePerHour: price, minCharge: min_charge, locked, duration };
        let earned = machine.call(ADMIN, at, &earned).unwrap().0;
        assert_eq!(amount(earned), stream.earned(seconds), "{context}");
        let share = AccrualHarness::feeCall { earned_: earned, feeBps: fee.0 };
        assert_eq!(amount(machine.call(ADMIN, at, &share).unwrap().0), fee.of(amount(earned)), "{context}");
        let net = AccrualHarness::netCall { earned_: earned, feeBps: fee.0 };
        assert_eq!(amount(machine.call(ADMIN, at, &net).unwrap().0), stream.net(seconds), "{context}");
    }
}
