//! What a channel takes and what it refuses, and what follows.

use alloy_primitives::{U256, address, b256, hex};
use chain::Wallet;
use proptest::prelude::*;

use super::*;

const CONTRACT: Address = typed::BATCH_SETTLEMENT;
const NOW: u64 = 1_800_000_000;
/// Order of the curve.
const ORDER: B256 = b256!("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");

fn wallet() -> Wallet {
    Wallet::from_bytes(&[7; 32]).unwrap()
}

fn separator() -> B256 {
    typed::batch_domain(84_532, CONTRACT).separator()
}

fn config() -> ChannelConfig {
    ChannelConfig {
        payer: wallet().address(),
        payer_authorizer: wallet().address(),
        receiver: Address::repeat_byte(2),
        receiver_authorizer: Address::repeat_byte(3),
        token: address!("036CbD53842c5426634e7929541eC2318f3dCF7e"),
        withdraw_delay: 3600,
        salt: B256::ZERO,
    }
}

/// A channel with 1000 in it, of which 100 were charged and 50 claimed.
fn channel() -> ChannelState {
    let seen = Seen { balance: 1000, claimed: 50, ..Seen::default() };
    ChannelState { charged: 100, signed_max: 100, ..ChannelState::new(config(), separator()).synced(seen, NOW) }
}

fn signed_by(wallet: &Wallet, separator: B256, id: B256, total: u128) -> VoucherFields {
    let signature = wallet.sign_digest(typed::voucher_digest(&separator, &id, total)).unwrap();
    VoucherFields { channel_id: id, max_claimable_amount: total, signature }
}

fn voucher(total: u128) -> VoucherFields {
    signed_by(&wallet(), separator(), channel().id, total)
}

#[test]
fn a_voucher_over_what_was_charged_and_the_price_is_taken() {
    let next = channel().take(&voucher(150), 50, NOW).unwrap();
    assert_eq!((next.charged, next.signed_max, next.unclaimed()), (150, 150, 100));
    assert_eq!(next.signature, Some(voucher(150).signature));
    let again = next.take(&voucher(150), 50, NOW).unwrap_err();
    assert_eq!(again, ChannelRefusal::Cumulative { found: 150, expected: 200 }, "a replay pays nothing");
    assert!(again.is_corrective());
}

#[test]
fn everything_else_is_refused_with_the_code_that_clients_know() {
    let id = channel().id;
    let check = |state: ChannelState, voucher: VoucherFields, now: u64, code: &str| {
        assert_eq!(state.take(&voucher, 50, now).map_err(|refusal| refusal.code()).unwrap_err(), code);
    };
    let stranger = Wallet::from_bytes(&[8; 32]).unwrap();
    let mainnet = typed::batch_domain(8453, CONTRACT).separator();
    let elsewhere = typed::batch_domain(84_532, Address::repeat_byte(9)).separator();
    let with = |change: fn(&mut ChannelState)| {
        let mut state = channel();
        change(&mut state);
        state
    };
    check(channel(), voucher(149), NOW, reason::BATCH_CUMULATIVE);
    check(channel(), voucher(151), NOW, reason::BATCH_CUMULATIVE);
    check(channel(), voucher(100), NOW, reason::BATCH_CUMULATIVE);
    check(channel(), voucher(50), NOW, reason::BATCH_CUMULATIVE);
    check(channel(), signed_by(&stranger, separator(), id, 150), NOW, reason::BATCH_VOUCHER_SIGNATURE);
    check(channel(), signed_by(&wallet(), mainnet, id, 150), NOW, reason::BATCH_VOUCHER_SIGNATURE);
    check(channel(), signed_by(&wallet(), elsewhere, id, 150), NOW, reason::BATCH_VOUCHER_SIGNATURE);
    check(channel(), VoucherFields { max_claimable_amount: 150, ..voucher(200) }, NOW, reason::BATCH_VOUCHER_SIGNATURE);
    check(channel(), signed_by(&wallet(), separator(), B256::ZERO, 150), NOW, reason::BATCH_CHANNEL_ID);
    check(with(|it| it.balance = 149), voucher(150), NOW, reason::BATCH_EXCEEDS_BALANCE);
    check(with(|it| it.withdraw_at = Some(NOW)), voucher(150), NOW, reason::BATCH_WITHDRAWING);
    check(with(|it| it.config.payer_authorizer = Address::ZERO), voucher(150), NOW, reason::BATCH_VOUCHER_SIGNATURE);
    check(channel(), voucher(150), NOW + 301, reason::BATCH_STATE_UNAVAILABLE);
    channel().take(&voucher(150), 50, NOW + 300).unwrap();
}

#[test]
fn a_high_s_is_nobodys_signature() {
    let low = voucher(150);
    let s = U256::from_be_slice(&low.signature.0[32..64]);
    let mut high = low.clone();
    high.signature.0[32..64].copy_from_slice(&(U256::from_be_bytes(ORDER.0) - s).to_be_bytes::<32>());
    high.signature.0[64] = 27 + 28 - low.signature.0[64];
    let refused = channel().take(&high, 50, NOW).unwrap_err();
    assert_eq!(refused.code(), reason::BATCH_VOUCHER_SIGNATURE);
    let digest = channel().digest(&low);
    let (_, key) = recover(&digest, &low.signature).unwrap();
    assert!(made_by(&key, &digest, &low.signature));
    assert!(!made_by(&key, &digest, &high.signature), "nor where the key is known");
}

#[test]
fn a_wrong_v_is_repaired_before_a_claim() {
    let mut turned = voucher(150);
    turned.signature.0[64] = 27 + 28 - turned.signature.0[64];
    let digest = channel().digest(&turned);
    assert_eq!(repaired(&digest, &turned.signature, wallet().address()), Some(voucher(150).signature));
    assert_eq!(repaired(&digest, &turned.signature, Address::ZERO), None);
    let state = ChannelState { charged: 150, signed_max: 150, signature: Some(turned.signature), ..channel() };
    assert_eq!(row_of(&state).unwrap().signature, voucher(150).signature);
}

#[test]
fn only_what_was_charged_is_claimed() {
    let state = ChannelState { signed_max: 300, signature: Some(voucher(300).signature), ..channel() };
    let row = row_of(&state).unwrap();
    assert_eq!((row.total_claimed, row.voucher.max_claimable_amount), (100, 300));
    assert_eq!(row_of(&ChannelState { claimed: 100, ..state.clone() }), None);
    assert_eq!(row_of(&ChannelState { signature: None, ..state }), None);
}

#[test]
fn claims_are_due_at_a_dollar_after_a_while_and_when_the_payer_leaves() {
    let policy = ClaimPolicy { at: 80, after_s: 900 };
    let check = |unclaimed: u128, waited: u64, withdraw_at, expected: bool| {
        let state = ChannelState { claimed: 100 - unclaimed, withdraw_at, ..channel() };
        assert_eq!(due(&state, NOW - waited, policy, NOW), expected, "{unclaimed} for {waited} s");
    };
    check(79, 899, None, false);
    check(80, 0, None, true);
    check(1, 900, None, true);
    check(0, 100_000, None, false);
    check(1, 0, Some(NOW), true);
    check(0, 0, Some(NOW), false);
}

#[test]
fn only_the_payer_gets_money_back_and_only_what_is_left() {
    let state = channel();
    assert_eq!(state.refundable(&voucher(100), None), Ok(900));
    assert_eq!(state.refundable(&voucher(100), Some(30)), Ok(30));
    let code = |found: Result<u128, ChannelRefusal>| found.unwrap_err().code();
    assert_eq!(code(state.refundable(&voucher(100), Some(901))), reason::BATCH_REFUND_AMOUNT);
    assert_eq!(code(state.refundable(&voucher(100), Some(0))), reason::BATCH_REFUND_AMOUNT);
    assert_eq!(code(state.refundable(&voucher(50), None)), reason::BATCH_CUMULATIVE, "an older one is no leave");
    let stranger = Wallet::from_bytes(&[8; 32]).unwrap();
    let theirs = signed_by(&stranger, separator(), state.id, 100);
    assert_eq!(code(state.refundable(&theirs, None)), reason::BATCH_VOUCHER_SIGNATURE);
    let empty = ChannelState { balance: 100, ..state };
    assert_eq!(code(empty.refundable(&voucher(100), None)), reason::BATCH_REFUND_EMPTY);
}

#[test]
fn a_tick_pays_ten_minutes_ahead_at_most() {
    assert_eq!(prepaid(NOW, 600, NOW), Ok(NOW + 600));
    assert_eq!(prepaid(NOW + 590, 10, NOW), Ok(NOW + 600));
    assert_eq!(prepaid(NOW + 590, 11, NOW), Err(ChannelRefusal::Prepaid { seconds: 601 }));
    assert_eq!(prepaid(NOW - 100, 30, NOW), Ok(NOW - 70), "what is overdue is paid first");
}

#[test]
fn a_corrective_offer_proves_what_it_says() {
    let state = channel().take(&voucher(150), 50, NOW).unwrap();
    let plain = BatchOffer {
        receiver_authorizer: Address::repeat_byte(3),
        withdraw_delay: 3600,
        name: "USDC".into(),
        version: "2".into(),
        min_deposit: None,
        channel_state: None,
        voucher_state: None,
    };
    let told = state.corrected(plain.clone());
    assert_eq!(told.channel_state.unwrap().charged_cumulative_amount, Some(150));
    let proof = told.voucher_state.unwrap();
    assert_eq!((proof.signed_max_claimable, proof.signature), (Some(150), Some(voucher(150).signature)));
    assert_eq!(channel().corrected(plain).voucher_state, None, "before the first voucher there is no proof");
}

#[test]
fn the_published_voucher_is_its_payers() {
    let payer = address!("70997970C51812dc3A010C7d01b50e0d17dc79C8");
    let config = ChannelConfig {
        payer,
        payer_authorizer: payer,
        receiver: address!("3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        receiver_authorizer: address!("90F79bf6EB2c4f870365E785982E1f101E93b906"),
        withdraw_delay: 900,
        ..config()
    };
    let state = ChannelState::new(config, separator());
    assert_eq!(hex::encode(state.id), "e94a435ba5c4a651c4c975bc5e2a208275f95d4199785ab0d7fbbf56bc9469ec");
    let signature = "0x96ab9f2f2e9956e705fa4ed0238d1a92a28aa1400766685e754c481db780113b0821b72babda6a7005473b5f92863e9e22ce28e0e88fa3156933ac4bd628e56f1c";
    let voucher =
        VoucherFields { channel_id: state.id, max_claimable_amount: 10_000, signature: signature.parse().unwrap() };
    state.signed(&voucher).unwrap();
    // Keys sign deterministically (RFC 6979), so this program makes the same bytes.
    let key = Wallet::from_hex("0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d").unwrap();
    assert_eq!(signed_by(&key, separator(), state.id, 10_000), voucher);
}

proptest! {
    #[test]
    fn no_order_of_vouchers_charges_more_than_was_signed(
        steps in proptest::collection::vec((0_u128..400, 0_u128..400), 1..12),
    ) {
        let mut state = channel();
        let mut paid = state.charged;
        for (total, amount) in steps {
            if let Ok(next) = state.take(&voucher(total), amount, NOW) {
                prop_assert_eq!(next.charged, state.charged + amount);
                prop_assert!(next.charged <= total && next.charged <= next.balance);
                paid += amount;
                state = next;
            }
        }
        prop_assert_eq!(state.charged, paid);
        prop_assert!(state.charged <= state.signed_max);
    }
}
