//! All that follows from the chain as text, to compare two indexes with.

use sea_orm::{EntityTrait, Iterable, PrimaryKeyToColumn, QueryOrder};
use serde::Serialize;

use crate::connect::Store;
use crate::entity::{credit, dispute, event, job, market_row, provider, reporter, resource, slash};
use crate::error::StoreError;

impl Store {
    /// Every row and event, one a line, in the order of their keys: equal for equal indexes, whatever the engine and
    /// however the blocks came in.
    pub async fn dump_index(&self) -> Result<String, StoreError> {
        let mut text = String::new();
        self.dump::<market_row::Entity>("market", &mut text).await?;
        self.dump::<provider::Entity>("provider", &mut text).await?;
        self.dump::<resource::Entity>("resource", &mut text).await?;
        self.dump::<job::Entity>("job", &mut text).await?;
        self.dump::<dispute::Entity>("dispute", &mut text).await?;
        self.dump::<slash::Entity>("slash", &mut text).await?;
        self.dump::<credit::Entity>("credit", &mut text).await?;
        self.dump::<reporter::Entity>("reporter", &mut text).await?;
        self.dump::<event::Entity>("event", &mut text).await?;
        Ok(text)
    }

    async fn dump<E>(&self, name: &str, text: &mut String) -> Result<(), StoreError>
    where
        E: EntityTrait,
        E::Model: Serialize,
    {
        let mut find = E::find();
        for key in E::PrimaryKey::iter() {
            find = find.order_by_asc(key.into_column());
        }
        for model in find.all(self.readers()).await? {
            let json = serde_json::to_string(&model);
            let json = json.map_err(|error| StoreError::Corrupt { reason: error.to_string() })?;
            text.push_str(name);
            text.push(' ');
            text.push_str(&json);
            text.push('\n');
        }
        Ok(())
    }
}
