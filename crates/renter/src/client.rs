//! The front door: one renter of one market through one gateway.

use std::{path::Path, sync::Arc, time::Duration};

use alloy_primitives::{Address, aliases::U40};
use chain::{Account, Listing, Market, Mined};
use cid::Cid;
use content::BlockStore;
use futures_util::{StreamExt, TryStreamExt, stream};
use market::{Needs, Offer, ResourceId, Seconds, Timestamp};
use reqwest::header::{AUTHORIZATION, HeaderMap};
use wire::{JobSpec, document, http::UploadPass, signed::Upload};

use crate::{
    Acting, Ending, Feed, FetchedResult, FollowConfig, GatewayClient, JobFile, JobFiles, Order, Placed, Quote,
    RenterConfig, RenterError, Seen, Session, Stopped, Until, Update, View,
    follow::{self, BlockClock, Follower, Times},
    result, stop,
};

/// Resources that are looked up at once.
const LOOK_UPS: usize = 8;

/// A renter.
#[derive(Clone, Debug)]
pub struct Renter {
    account: Account,
    gateway: GatewayClient,
    jobs: JobFiles,
    config: RenterConfig,
}

impl Renter {
    /// A renter that pays from `account`.
    pub fn new(account: Account, config: RenterConfig) -> Result<Self, RenterError> {
        let gateway = GatewayClient::new(config.gateway.clone())?;
        let jobs = JobFiles::open(&config.jobs_dir)?;
        Ok(Self { account, gateway, jobs, config })
    }

    /// The same, signed in at the gateway.
    #[must_use]
    pub fn with_session(self, session: &Session) -> Self {
        Self { gateway: self.gateway.with_session(session), ..self }
    }

    /// The wallet that pays.
    #[must_use]
    pub fn account(&self) -> &Account {
        &self.account
    }

    /// The market.
    #[must_use]
    pub fn market(&self) -> &Market {
        self.account.market()
    }

    /// The gateway.
    #[must_use]
    pub fn gateway(&self) -> &GatewayClient {
        &self.gateway
    }

    /// The jobs that were created here.
    #[must_use]
    pub fn jobs(&self) -> &JobFiles {
        &self.jobs
    }

    /// What is offered, as the chain has it: the gateway is only asked where to look. What is made of what stands in
    /// the listing; what was never listed is no offer.
    pub async fn offers(&self) -> Result<Vec<Offer>, RenterError> {
        let offers = self.gateway.offers().await?;
        let listed = stream::iter(offers.into_iter().map(|offer| self.listed(offer.id)));
        listed.buffered(LOOK_UPS).try_filter_map(|offer| async { Ok(offer) }).try_collect().await
    }

    async fn listed(&self, id: ResourceId) -> Result<Option<Offer>, RenterError> {
        let Some(state) = self.market().resource(id).await? else {
            return Ok(None);
        };
        let Some(Listing { mut hardware, .. }) = self.market().listing(id, self.config.deployed_at).await? else {
            return Ok(None);
        };
        hardware.simulated = state.simulated;
        Ok(Some(Offer { id, hardware, price: state.price, available: state.available, busy: state.busy }))
    }

    /// Chooses a resource and prices the job; moves nothing.
    pub async fn quote(&self, needs: &Needs, max_duration: Seconds) -> Result<Quote, RenterError> {
        let offers = self.offers().await?;
        let balance = self.market().token_balance(self.account.address()).await?;
        let (decimals, symbol) = (self.market().decimals(), self.market().symbol());
        let show = |amount: market::Amount| format!("{} {symbol}", amount.in_tokens(decimals));
        Quote::new(&offers, needs, max_duration, self.market().fee().await?, balance, &show)
    }

    /// Publishes the DAG under `root`: everything public, for ever.
    pub async fn push(
        &self,
        store: &Arc<BlockStore>,
        root: &Cid,
        on: impl Fn(content::Progress) + Send + Sync + 'static,
    ) -> Result<(), RenterError> {
        let pass = || self.pass(root).unwrap_or_default();
        result::push(store, root, self.gateway.base(), &pass, on).await
    }

    /// The signed pass of one upload request; one that cannot be made is refused by the gateway.
    fn pass(&self, root: &Cid) -> Option<HeaderMap> {
        let at = unix_now();
        let upload = Upload { root: root.to_string(), at: U40::saturating_from(at) };
        let signature = self.account.wallet().sign(&self.market().domain(), &upload).ok()?;
        let pass = UploadPass { who: self.account.address(), at, signature }.header();
        Some(HeaderMap::from_iter([(AUTHORIZATION, pass.parse().ok()?)]))
    }

    /// Stores the spec where it can be pushed from and gives its name.
    pub fn publishable(store: &BlockStore, spec: &JobSpec) -> Result<Cid, RenterError> {
        let document = document(spec)?;
        content::add_bytes(store, &document.bytes, &content::ImportConfig::default())?;
        Ok(document.cid)
    }

    /// Locks the money for a job.
    pub async fn create(&self, order: &Order) -> Result<Placed, RenterError> {
        order.place(&self.account, &self.jobs).await
    }

    /// The gateway's watcher, when it has one and the chain knows it as one: a job that names it as its controller goes
    /// on without its renter.
    pub async fn watcher(&self) -> Result<Option<Address>, RenterError> {
        let Some(watcher) = self.gateway.health().await?.watcher else {
            return Ok(None);
        };
        if self.market().is_watcher(watcher).await? {
            return Ok(Some(watcher));
        }
        tracing::warn!(%watcher, "the gateway names a watcher that the market does not know");
        Ok(None)
    }

    /// Signs in at the gateway.
    pub async fn login(&self) -> Result<Session, RenterError> {
        self.gateway.login(self.account.wallet(), self.market().chain().id()).await
    }

    /// Follows a job from its beginning; see [`Until`].
    ///
    /// Who is [`Acting`] signs Ready, counts beats and takes money back when the provider does not come; a second
    /// follower of the same job only looks. When it fails before the clock runs, the job is cancelled first: nobody
    /// would watch the money any more.
    pub async fn follow(
        &self,
        job: &JobFile,
        spec: &JobSpec,
        until: Until,
        acting: Acting,
        on: &mut (dyn FnMut(Update) + Send),
    ) -> Result<Ending, RenterError> {
        let ending = self.follow_on(job, spec, until, acting, on).await;
        if ending.is_err() && acting != Acting::Not {
            follow::let_go(&self.account, &job.terms()?, on).await;
        }
        ending
    }

    async fn follow_on(
        &self,
        job: &JobFile,
        spec: &JobSpec,
        until: Until,
        acting: Acting,
        on: &mut (dyn FnMut(Update) + Send),
    ) -> Result<Ending, RenterError> {
        let follower = self.follower(job, Some(spec.clone()), acting, on).await?;
        follower.run(job.from_block, self.feed(job, 0)?, until).await
    }

    async fn follower<'a>(
        &'a self,
        job: &JobFile,
        spec: Option<JobSpec>,
        acting: Acting,
        on: &'a mut (dyn FnMut(Update) + Send),
    ) -> Result<Follower<'a>, RenterError> {
        let terms = job.terms()?;
        let resource = self.market().resource(terms.resource()).await?.ok_or_else(|| RenterError::Untrue {
            what: "the job's resource",
            detail: "the chain does not list it".into(),
        })?;
        let provider = self.market().provider(resource.provider_id).await?;
        let head = self.market().chain().head().await?;
        let view = View {
            now: head.timestamp,
            // What lies in the past comes as events, in order.
            status: market::Status::None,
            since: Timestamp(0),
            not_before: Timestamp(terms.notBefore.to()),
            clock_end: None,
            paused: Seconds(0),
            ready: false,
            signed_at: None,
            heard: Seen::Deaf,
        };
        Ok(Follower {
            account: &self.account,
            gateway: &self.gateway,
            config: self.config.follow,
            spec,
            signer: job.signer(self.account.wallet())?,
            watched: job.is_watched(),
            agent: provider.agent,
            simulated: resource.simulated,
            job: job.id(),
            acting,
            view,
            ready: None,
            last_beat: 0,
            unheard: Seconds(0),
            acted: head.timestamp,
            clock: BlockClock::new(head.number, head.timestamp),
            times: Times::default(),
            ending: Ending::default(),
            before: Vec::new(),
            doubt: None,
            lost: false,
            terms,
            on,
        })
    }

    /// A job's news from after number `since`.
    pub fn feed(&self, job: &JobFile, since: u64) -> Result<Feed, RenterError> {
        let key = job.signer(self.account.wallet())?;
        let what = (job.id(), job.terms.clone());
        Feed::open(&self.gateway, self.market().domain(), what, key, since, self.config.follow.retry)
    }

    /// Ends the job now in the way that costs the renter least, and says which that was.
    pub async fn stop(&self, job: &JobFile) -> Result<(Stopped, Mined), RenterError> {
        stop::stop(&self.account, job).await
    }

    /// Settles for good those jobs made here that anybody may settle, and says which.
    pub async fn settle_due(&self) -> Result<Vec<market::JobId>, RenterError> {
        crate::settle::due(&self.account, &self.jobs).await
    }

    /// How a job that is over ended, read from the chain, with the agent's record from the feed: its signature is the
    /// agent's and its digest the chain's. A record that is not there is waited for until `within` is over.
    pub async fn settled_record(&self, job: &JobFile, within: Duration) -> Result<Ending, RenterError> {
        let status = self.market().job(job.id()).await?.status;
        if !status.is_over() {
            let id = job.id().short();
            return Err(RenterError::BadJob(format!("job {id} is {status:?}: it has no result before it is over")));
        }
        let on = &mut |_| ();
        let mut follower = self.follower(job, None, Acting::Not, on).await?;
        follower.config.result_within = within;
        follower.run(job.from_block, self.feed(job, 0)?, Until::Settled).await
    }

    /// How long the result of a job that ended is waited for.
    #[must_use]
    pub fn patience(&self) -> Duration {
        self.config.follow.result_within
    }

    /// Fetches content by its name, verifies every block and writes it to `dest` when one is given. What is not
    /// there yet is asked for again until `within` is over.
    pub async fn fetch(
        &self,
        store: &Arc<BlockStore>,
        root: &str,
        dest: Option<&Path>,
        within: Duration,
        on: impl Fn(content::Progress) + Send + Sync + 'static,
    ) -> Result<FetchedResult, RenterError> {
        let patience = FollowConfig { result_within: within, ..self.config.follow };
        result::fetch(store, root, self.gateway.base(), dest, patience, on).await
    }
}

/// The wall clock, for statements that a gateway compares with its own.
pub(crate) fn unix_now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |since| since.as_secs())
}
