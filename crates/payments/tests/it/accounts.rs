//! People with a password.

use std::net::IpAddr;

use alloy_primitives::Address;
use market::Timestamp;
use payments::PaymentsError;
use payments::accounts::{Accounts, LOCKED_S, MEMORY_KIB, PASSES, TRIES_A_MINUTE, WRONG_MAX};
use payments::ledger::{Ledger, LedgerConfig};
use store::{AccountId, Store};
use testkit::TestDatabase;

use crate::ledger::{NOW, asset, credit, hash, open};

on_both_engines! {
    people_sign_up_and_log_in
    wrong_passwords_lock_an_account_for_a_while
    a_network_address_tries_so_often
    a_wallet_with_money_of_its_own_is_not_linked
}

const PASSWORD: &str = "correct horse battery";

async fn accounts(store: &Store) -> Accounts {
    Accounts::new(Ledger::start(store.clone(), LedgerConfig::default())).await.unwrap()
}

/// Another network address each time.
fn from(n: u8) -> Option<IpAddr> {
    Some([10, 0, 0, n].into())
}

async fn people_sign_up_and_log_in(database: &TestDatabase) {
    let store = open(database).await;
    let it = accounts(&store).await;
    let account = it.sign_up("Ada@Example.com", PASSWORD, from(1), NOW).await.unwrap();
    assert!(account.0[..12].iter().any(|byte| *byte != 0), "no address can be its");
    let taken = it.sign_up("ada@example.com ", "another password", from(1), NOW).await;
    assert!(matches!(taken, Err(PaymentsError::EmailTaken)), "{taken:?}");
    assert_eq!(it.log_in(" ADA@example.com", PASSWORD, from(1), NOW).await.unwrap(), account);
    for (email, password) in [("ada@example.com", "wrong password"), ("eve@example.com", PASSWORD), ("ada", PASSWORD)] {
        let refused = it.log_in(email, password, from(1), NOW).await.unwrap_err();
        assert!(matches!(refused, PaymentsError::WrongCredentials), "{email}: {refused}");
    }
    let kept = store.user(account).await.unwrap().unwrap();
    let cost = format!("$argon2id$v=19$m={MEMORY_KIB},t={PASSES},p=1$");
    assert!(kept.password.starts_with(&cost) && MEMORY_KIB >= 19 * 1024 && PASSES >= 2, "{}", kept.password);
    assert!(!format!("{kept:?}").contains("argon2"), "digests are not shown");
    // A session is the account's, and no address's.
    store.new_account_session(hash(1), account.0, NOW, Timestamp(NOW.0 + 100)).await.unwrap();
    let session = store.session(hash(1), NOW).await.unwrap().unwrap();
    assert_eq!(session.account, Some(account.0));
    let again = it.change_password("ada@example.com", PASSWORD, "a better password", from(2), NOW).await.unwrap();
    assert_eq!(again, account);
    assert_eq!(store.session(hash(1), NOW).await.unwrap(), None, "its sessions are over");
    assert!(it.log_in("ada@example.com", PASSWORD, from(2), NOW).await.is_err());
    assert_eq!(it.log_in("ada@example.com", "a better password", from(2), NOW).await.unwrap(), account);
}

async fn wrong_passwords_lock_an_account_for_a_while(database: &TestDatabase) {
    let store = open(database).await;
    let it = accounts(&store).await;
    let account = it.sign_up("ada@example.com", PASSWORD, from(1), NOW).await.unwrap();
    let bob = it.sign_up("bob@example.com", PASSWORD, from(1), NOW).await.unwrap();
    // From many addresses at once.
    let tries: Vec<_> = (0..WRONG_MAX as u8 + 6)
        .map(|n| {
            let it = it.clone();
            tokio::spawn(async move { it.log_in("ada@example.com", "wrong password", from(n + 2), NOW).await })
        })
        .collect();
    for wrong in tries {
        assert!(matches!(wrong.await.unwrap(), Err(PaymentsError::WrongCredentials)));
    }
    assert_eq!(store.user(account).await.unwrap().unwrap().failed, WRONG_MAX, "no more were looked at");
    let locked = it.log_in("ada@example.com", PASSWORD, from(99), NOW).await.unwrap_err();
    assert!(matches!(locked, PaymentsError::WrongCredentials), "{locked}");
    assert_eq!(it.log_in("bob@example.com", PASSWORD, from(99), NOW).await.unwrap(), bob, "others go on");
    // Whoever goes on guessing waits twice as long, and whoever knows it comes in after that.
    let later = Timestamp(NOW.0 + LOCKED_S);
    it.log_in("ada@example.com", "wrong password", from(99), later).await.unwrap_err();
    it.log_in("ada@example.com", PASSWORD, from(99), Timestamp(later.0 + 2 * LOCKED_S - 1)).await.unwrap_err();
    let later = Timestamp(later.0 + 2 * LOCKED_S);
    assert_eq!(it.log_in("ada@example.com", PASSWORD, from(99), later).await.unwrap(), account);
    assert_eq!(store.user(account).await.unwrap().unwrap().failed, 0);
}

async fn a_network_address_tries_so_often(database: &TestDatabase) {
    let store = open(database).await;
    let it = accounts(&store).await;
    for n in 0..TRIES_A_MINUTE.get() + 5 {
        let tried = it.log_in(&format!("p{n}@example.com"), PASSWORD, None, NOW).await;
        assert!(matches!(tried, Err(PaymentsError::WrongCredentials)), "who is not counted is not refused: {tried:?}");
    }
    let mut refused = 0;
    for n in 0..TRIES_A_MINUTE.get() + 5 {
        let tried = it.log_in(&format!("p{n}@example.com"), PASSWORD, from(1), NOW).await;
        refused += u32::from(matches!(tried, Err(PaymentsError::TooManyTries { .. })));
    }
    assert!((1..=5).contains(&refused), "{refused}");
    assert!(matches!(it.log_in("a@b.cd", PASSWORD, from(2), NOW).await, Err(PaymentsError::WrongCredentials)));
}

async fn a_wallet_with_money_of_its_own_is_not_linked(database: &TestDatabase) {
    let store = open(database).await;
    let it = accounts(&store).await;
    let ada = it.sign_up("ada@example.com", PASSWORD, None, NOW).await.unwrap();
    let (rich, poor) = (Address::repeat_byte(7), Address::repeat_byte(8));
    let ledger = Ledger::start(store.clone(), LedgerConfig::default());
    let asset = asset(&store, 1).await;
    credit(&ledger, asset, 1, AccountId::of(rich), 5).await;
    let refused = it.link(rich, ada, NOW).await.unwrap_err();
    assert!(matches!(refused, PaymentsError::OwnMoney { address } if address == rich), "{refused}");
    assert_eq!(store.owner(rich).await.unwrap(), None);
    it.link(poor, ada, NOW).await.unwrap();
    it.link(poor, ada, NOW).await.unwrap();
    assert_eq!(store.owner(poor).await.unwrap(), Some(ada));
}
