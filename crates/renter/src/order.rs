//! Placing an order: terms from a quote, the job file first, then the money.

use alloy_primitives::{
    Address, B256,
    aliases::{U40, U96},
};
use chain::{Account, ChainError, EventStream, Item, Market, MarketEvent, Mined, StreamConfig, Wallet};
use market::{Amount, Status};
use wire::{Terms, TermsJson, document, spec::JobSpec};

use crate::{JobFile, JobFiles, Quote, RenterError};

/// Who lets a job's clock start, counts its beats and may stop it, besides the renter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Controller {
    /// A key made for this job alone: the renter stays there, or nobody counts beats.
    Session,
    /// A watcher of the market, such as the gateway's: the renter may leave.
    Watcher(Address),
}

/// A job that is about to be created.
#[derive(Clone, Debug)]
pub struct Order {
    /// What was chosen and what it costs.
    pub quote: Quote,
    /// What will run.
    pub spec: JobSpec,
    /// Who lets it start.
    pub controller: Controller,
}

/// A job whose money is locked.
#[derive(Clone, Debug)]
pub struct Placed {
    /// The renter's record of it.
    pub job: JobFile,
    /// The transaction.
    pub mined: Mined,
}

impl Order {
    /// Locks the money. The job file is written before and stays if the transaction's fate is unknown.
    pub(crate) async fn place(&self, account: &Account, files: &JobFiles) -> Result<Placed, RenterError> {
        self.affordable(account)?;
        let market = account.market();
        let (controller, session_key) = self.controller(market).await?;
        let terms = Terms {
            renter: account.address(),
            controller,
            resourceId: B256::from(self.quote.offer.id.0),
            pricePerHour: U96::saturating_from(self.quote.offer.price.0),
            minCharge: U96::ZERO,
            maxDuration: u32::try_from(self.quote.max_duration.0).unwrap_or(u32::MAX),
            notBefore: U40::ZERO,
            cancelFeeBps: 0,
            specDigest: document(&self.spec)?.digest,
            flags: 0,
            salt: rand::random(),
            extra: B256::ZERO,
        };
        let job = JobFile {
            job_id: B256::from(market.job_id(&terms).0),
            chain_id: market.chain().id(),
            terms: TermsJson::from(&terms),
            spec: document(&self.spec)?.cid.to_string(),
            session_key,
            created_in: None,
            from_block: market.chain().head().await?.number,
        };
        files.save(&job)?;
        self.pay(account, files, job, &terms).await
    }

    /// The controller's address, and its key where that is ours. A watcher that the market does not know could let the
    /// clock start, but not report silence.
    async fn controller(&self, market: &Market) -> Result<(Address, Option<String>), RenterError> {
        match self.controller {
            Controller::Session => {
                let secret = B256::from(rand::random::<[u8; 32]>());
                Ok((Wallet::from_bytes(&secret.0)?.address(), Some(secret.to_string())))
            }
            Controller::Watcher(address) if market.is_watcher(address).await? => Ok((address, None)),
            Controller::Watcher(address) => Err(RenterError::Untrue {
                what: "the watcher",
                detail: format!("the market does not know {address} as one"),
            }),
        }
    }

    /// Locks the money of a job whose file is written.
    async fn pay(
        &self,
        account: &Account,
        files: &JobFiles,
        mut job: JobFile,
        terms: &Terms,
    ) -> Result<Placed, RenterError> {
        let mined = match self.lock(account, terms).await {
            Ok(mined) => mined,
            Err(ChainError::Reverted(revert)) => match created(account, &job).await? {
                // A try before, of which nothing was heard, had locked it.
                Some(mined) => mined,
                None => {
                    // Nothing is locked for certain: the file would only lead nowhere.
                    files.remove(&job)?;
                    return Err(ChainError::Reverted(revert).into());
                }
            },
            Err(err) => return Err(err.into()),
        };
        job.created_in = Some(mined.tx);
        // The money is locked and the file is there: without the transaction's name it serves as well.
        if let Err(error) = files.save(&job) {
            tracing::warn!(%error, tx = %mined.tx, "the job file does not name its transaction");
        }
        Ok(Placed { job, mined })
    }

    /// Pays with a standing allowance where there is one, else with a permit for exactly this lock.
    async fn lock(&self, account: &Account, terms: &Terms) -> Result<Mined, ChainError> {
        if account.market().allowance(account.address()).await? >= self.quote.locked {
            account.create_job(terms).await
        } else {
            account.create_job_with_permit(terms).await
        }
    }

    fn affordable(&self, account: &Account) -> Result<(), RenterError> {
        let Some(short) = self.quote.shortfall() else {
            return Ok(());
        };
        let market = account.market();
        let tokens = |amount: Amount| amount.in_tokens(market.decimals());
        Err(RenterError::TooLittleMoney {
            wallet: account.address().to_string(),
            have: tokens(short.have),
            need: tokens(short.need),
            missing: tokens(short.missing),
            symbol: market.symbol().to_owned(),
        })
    }
}

/// The transaction that created the job, when the chain knows the job.
async fn created(account: &Account, job: &JobFile) -> Result<Option<Mined>, ChainError> {
    let market = account.market();
    if market.job(job.id()).await?.status == Status::None {
        return Ok(None);
    }
    let mut chain = EventStream::new(market.clone(), job.from_block, StreamConfig::default());
    loop {
        let Item::Block(block) = chain.next().await? else {
            continue;
        };
        let creates = |event: &MarketEvent| matches!(event, MarketEvent::JobCreated { job: of, .. } if *of == job.id());
        if let Some(logged) = block.events.iter().find(|logged| creates(&logged.event)) {
            return account.outcome(logged.tx).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use market::{BasisPoints, Hardware, Mebibytes, Offer, PerHour, Seconds};
    use testkit::TestMarket;

    use super::*;

    /// An order for an hour, its terms and the file that is written before the money moves.
    async fn order(town: &TestMarket, files: &JobFiles) -> (Order, Terms, JobFile) {
        let price = PerHour(3600);
        let id = town.list(price).await.unwrap();
        let hardware = Hardware {
            model: String::new(),
            gpus: 0,
            vram: Mebibytes(0),
            cpus: 1,
            memory: Mebibytes(64),
            disk: Mebibytes(64),
            simulated: false,
        };
        let offer = Offer { id, hardware, price, available: true, busy: false };
        let max_duration = Seconds(3600);
        let locked = price.cost(max_duration);
        let quote = Quote { offer, max_duration, locked, fee: BasisPoints(200), balance: locked };
        let text = r#"{"version":1,"image":"bafkqaaa","resources":{"cpus":1,"memoryMib":64,"diskMib":64}}"#;
        let spec = JobSpec::parse(text.as_bytes()).unwrap();
        let order = Order { quote, spec, controller: Controller::Session };
        let terms = town.terms(id, price);
        let job = JobFile {
            job_id: B256::from(town.market.job_id(&terms).0),
            chain_id: town.market.chain().id(),
            terms: TermsJson::from(&terms),
            spec: String::new(),
            session_key: None,
            created_in: None,
            from_block: town.chain.head().await.unwrap().number,
        };
        files.save(&job).unwrap();
        (order, terms, job)
    }

    #[tokio::test]
    async fn what_a_try_before_had_locked_is_a_job_and_its_file_stays() {
        let town = Box::pin(TestMarket::start()).await.unwrap();
        let dir = testkit::temp_dir();
        let files = JobFiles::open(dir.path()).unwrap();
        let (order, terms, job) = order(&town, &files).await;
        let first = town.renter.create_job(&terms).await.unwrap();
        let placed = order.pay(&town.renter, &files, job, &terms).await.unwrap();
        assert_eq!(placed.mined, first);
        assert_eq!(files.find(&placed.job.id().to_string()).unwrap().created_in, Some(first.tx));
    }

    #[tokio::test]
    async fn a_refusal_leaves_no_file_when_nothing_is_locked() {
        let town = Box::pin(TestMarket::start()).await.unwrap();
        let dir = testkit::temp_dir();
        let files = JobFiles::open(dir.path()).unwrap();
        let (order, terms, job) = order(&town, &files).await;
        town.owner.update_availability(order.quote.offer.id, false).await.unwrap();
        let err = order.pay(&town.renter, &files, job, &terms).await.unwrap_err();
        assert!(matches!(err, RenterError::Chain(ChainError::Reverted(_))), "{err}");
        assert!(files.list().unwrap().is_empty());
    }

    #[tokio::test]
    async fn a_file_that_cannot_name_its_transaction_is_no_failure() {
        let town = Box::pin(TestMarket::start()).await.unwrap();
        let dir = testkit::temp_dir();
        let folder = dir.path().join("jobs");
        let files = JobFiles::open(&folder).unwrap();
        let (order, terms, job) = order(&town, &files).await;
        fs::remove_dir_all(&folder).unwrap();
        let placed = order.pay(&town.renter, &files, job, &terms).await.unwrap();
        assert_eq!(town.market.job(placed.job.id()).await.unwrap().status, Status::Created);
    }
}
