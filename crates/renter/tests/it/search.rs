//! The list is read page by page, and who is not heard is no offer.

use alloy_primitives::B256;
use wire::http::{GpuQuery, Presence};

use crate::stage::Stage;

#[tokio::test]
async fn all_pages_are_read_and_no_more_than_is_wanted() {
    let stage = Stage::new().await;
    let listed: Vec<_> = (0..5).map(|n| wire::http::GpuJson { id: B256::repeat_byte(n), ..stage.gpu() }).collect();
    stage.gateway.set_gpus(listed.clone());
    let client = stage.renter.gateway();
    let query = GpuQuery { model: Some("test & more".into()), ..GpuQuery::default() };
    assert_eq!(client.search(&query).await.unwrap(), listed);
    let asked = stage.gateway.searches();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|query| query.contains("model=test+%26+more")), "{asked:?}");
    assert_eq!(client.search(&GpuQuery { limit: Some(3), ..query }).await.unwrap(), listed[..3]);
    assert_eq!(stage.gateway.searches().len(), 5, "the third page is not asked for");
    assert!(stage.gateway.searches()[4].contains("limit=1"), "{:?}", stage.gateway.searches());
}

#[tokio::test]
async fn who_is_not_heard_is_no_offer() {
    let stage = Stage::new().await;
    for (status, offers) in [(Presence::Online, 1), (Presence::Stale, 1), (Presence::Offline, 0)] {
        stage.gateway.set_gpus(vec![wire::http::GpuJson { status, ..stage.gpu() }]);
        assert_eq!(stage.renter.offers().await.unwrap().len(), offers, "{status:?}");
    }
}
