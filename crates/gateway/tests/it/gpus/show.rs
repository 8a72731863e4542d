//! `GET /api/v1/gpus/{id}`.

use alloy_primitives::B256;
use wire::http::{GpuJson, Page};

use crate::stage::Stage;

#[tokio::test]
async fn one_resource_by_its_id() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(2).await;
    let id = provider.gpus[1].id;
    for path in [format!("/api/v1/gpus/{id}"), format!("/api/marketplace/gpus/{id}/")] {
        let gpu: GpuJson = stage.get(&path).await.json();
        assert_eq!((gpu.id, gpu.price_per_hour.amount.as_str()), (id, "3601"));
        let page: Page<GpuJson> = stage.get("/api/v1/gpus").await.json();
        assert!(page.items.contains(&gpu), "the list and the one say the same");
    }
    stage.get(&format!("/api/v1/gpus/{}", B256::ZERO)).await.is_problem(404, "GET /api/v1/gpus lists those");
    for bad in ["seven", &id.to_string()[2..], "0x12"] {
        let problem = stage.get(&format!("/api/v1/gpus/{bad}")).await.is_problem(400, "64 hexadecimal digits");
        assert_eq!(problem.field.as_deref(), Some("id"));
    }
}
