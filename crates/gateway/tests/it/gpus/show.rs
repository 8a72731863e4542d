//! `GET /api/v1/gpus/{id}`.

use alloy_primitives::B256;
use wire::http::GpuJson;

use crate::{sockets::Agent, stage::Stage};

#[tokio::test]
async fn one_resource_by_its_id() {
    let stage = Stage::new(|_| ()).await;
    let provider = stage.provider(2).await;
    let path = format!("/api/v1/gpus/{}", provider.gpus[1].id);
    stage.get(&path).await.is_problem(404, "no connected agent offers");
    let _agent = Agent::welcome(&stage, &provider).await;
    let gpu: GpuJson = stage.get(&path).await.json();
    assert_eq!((gpu.id, gpu.price_per_hour.as_str()), (provider.gpus[1].id, "3601"));
    stage.get(&format!("/api/v1/gpus/{}", B256::ZERO)).await.is_problem(404, "no connected agent offers");
    let problem = stage.get("/api/v1/gpus/seven").await.is_problem(400, "64 hexadecimal digits");
    assert_eq!(problem.field.as_deref(), Some("id"));
}
