//! Vouchers of every kind against a channel, and what several leases make of one.

use alloy_primitives::{Address, B256};
use chain::Wallet;
use market::PerHour;
use wire::x402::{ChannelConfig, VoucherFields, reason, typed};

use super::{Channel, OnChain, Refusal};
use crate::lease::account::Account;

const SEPARATOR: B256 = B256::repeat_byte(9);

struct Payer {
    wallet: Wallet,
    channel: Channel,
    id: B256,
}

fn payer() -> Payer {
    let wallet = Wallet::random();
    let config = ChannelConfig {
        payer: Address::repeat_byte(1),
        payer_authorizer: wallet.address(),
        receiver: Address::repeat_byte(2),
        receiver_authorizer: Address::repeat_byte(3),
        token: Address::repeat_byte(4),
        withdraw_delay: 86_400,
        salt: B256::ZERO,
    };
    let id = config.id(&SEPARATOR);
    let channel =
        Channel::new(config, OnChain { balance: 1000, claimed: 100, withdraw_at: None, refund_nonce: 0, at: 0 });
    Payer { wallet, channel, id }
}

impl Payer {
    fn sign(&self, max: u128) -> VoucherFields {
        let signature = self.wallet.sign_digest(typed::voucher_digest(&SEPARATOR, &self.id, max)).unwrap();
        VoucherFields { channel_id: self.id, max_claimable_amount: max, signature }
    }

    fn take(&self, voucher: &VoucherFields, amount: u128) -> Result<Channel, &'static str> {
        self.channel.take(self.id, voucher, amount, (&SEPARATOR, 300)).map_err(|Refusal { code, .. }| code)
    }
}

#[test]
fn a_voucher_pays_exactly_what_is_due() {
    let mut payer = payer();
    for (max, amount, expected) in [
        (150, 50, Ok(())),
        (149, 50, Err(reason::BATCH_CUMULATIVE)),
        (151, 50, Err(reason::BATCH_CUMULATIVE)),
        (100, 50, Err(reason::BATCH_CUMULATIVE)),
        (50, 50, Err(reason::BATCH_CUMULATIVE)),
        (1000, 900, Ok(())),
        (1001, 901, Err(reason::BATCH_EXCEEDS_BALANCE)),
        (0, u128::MAX, Err(reason::BATCH_CUMULATIVE)),
    ] {
        assert_eq!(payer.take(&payer.sign(max), amount).map(drop), expected, "{max} for {amount}");
    }
    let first = payer.sign(150);
    payer.channel = payer.take(&first, 50).unwrap();
    assert_eq!((payer.channel.charged, payer.channel.signed_max), (150, 150));
    assert_eq!(payer.take(&first, 50).map(drop), Err(reason::BATCH_CUMULATIVE), "the same again pays nothing");
}

#[test]
fn a_voucher_of_somebody_else_or_for_something_else_is_none() {
    let payer = payer();
    let good = payer.sign(150);
    let stranger = Payer { wallet: Wallet::random(), channel: payer.channel.clone(), id: payer.id };
    assert_eq!(payer.take(&stranger.sign(150), 50).map(drop), Err(reason::BATCH_VOUCHER_SIGNATURE));
    let elsewhere = VoucherFields { channel_id: B256::repeat_byte(7), ..good.clone() };
    assert_eq!(payer.take(&elsewhere, 50).map(drop), Err(reason::BATCH_CHANNEL_ID));
    let other_domain = payer.channel.take(payer.id, &good, 50, (&B256::repeat_byte(8), 0)).map_err(|it| it.code);
    assert_eq!(other_domain.map(drop), Err(reason::BATCH_VOUCHER_SIGNATURE), "signed for another chain or contract");
    let mut high = good.clone();
    // The other root of the same signature, in the upper half of the order (EIP-2).
    let order =
        alloy_primitives::U256::from_str_radix("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", 16);
    let s = alloy_primitives::U256::from_be_slice(&high.signature.0[32..64]);
    high.signature.0[32..64].copy_from_slice(&(order.unwrap() - s).to_be_bytes::<32>());
    high.signature.0[64] = 55 - high.signature.0[64];
    assert_eq!(payer.take(&high, 50).map(drop), Err(reason::BATCH_VOUCHER_SIGNATURE));
}

#[test]
fn nothing_is_taken_while_money_leaves() {
    let mut payer = payer();
    let good = payer.sign(150);
    payer.channel.withdraw_at = Some(7);
    assert_eq!(payer.take(&good, 50).map(drop), Err(reason::BATCH_WITHDRAWING));
    payer.channel.withdraw_at = None;
    payer.channel.closing = true;
    assert_eq!(payer.take(&good, 50).map(drop), Err(reason::BATCH_BUSY));
}

#[test]
fn leases_of_one_channel_add_up_to_the_unit() {
    let mut payer = payer();
    let leases = [B256::repeat_byte(0x11), B256::repeat_byte(0x22)];
    for lease in leases {
        let voucher = payer.sign(payer.channel.charged + 10);
        let mut next = payer.take(&voucher, 10).unwrap();
        next.accounts.insert(lease, Account::open(PerHour(3600), Channel::voucher(&voucher, 10)));
        payer.channel = next;
    }
    for (lease, seconds) in [(leases[0], 30), (leases[1], 7), (leases[0], 5)] {
        let amount = payer.channel.accounts[&lease].price_of(seconds);
        let voucher = payer.sign(payer.channel.charged + amount);
        let mut next = payer.take(&voucher, amount).unwrap();
        next.accounts.get_mut(&lease).unwrap().paid += seconds;
        payer.channel = next;
    }
    assert_eq!((payer.channel.charged, payer.channel.earned()), (100 + 20 + 42, 120), "nothing ran yet");
    payer.channel.accounts.get_mut(&leases[0]).unwrap().served = 12;
    payer.channel.accounts.get_mut(&leases[1]).unwrap().served = 99;
    assert_eq!((payer.channel.unclaimed(), payer.channel.rest()), (20 + 12 + 7, 1000 - 100 - 39));
    payer.channel.note(50);
    assert_eq!((payer.channel.unclaimed_since, payer.channel.idle_since), (Some(50), None));
    leases.iter().for_each(|lease| payer.channel.accounts.get_mut(lease).unwrap().over = true);
    payer.channel.note(60);
    assert_eq!((payer.channel.unclaimed_since, payer.channel.idle_since), (Some(50), Some(60)));
    payer.channel.note(40);
    assert_eq!(payer.channel.idle_since, Some(40), "a clock that was set back shortens no patience");
    let (earned, balance) = (payer.channel.earned(), payer.channel.balance);
    let after = balance - payer.channel.rest();
    payer.channel.closed(OnChain { balance: after, claimed: earned, withdraw_at: None, refund_nonce: 1, at: 0 });
    assert_eq!((payer.channel.charged, payer.channel.rest(), payer.channel.unclaimed()), (earned, 0, 0));
}

#[test]
fn what_was_read_too_long_ago_takes_no_voucher() {
    let payer = payer();
    let voucher = payer.sign(150);
    let take = |now| payer.channel.take(payer.id, &voucher, 50, (&SEPARATOR, now)).map(drop).map_err(|it| it.code);
    assert_eq!(take(300), Ok(()));
    assert_eq!(take(301), Err(reason::BATCH_STATE_UNAVAILABLE));
}

#[test]
fn no_more_is_claimed_than_a_withdrawal_left() {
    let mut payer = payer();
    payer.channel = payer.take(&payer.sign(600), 500).unwrap();
    assert_eq!((payer.channel.claimable(), payer.channel.unclaimed()), (600, 500));
    payer.channel.read(OnChain { balance: 250, claimed: 100, withdraw_at: None, refund_nonce: 0, at: 0 });
    assert_eq!((payer.channel.claimable(), payer.channel.unclaimed(), payer.channel.rest()), (250, 150, 0));
    payer.channel.read(OnChain { balance: 100, claimed: 100, withdraw_at: None, refund_nonce: 0, at: 0 });
    assert_eq!((payer.channel.unclaimed(), payer.channel.rest()), (0, 0));
}
