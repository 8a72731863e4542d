//! Placing an order: terms from a quote, the job file first, then the money.

use alloy_primitives::{
    B256,
    aliases::{U40, U96},
};
use chain::{Account, ChainError, Mined, Wallet};
use market::Amount;
use wire::{Terms, TermsJson, document, spec::JobSpec};

use crate::{JobFile, JobFiles, Quote, RenterError};

/// A job that is about to be created.
#[derive(Clone, Debug)]
pub struct Order {
    /// What was chosen and what it costs.
    pub quote: Quote,
    /// What will run.
    pub spec: JobSpec,
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
        let secret = B256::from(rand::random::<[u8; 32]>());
        let session = Wallet::from_bytes(&secret.0)?;
        let terms = Terms {
            renter: account.address(),
            controller: session.address(),
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
        let mut job = JobFile {
            job_id: B256::from(market.job_id(&terms).0),
            chain_id: market.chain().id(),
            terms: TermsJson::from(&terms),
            spec: document(&self.spec)?.cid.to_string(),
            session_key: secret.to_string(),
            created_in: None,
            from_block: market.chain().head().await?.number,
        };
        files.save(&job)?;
        let mined = match self.lock(account, &terms).await {
            Ok(mined) => mined,
            Err(err) => {
                // Nothing was locked for certain: the file would only lead nowhere.
                if matches!(err, ChainError::Reverted(_)) {
                    files.remove(&job)?;
                }
                return Err(err.into());
            }
        };
        job.created_in = Some(mined.tx);
        files.save(&job)?;
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
