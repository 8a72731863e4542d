//! Payment channels and the dollar at their canonical addresses on a development chain.

use alloy::{
    primitives::{Address, B256, Bytes, U256, aliases::U40, b256},
    sol_types::SolStruct,
};
use chain::{
    ChannelEvent as C, Channels, Erc20, MarketRevert as R, ReceiverTotals, Wallet, Withdrawal, X402, calls,
    calls::{erc20::Authorized, x402::Claim},
    canonical, usdc,
};
use market::{Amount, Seconds};
use testkit::{TestMarket, TestMarketConfig};
use wire::x402::typed::{
    ChannelConfig, ReceiveWithAuthorization, Refund, TransferWithAuthorization, Voucher, batch_domain, deposit_nonce,
};

const DELAY_S: u64 = 900;

async fn dollars() -> TestMarket {
    TestMarket::with(TestMarketConfig { x402: true, ..TestMarketConfig::default() }).await.unwrap()
}

/// A channel from the renter to the owner, whose agent authorizes.
fn channel(t: &TestMarket) -> ChannelConfig {
    ChannelConfig {
        payer: t.renter.address(),
        payerAuthorizer: t.renter.address(),
        receiver: t.owner.address(),
        receiverAuthorizer: t.agent.address(),
        token: t.market.token(),
        withdrawDelay: U40::from(DELAY_S),
        salt: B256::repeat_byte(1),
    }
}

fn id(config: &ChannelConfig) -> B256 {
    config.eip712_signing_hash(&batch_domain(usdc::BASE_SEPOLIA, canonical::BATCH_SETTLEMENT))
}

fn signed(wallet: &Wallet, statement: &impl SolStruct) -> Bytes {
    let domain = batch_domain(usdc::BASE_SEPOLIA, canonical::BATCH_SETTLEMENT);
    wallet.sign_digest(statement.eip712_signing_hash(&domain)).unwrap().0.into()
}

fn claim_of(t: &TestMarket, config: &ChannelConfig, total: u128) -> Claim {
    let voucher = Voucher { channelId: id(config), maxClaimableAmount: total };
    let signature = signed(t.renter.wallet(), &voucher);
    Claim { channel: config.clone(), max_claimable: total, signature, total_claimed: total }
}

/// Fills the channel by EIP-3009; the stranger pays the gas.
async fn deposit(t: &TestMarket, token: &Erc20, config: &ChannelConfig, amount: u128, salt: u64) {
    let (salt, before) = (U256::from(salt), U256::from(t.now().await.unwrap().0 + 600));
    let authorization = ReceiveWithAuthorization {
        from: config.payer,
        to: canonical::ERC3009_COLLECTOR,
        value: U256::from(amount),
        validAfter: U256::ZERO,
        validBefore: before,
        nonce: deposit_nonce(id(config), salt),
    };
    let digest = token.signing_hash(&authorization).unwrap();
    let signature = Bytes::from(t.renter.wallet().sign_digest(digest).unwrap().0);
    let data = calls::x402::erc3009_data(U256::ZERO, before, salt, signature);
    let at = canonical::BATCH_SETTLEMENT;
    let call = calls::x402::deposit(at, config, amount, canonical::ERC3009_COLLECTOR, data);
    t.stranger.execute(&call).await.unwrap();
    assert!(token.authorization_used(config.payer, authorization.nonce).await.unwrap());
}

#[tokio::test]
async fn a_channel_is_filled_claimed_settled_and_closed() {
    let t = dollars().await;
    let token = Erc20::open(t.chain.clone(), t.market.token()).await.unwrap();
    let channels = Channels::open(t.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let (at, config) = (channels.address(), channel(&t));
    let id = id(&config);
    assert_eq!(channels.id(&config).await.unwrap(), id);
    deposit(&t, &token, &config, 50_000, 1).await;
    assert_eq!(channels.channel(id).await.unwrap(), chain::Channel { balance: 50_000, claimed: 0 });

    let early = t.stranger.execute(&calls::x402::claim(at, &[claim_of(&t, &config, 10)])).await.unwrap_err();
    assert_eq!(early.revert(), Some(&R::Refused("NotAuthorizedToClaim".into())), "{early}");
    let mut forged = claim_of(&t, &config, 20_000);
    forged.signature = signed(t.stranger.wallet(), &Voucher { channelId: id, maxClaimableAmount: 20_000 });
    let tried = [forged, claim_of(&t, &config, 10_000)];
    let mined = t.agent.execute(&calls::x402::claim_try(at, &tried)).await.unwrap();
    let events: Vec<_> = mined.logs.iter().filter_map(|log| channels.event(log)).collect();
    let [C::ClaimSkipped { channel: skipped, .. }, C::Claimed { total: 10_000, .. }] = events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(skipped, id);
    let totals = ReceiverTotals { claimed: Amount(10_000), settled: Amount::ZERO };
    assert_eq!(channels.receiver(config.receiver, config.token).await.unwrap(), totals);
    t.stranger.execute(&calls::x402::settle(at, config.receiver, config.token)).await.unwrap();
    let totals = ReceiverTotals { settled: Amount(10_000), ..totals };
    assert_eq!(channels.receiver(config.receiver, config.token).await.unwrap(), totals);

    let nonce = channels.refund_nonce(id).await.unwrap();
    let refund = Refund { channelId: id, nonce, amount: 5_000 };
    let signature = signed(t.agent.wallet(), &refund);
    let call = calls::x402::refund_with_signature(at, &config, 5_000, nonce, signature);
    t.stranger.execute(&call).await.unwrap();
    assert_eq!(channels.refund_nonce(id).await.unwrap(), nonce + U256::ONE);
    let closing = calls::x402::close(at, &claim_of(&t, &config, 25_000), 20_000, Bytes::new());
    let closed = t.agent.execute(&closing).await.unwrap();
    let left = channels.channel(id).await.unwrap();
    assert_eq!((left.balance, left.claimed), (25_000, 25_000));
    let told = channels.events(closed.block, None).await.unwrap();
    assert!(told.iter().any(|it| matches!(it.event, C::Refunded { amount: 20_000, .. })), "{told:?}");
    assert!(told.iter().any(|it| matches!(it.event, C::Settled { amount: 15_000, .. })), "{told:?}");
    assert!(told.iter().all(|it| it.log.tx == closed.tx));
    assert_eq!(token.balance_of(at).await.unwrap(), Amount::ZERO);
}

#[tokio::test]
async fn a_payer_takes_money_back_after_the_delay() {
    let t = dollars().await;
    let token = Erc20::open(t.chain.clone(), t.market.token()).await.unwrap();
    let channels = Channels::open(t.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let (at, config) = (channels.address(), channel(&t));
    deposit(&t, &token, &config, 9_000, 1).await;
    let id = id(&config);
    assert_eq!(channels.pending_withdrawal(id).await.unwrap(), None);
    let begun = t.renter.execute(&calls::x402::initiate_withdraw(at, &config, 9_000)).await.unwrap();
    let pending = Withdrawal { amount: 9_000, announced_at: begun.timestamp };
    assert_eq!(channels.pending_withdrawal(id).await.unwrap(), Some(pending));
    let told = channels.events(begun.block, None).await.unwrap();
    let finalize_after = begun.timestamp.after(Seconds(DELAY_S));
    assert_eq!(told[0].event, C::WithdrawInitiated { channel: id, amount: 9_000, finalize_after });
    let call = calls::x402::finalize_withdraw(at, &config);
    let early = t.renter.execute(&call).await.unwrap_err();
    assert_eq!(early.revert(), Some(&R::Refused("WithdrawDelayNotElapsed".into())), "{early}");
    t.advance(Seconds(DELAY_S + 1)).await.unwrap();
    t.renter.execute(&call).await.unwrap();
    assert_eq!(channels.channel(id).await.unwrap().balance, 0);
}

#[tokio::test]
async fn the_dollar_is_where_clients_look_for_it() {
    let t = dollars().await;
    let token = Erc20::open(t.chain.clone(), t.market.token()).await.unwrap();
    let known = usdc::on(usdc::BASE_SEPOLIA).unwrap();
    assert_eq!((t.chain.id(), token.address()), (known.chain_id, known.address));
    assert_eq!((token.name(), token.version(), token.decimals()), ("USDC", Some("2"), usdc::DECIMALS));
    assert_eq!(token.domain_separator(), Some(known.domain_separator));
    let stands = X402::on(&t.chain).await.unwrap().unwrap();
    assert_eq!(
        (stands.channels, stands.erc3009_collector),
        (canonical::BATCH_SETTLEMENT, canonical::ERC3009_COLLECTOR)
    );
    assert_eq!((stands.permit2_collector, t.deployment.x402), (None, Some(stands)), "there is no Permit2 here");
    // The channel of the published test vector.
    let at = |text: &str| text.parse::<Address>().unwrap();
    let vector = ChannelConfig {
        payer: at("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        payerAuthorizer: at("0x70997970C51812dc3A010C7d01b50e0d17dc79C8"),
        receiver: at("0x3C44CdDdB6a900fa2b585dd299e03d12FA4293BC"),
        receiverAuthorizer: at("0x90F79bf6EB2c4f870365E785982E1f101E93b906"),
        token: known.address,
        withdrawDelay: U40::from(900),
        salt: B256::ZERO,
    };
    let channels = Channels::open(t.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap();
    let expected = b256!("e94a435ba5c4a651c4c975bc5e2a208275f95d4199785ab0d7fbbf56bc9469ec");
    assert_eq!(channels.id(&vector).await.unwrap(), expected);

    // Anybody hands in an authorization; it pays once.
    let what = TransferWithAuthorization {
        from: t.renter.address(),
        to: t.judge.address(),
        value: U256::from(77),
        validAfter: U256::ZERO,
        validBefore: U256::MAX,
        nonce: B256::repeat_byte(7),
    };
    let digest = token.signing_hash(&what).unwrap();
    let signature = Bytes::from(t.renter.wallet().sign_digest(digest).unwrap().0);
    let authorized = Authorized {
        from: what.from,
        to: what.to,
        value: what.value,
        valid_after: what.validAfter,
        valid_before: what.validBefore,
        nonce: what.nonce,
    };
    assert_eq!(token.authorized_transfer(what.from, what.nonce, 0).await.unwrap(), None);
    let call = calls::erc20::transfer_with_authorization(token.address(), &authorized, signature);
    let paid = t.stranger.execute(&call).await.unwrap();
    let found = token.authorized_transfer(what.from, what.nonce, 0).await.unwrap().unwrap();
    assert_eq!((found.tx, found.to, found.amount), (paid.tx, what.to, Amount(77)));
    let again = t.stranger.execute(&call).await.unwrap_err();
    assert_eq!(again.revert(), Some(&R::AuthorizationUsed(what.from)), "{again}");
}

/// The same code on a chain of development, where no dollar is known.
#[tokio::test]
async fn the_dollar_of_another_chain_is_not_placed() {
    let t = TestMarket::start().await.unwrap();
    let error = t.dev.place_x402().await.unwrap_err().to_string();
    assert!(error.contains("84532"), "{error}");
    assert!(t.deployment.x402.is_none());
    let error = Channels::open(t.chain.clone(), canonical::BATCH_SETTLEMENT).await.unwrap_err();
    assert!(matches!(error, chain::ChainError::NoContract { .. }), "{error}");
    let error = Erc20::open(t.chain.clone(), Address::repeat_byte(3)).await.unwrap_err();
    assert!(matches!(error, chain::ChainError::NoToken { .. }), "{error}");
}
