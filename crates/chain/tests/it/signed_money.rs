//! Jobs paid by signature: no approval before, or no gas of the renter at all.

use alloy::{
    providers::{Provider, RootProvider},
    rpc::client::RpcClient,
};
use chain::{Account, Authorization, MarketRevert as R, Wallet};
use market::{Amount, PerHour, Seconds, Status, Timestamp};
use testkit::TestMarket;
use wire::{SignatureBytes, Terms};

const PRICE: PerHour = PerHour(3_600_001);

/// A renter that never approved anything.
async fn fresh(t: &TestMarket) -> (Account, Terms) {
    let renter = t.newcomer().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = Terms { renter: renter.address(), maxDuration: 1001, ..t.terms(resource, PRICE) };
    (renter, terms)
}

async fn soon(t: &TestMarket) -> Timestamp {
    t.now().await.unwrap().after(Seconds(600))
}

#[tokio::test]
async fn a_permit_travels_with_the_order() {
    let t = TestMarket::start().await.unwrap();
    let (renter, terms) = fresh(&t).await;
    let before = t.market.token_balance(renter.address()).await.unwrap();
    renter.create_job_with_permit(&terms).await.unwrap();
    let paid = before.saturating_sub(t.market.token_balance(renter.address()).await.unwrap());
    assert_eq!(paid, PRICE.cost(Seconds(1001)));
    assert_eq!(t.market.allowance(renter.address()).await.unwrap(), Amount::ZERO, "for this job and no more");
    let again = Terms { salt: terms.salt + 1000, ..terms };
    renter.create_job_with_permit(&again).await.unwrap();
}

#[tokio::test]
async fn an_authorization_needs_no_gas_of_the_renter() {
    let t = TestMarket::start().await.unwrap();
    let (renter, terms) = fresh(&t).await;
    t.dev.fund(renter.address(), alloy::primitives::U256::ZERO).await.unwrap();
    let authorization = t.market.authorize(renter.wallet(), &terms, soon(&t).await).await.unwrap();
    t.stranger.create_job_with_authorization(&terms, &authorization).await.unwrap();
    let job = t.market.job(t.market.job_id(&terms)).await.unwrap();
    assert_eq!(job.status, Status::Created);
    let twice = t.stranger.create_job_with_authorization(&terms, &authorization).await.unwrap_err();
    assert_eq!(twice.revert(), Some(&R::JobExists(t.market.job_id(&terms))));
}

/// A wallet that knows nothing of us signs the typed data, and a relayer pays the gas.
#[tokio::test]
async fn a_wallet_elsewhere_signs_the_lock() {
    let t = TestMarket::start().await.unwrap();
    let provider: RootProvider = RootProvider::new(RpcClient::new_http(t.dev.rpc()));
    let wallet = provider.get_accounts().await.unwrap()[0];
    t.deployer.mint(wallet, Amount(10_000_000)).await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = Terms { renter: wallet, ..t.terms(resource, PRICE) };
    let (valid_after, valid_before) = (Timestamp(5), soon(&t).await);
    let typed = t.market.authorization_to_sign(&terms, valid_after, valid_before).await.unwrap();
    let signature: SignatureBytes = provider.client().request("eth_signTypedData_v4", (wallet, typed)).await.unwrap();
    let authorization = Authorization { valid_after, valid_before, signature };
    t.stranger.create_job_with_authorization(&terms, &authorization).await.unwrap();
    assert_eq!(t.market.job(t.market.job_id(&terms)).await.unwrap().status, Status::Created);
    let paid = Amount(10_000_000).saturating_sub(t.market.token_balance(wallet).await.unwrap());
    assert_eq!(paid, PRICE.cost(Seconds(3600)));
}

#[tokio::test]
async fn an_authorization_is_for_one_job_one_renter_and_its_time() {
    let t = TestMarket::start().await.unwrap();
    let (renter, terms) = fresh(&t).await;
    let valid_before = soon(&t).await;
    let good = t.market.authorize(renter.wallet(), &terms, valid_before).await.unwrap();
    let check = async |terms: &Terms, authorization: &Authorization, expected: R| {
        let refused = t.stranger.create_job_with_authorization(terms, authorization).await.unwrap_err();
        assert_eq!(refused.revert(), Some(&expected), "{refused}");
    };
    let signer =
        async |terms: &Terms, authorization: &Authorization| t.market.authorizer(terms, authorization).await.unwrap();
    assert_eq!(signer(&terms, &good).await, Some(renter.address()), "known before anything is sent");
    let other_job = Terms { salt: terms.salt + 1000, ..terms.clone() };
    assert_ne!(signer(&other_job, &good).await, Some(renter.address()));
    check(&other_job, &good, R::AuthorizationNotSigned).await;
    let other_key = t.market.authorize(&Wallet::random(), &terms, valid_before).await.unwrap();
    check(&terms, &other_key, R::AuthorizationNotSigned).await;
    let stretched = Authorization { valid_before: valid_before.after(Seconds(1)), ..good };
    assert_ne!(signer(&terms, &stretched).await, Some(renter.address()));
    check(&terms, &stretched, R::AuthorizationNotSigned).await;
    t.advance(Seconds(601)).await.unwrap();
    check(&terms, &good, R::AuthorizationNotNow { after: Timestamp(0), before: valid_before }).await;
}

#[tokio::test]
async fn an_extension_needs_the_agents_signature() {
    let t = TestMarket::start().await.unwrap();
    let resource = t.list(PRICE).await.unwrap();
    let terms = t.terms(resource, PRICE);
    let job = t.market.job_id(&terms);
    t.renter.create_job(&terms).await.unwrap();
    let (at, signature) = t.ready(&terms, Default::default()).await.unwrap();
    t.agent.start_job(&terms, Default::default(), at, &signature).await.unwrap();
    let expiry = soon(&t).await;
    let statement = wire::signed::Extend {
        jobId: job.0.into(),
        extraSeconds: "120".parse().unwrap(),
        expiry: expiry.0.try_into().unwrap(),
    };
    let sign = |account: &Account| account.wallet().sign(&t.market.domain(), &statement).unwrap();
    let forged = t.renter.extend_job(&terms, Seconds(120), expiry, &sign(&t.stranger)).await.unwrap_err();
    assert_eq!(forged.revert(), Some(&R::BadSignature(t.stranger.address())));
    let before = t.market.token_balance(t.renter.address()).await.unwrap();
    t.renter.extend_job(&terms, Seconds(120), expiry, &sign(&t.agent)).await.unwrap();
    let paid = before.saturating_sub(t.market.token_balance(t.renter.address()).await.unwrap());
    let grown = PRICE.cost(Seconds(3720)).saturating_sub(PRICE.cost(Seconds(3600)));
    assert_eq!((paid, t.market.job(job).await.unwrap().extra), (grown, Seconds(120)));
}
