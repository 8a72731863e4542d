//! A readiness record that is not of the job as it was ordered lets no clock start and leaves no money locked.

use alloy_primitives::B256;
use market::Status;
use renter::{RenterError, Update};
use wire::{HardwareJson, JobNews, WireError, record::ReadyRecord};

use crate::stage::{Job, OTHER_CID, Stage, ready_record, spec};

/// What is other than it should be.
type Change = fn(&mut HardwareJson);

/// Tells `record`, signed by the agent or by somebody else, and gives the error that following ends with.
async fn refused(accepted: bool, by_agent: bool, change: impl FnOnce(&mut ReadyRecord)) -> RenterError {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    if accepted {
        stage.town.agent.accept_job(&job.terms).await.unwrap();
    }
    let following = stage.follow(&job);
    tell(&stage, &job, by_agent, change);
    let err = following.end().await.unwrap_err();
    assert!(stage.gateway.readies().is_empty(), "nothing was signed");
    stage.refunded(before, &job).await;
    err
}

fn tell(stage: &Stage, job: &Job, by_agent: bool, change: impl FnOnce(&mut ReadyRecord)) {
    let mut record = ready_record(job);
    change(&mut record);
    let signer = if by_agent { &stage.town.agent } else { &stage.town.stranger };
    let signature = stage.attest(signer.wallet(), job, &record);
    stage.gateway.tell(JobNews::JobReady { record, signature });
}

fn is_untrue(err: &RenterError) {
    assert!(matches!(err, RenterError::Untrue { what: "the readiness record", .. }), "{err}");
}

#[tokio::test]
async fn another_job() {
    is_untrue(&refused(true, true, |record| record.job_id = B256::repeat_byte(9)).await);
}

#[tokio::test]
async fn another_image() {
    is_untrue(&refused(true, true, |record| record.image = OTHER_CID.into()).await);
}

#[tokio::test]
async fn other_inputs() {
    is_untrue(&refused(true, true, |record| record.inputs.clear()).await);
}

#[tokio::test]
async fn less_than_was_paid_for() {
    let changes: [(&str, Change); 4] = [
        ("CPUs", |hardware| hardware.cpus = 0),
        ("of memory", |hardware| hardware.memory_mib = 63),
        ("of disk", |hardware| hardware.disk_mib = 63),
        ("simulated", |hardware| hardware.simulated = true),
    ];
    for (what, change) in changes {
        let err = refused(true, true, |record| change(&mut record.hardware)).await;
        is_untrue(&err);
        assert!(err.to_string().contains(what), "{what}: {err}");
    }
}

#[tokio::test]
async fn other_cards_than_were_ordered() {
    let stage = Stage::new().await;
    let ordered = |model: &str| {
        let mut spec = spec();
        (spec.resources.gpu, spec.resources.gpus, spec.resources.vram_mib) = (Some(model.into()), 2, 1024);
        spec
    };
    let cards = |hardware: &mut HardwareJson| {
        (hardware.model, hardware.gpus, hardware.vram_mib) = ("NVIDIA H100".into(), 2, 1024);
    };
    let lacks: [(&str, Change); 3] = [
        ("GPUs", |hardware| hardware.gpus = 1),
        ("GPU memory", |hardware| hardware.vram_mib = 1023),
        ("its model is", |hardware| hardware.model = "NVIDIA T4".into()),
    ];
    for (what, lack) in lacks {
        let before = stage.money().await;
        stage.gateway.forget();
        let job = stage.place().await;
        let following = stage.follow_for(&job, ordered("h100"), true, |_| ());
        tell(&stage, &job, true, |record| {
            cards(&mut record.hardware);
            lack(&mut record.hardware);
        });
        let err = following.end().await.unwrap_err();
        is_untrue(&err);
        assert!(err.to_string().contains(what), "{what}: {err}");
        stage.refunded(before, &job).await;
    }
    stage.gateway.forget();
    let job = stage.place().await;
    let following = stage.follow_for(&job, ordered("h100"), true, |_| ());
    tell(&stage, &job, true, |record| cards(&mut record.hardware));
    stage.ready(1).await;
    following.leave().await;
}

#[tokio::test]
async fn a_strangers_signature() {
    for accepted in [true, false] {
        let err = refused(accepted, false, |_| ()).await;
        assert!(matches!(err, RenterError::Wire(WireError::Signer { what: "Attest", .. })), "{err}");
    }
}

#[tokio::test]
async fn who_only_looks_cancels_nothing() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    let looking = stage.follow_as(&job, false);
    tell(&stage, &job, false, |_| ());
    looking.end().await.unwrap_err();
    assert_eq!(stage.status(&job).await, Status::Created);
}

#[tokio::test]
async fn a_lie_after_the_consent_changes_nothing() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let (job, following) = stage.running().await;
    tell(&stage, &job, false, |_| ());
    tell(&stage, &job, true, |record| record.image = OTHER_CID.into());
    stage.is_heard(&following, "still here").await;
    let (_, mined) = stage.renter.stop(&job.file).await.unwrap();
    let ending = following.end().await.unwrap();
    stage.settled(before, &ending, &mined.events).await;
    assert_eq!(stage.gateway.readies().len(), 1);
}

#[tokio::test]
async fn a_gateway_that_refuses_the_consent_leaves_nothing_locked() {
    let stage = Stage::new().await;
    let before = stage.money().await;
    let job = stage.place().await;
    stage.gateway.answer_ready(400);
    let following = stage.follow(&job);
    stage.stand_ready(&job);
    let err = following.end().await.unwrap_err();
    assert!(matches!(err, RenterError::Gateway { retryable: false, .. }), "{err}");
    stage.refunded(before, &job).await;
}

#[tokio::test]
async fn a_gateway_that_fails_is_asked_again() {
    let stage = Stage::new().await;
    let job = stage.place().await;
    stage.gateway.answer_ready(503);
    let following = stage.follow(&job);
    stage.stand_ready(&job);
    stage.ready(1).await;
    stage.gateway.answer_ready(204);
    stage.is_heard(&following, "anything new").await;
    stage.start(&job, 2).await;
    following.sees(|update| matches!(update, Update::Started { .. })).await;
}
