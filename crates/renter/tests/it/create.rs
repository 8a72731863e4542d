//! The job file before the money, and neither where the other cannot be.

use std::{fs, os::unix::fs::PermissionsExt};

use chain::{ChainError, MarketRevert, Wallet};
use market::{Amount, Needs, PerHour, Status};
use renter::{Controller, Order, RenterError};
use testkit::eventually;
use wire::Terms;

use crate::stage::{DURATION, PATIENCE, PRICE, Stage, spec};

fn files(stage: &Stage) -> Vec<std::path::PathBuf> {
    fs::read_dir(stage.jobs_dir.path()).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn the_file_is_there_before_the_money_moves() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let order = stage.order(Controller::Session).await;
    stage.town.dev.automine(false).await.unwrap();
    let renter = stage.renter.clone();
    let creating = tokio::spawn(async move { renter.create(&order).await });
    let file = eventually(PATIENCE, async || stage.renter.jobs().list().unwrap().pop()).await;
    assert_eq!(stage.money().await, before);
    assert_eq!(stage.town.market.job(file.id()).await.unwrap().status, Status::None);
    assert_eq!(file.created_in, None);
    let mode = fs::metadata(&files(&stage)[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "the session key is nobody else's");

    stage.town.dev.automine(true).await.unwrap();
    let placed = eventually(PATIENCE, async || {
        stage.town.dev.mine(1).await.unwrap();
        creating.is_finished().then_some(())
    });
    placed.await;
    let placed = creating.await.unwrap().unwrap();
    assert_eq!(placed.job.id(), file.id());
    let mode = fs::metadata(&files(&stage)[0]).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let known = stage.renter.jobs().find(&file.id().short()).unwrap();
    assert_eq!((known.created_in, files(&stage).len()), (Some(placed.mined.tx), 1));
    assert_eq!(stage.town.market.job(file.id()).await.unwrap().status, Status::Created);
    assert!(known.from_block < placed.mined.block);
    let controller = Wallet::from_hex(known.session_key.as_ref().unwrap()).unwrap().address();
    assert_eq!(Terms::try_from(&known.terms).unwrap().controller, controller);
    assert!(!format!("{known:?}").contains(&known.session_key.as_ref().unwrap()[2..]), "never printed");
}

#[tokio::test]
async fn a_price_that_rose_moves_nothing_and_leaves_no_file() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let quote = stage.quote().await;
    stage.town.owner.update_pricing(stage.resource, PerHour(PRICE.0 + 1)).await.unwrap();
    let err = stage.renter.create(&Order { quote, spec: spec(), controller: Controller::Session }).await.unwrap_err();
    let RenterError::Chain(ChainError::Reverted(MarketRevert::PriceTooLow { offered, listed })) = err else {
        panic!("{err}")
    };
    assert_eq!((offered, listed.0), (PRICE, PRICE.0 + 1));
    assert!(files(&stage).is_empty());
    assert_eq!(stage.money().await, before);
}

#[tokio::test]
async fn a_wallet_with_too_little_writes_no_file() {
    let stage = Stage::new().await;
    let account = stage.town.newcomer().await.unwrap();
    let held = stage.town.market.token_balance(account.address()).await.unwrap();
    let price = PerHour(held.0);
    stage.town.owner.update_pricing(stage.resource, price).await.unwrap();
    let renter = stage.renter_of(account.clone());
    let quote = renter.quote(&Needs::default(), DURATION).await.unwrap();
    let short = quote.shortfall().unwrap();
    assert_eq!((short.have, short.need, short.missing.0), (held, price.cost(DURATION), quote.locked.0 - held.0));
    let err = renter.create(&Order { quote, spec: spec(), controller: Controller::Session }).await.unwrap_err();
    let RenterError::TooLittleMoney { wallet, .. } = &err else { panic!("{err}") };
    assert_eq!(*wallet, account.address().to_string());
    assert!(files(&stage).is_empty());
    assert_eq!(stage.town.market.token_balance(account.address()).await.unwrap(), held);
}

#[tokio::test]
async fn without_an_allowance_exactly_the_lock_is_permitted() {
    let stage = Stage::new().await;
    let account = stage.town.newcomer().await.unwrap();
    let held = stage.town.market.token_balance(account.address()).await.unwrap();
    let renter = stage.renter_of(account.clone());
    let quote = renter.quote(&Needs::default(), DURATION).await.unwrap();
    let locked = quote.locked;
    let placed = renter.create(&Order { quote, spec: spec(), controller: Controller::Session }).await.unwrap();
    assert_eq!(stage.town.market.token_balance(account.address()).await.unwrap(), held.saturating_sub(locked));
    assert_eq!(stage.town.market.allowance(account.address()).await.unwrap(), Amount::ZERO);
    renter.stop(&placed.job).await.unwrap();
    assert_eq!(stage.town.market.token_balance(account.address()).await.unwrap(), held);
}
