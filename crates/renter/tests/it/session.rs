//! Signing in: one message, of this gateway and this chain, and nothing else is signed.

use renter::{RenterError, Session};
use wire::http::NonceJson;

use crate::stage::Stage;

/// What an honest gateway gives.
fn honest(stage: &Stage) -> NonceJson {
    let url = stage.gateway.url();
    let domain = format!("127.0.0.1:{}", url.port().unwrap());
    NonceJson {
        nonce: "0123456789abcdef".into(),
        uri: format!("http://{domain}"),
        domain,
        chain_id: stage.town.market.chain().id(),
        expires_at: "2999-01-01T00:00:00Z".parse().unwrap(),
        message: Some("whatever the gateway would like to have signed".into()),
    }
}

#[tokio::test]
async fn what_is_signed_is_our_own_message_and_the_token_is_shown() {
    let stage = Stage::new().await;
    stage.gateway.set_nonce(honest(&stage));
    let session = stage.renter.login().await.unwrap();
    assert_eq!(session.address(), stage.town.renter.address());
    let said = &stage.gateway.verified()[0].message;
    assert!(said.starts_with(&honest(&stage).domain) && said.contains("Nonce: 0123456789abcdef\n"), "{said}");
    assert!(stage.renter.gateway().logout().await.is_err(), "nobody is signed in");
    let path = stage.jobs_dir.path().join("session.json");
    session.save(&path).unwrap();
    let session = Session::load(&path).unwrap().unwrap();
    stage.renter.gateway().clone().with_session(&session).logout().await.unwrap();
}

#[tokio::test]
async fn a_gateway_that_is_another_gets_no_signature() {
    let stage = Stage::new().await;
    let lies: [fn(&mut NonceJson); 5] = [
        |given| given.domain = "gate.example".into(),
        |given| given.domain.push('0'),
        |given| given.chain_id += 1,
        |given| given.nonce = "01234567\nURI: https://gate.example".into(),
        |given| given.nonce = "short".into(),
    ];
    for lie in lies {
        let mut given = honest(&stage);
        lie(&mut given);
        stage.gateway.set_nonce(given.clone());
        let err = stage.renter.login().await.unwrap_err();
        assert!(matches!(err, RenterError::Untrue { .. }), "{given:?}: {err}");
    }
    assert!(stage.gateway.verified().is_empty());
}
