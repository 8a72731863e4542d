//! Jobs that are on chain, with what their agents do there.

use alloy_primitives::{Address, B256, U256};
use chain::{Account, SendConfig};
use content::Block;
use market::PerHour;
use wire::{
    JobSpec, TermsJson, document,
    feed::{JobEvent, JobNews},
    record::ReadyRecord,
    signed::Attest,
};

use crate::{
    sockets::event,
    stage::{Job, Provider, Stage},
};

const IMAGE: &str = "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e";

impl Stage {
    /// The provider's agent, with gas.
    pub(crate) async fn agent(&self, provider: &Provider) -> Account {
        self.town.dev.fund(provider.agent.address(), U256::from(10_u64).pow(U256::from(20))).await.unwrap();
        Account::new(self.market.clone(), provider.agent.clone(), SendConfig::default())
    }

    /// A job of the market's renter on the provider's first resource, created and indexed.
    pub(crate) async fn created(&self, provider: &Provider, controller: Address, spec: Option<B256>) -> Job {
        let mut terms = self.town.terms(provider.resource(0), PerHour(3600));
        terms.controller = controller;
        terms.specDigest = spec.unwrap_or(terms.specDigest);
        self.town.renter.create_job(&terms).await.unwrap();
        self.indexed().await;
        let (renter, controller) = (self.town.renter.wallet().clone(), self.town.controller.clone());
        Job { id: self.market.job_id(&terms), terms: TermsJson::from(&terms), renter, controller }
    }

    /// The same, with its clock running.
    pub(crate) async fn running(&self, provider: &Provider, controller: Address, spec: Option<B256>) -> Job {
        let job = self.created(provider, controller, spec).await;
        // The renter may sign in the controller's place.
        let at = self.town.now().await.unwrap().0;
        let ready_record = B256::repeat_byte(3);
        let at_u40 = alloy_primitives::aliases::U40::from(at);
        let ready = wire::signed::Ready { jobId: job.hash(), readyRecord: ready_record, at: at_u40 };
        let signature = job.renter.sign(&self.domain(), &ready).unwrap();
        let account = self.agent(provider).await;
        account.start_job(&job.terms(), ready_record, at, &signature).await.unwrap();
        self.indexed().await;
        job
    }

    /// Puts a spec that the test's machines satisfy where the gateway finds it; gives its digest.
    pub(crate) fn spec(&self) -> B256 {
        let text = format!(
            r#"{{"version":1,"image":"{IMAGE}","resources":{{"gpus":1,"vramMib":512,"cpus":1,"memoryMib":64,"diskMib":64}}}}"#
        );
        let spec = document(&JobSpec::parse(text.as_bytes()).unwrap()).unwrap();
        self.blocks.put(Block::verified(spec.cid, spec.bytes).unwrap()).unwrap();
        spec.digest
    }

    /// A readiness record that is as ordered, then changed, signed by the agent; and its digest.
    pub(crate) fn ready(
        &self,
        provider: &Provider,
        job: &Job,
        seq: u64,
        change: impl FnOnce(&mut ReadyRecord),
    ) -> (JobEvent, B256) {
        let mut hardware = provider.gpus[0].hardware.clone();
        (hardware.vram_mib, hardware.cpus, hardware.memory_mib, hardware.disk_mib) = (512, 1, 64, 64);
        let mut record = ReadyRecord {
            job_id: job.hash(),
            image: IMAGE.into(),
            image_id: "sha256:1".into(),
            inputs: vec![],
            container_id: format!("container {seq}"),
            hardware,
        };
        change(&mut record);
        let digest = document(&record).unwrap().digest;
        let signature = provider.agent.sign(&self.domain(), &Attest { jobId: job.hash(), digest }).unwrap();
        (event(seq, JobNews::JobReady { record, signature }), digest)
    }
}

impl Job {
    pub(crate) fn terms(&self) -> wire::Terms {
        (&self.terms).try_into().unwrap()
    }
}
