//! What the writer of receipts works on: jobs that have none yet, and steps of those that are on their way.

use alloy_primitives::{Address, B256};
use market::{JobId, Status};
use sea_orm::{
    ColumnTrait, Condition, EntityTrait, QueryFilter, QueryOrder, QuerySelect, QueryTrait,
    sea_query::{Expr, ExprTrait},
};
use wire::receipt::ReceiptKind;

use super::{Columns, ReceiptState, moved};
use crate::connect::Store;
use crate::entity::stored::{Account, Hash, Kind, State, Whole};
use crate::entity::{dispute, job, receipt};
use crate::error::StoreError;
use crate::read::PAGE_MAX;
use crate::rows::JobRow;

impl Store {
    /// Jobs whose order (for `JobSubmitted`), end (for `JobCompleted`, with all that came of it) or verdict (for
    /// `JobResolved`) stands in a block up to `upto`, and that have no receipt of this kind; by that block and the job's id, those after `after`; at most
    /// [`PAGE_MAX`](crate::PAGE_MAX).
    pub async fn jobs_without_receipt(
        &self,
        kind: ReceiptKind,
        after: Option<(u64, JobId)>,
        upto: u64,
        limit: u64,
    ) -> Result<Vec<JobRow>, StoreError> {
        let (block, settled) = match kind {
            ReceiptKind::JobSubmitted => (job::Column::CreatedBlock, None),
            // What comes after an end is no part of its document: it waits for the newest change to be final, no more.
            ReceiptKind::JobCompleted => {
                let ended = [Status::Ended, Status::Disputed, Status::Final].map(State);
                (job::Column::Changed, Some(job::Column::Status.is_in(ended)))
            }
            // Nothing happens to a job that is final: its last change is the verdict.
            ReceiptKind::JobResolved => (job::Column::Changed, Some(job::Column::Status.eq(State(Status::Final)))),
        };
        let after = after.map(|(at, id)| {
            let same = job::Column::Id.gt(Hash(B256::new(id.0)));
            let later = Condition::any().add(block.gt(Whole(at))).add(same);
            // The first line is implied by the second; an index understands it.
            Condition::all().add(block.gte(Whole(at))).add(later)
        });
        let receipts = receipt::Entity::find()
            .select_only()
            .column(receipt::Column::Nid)
            .filter(Expr::col((receipt::Entity, receipt::Column::Job)).equals((job::Entity, job::Column::Id)))
            .filter(receipt::Column::Kind.eq(Kind(kind)))
            .into_query();
        let decided = (kind == ReceiptKind::JobResolved).then(|| {
            let disputes = dispute::Entity::find()
                .select_only()
                .column(dispute::Column::Job)
                .filter(Expr::col((dispute::Entity, dispute::Column::Job)).equals((job::Entity, job::Column::Id)))
                .filter(dispute::Column::DecidedAt.is_not_null())
                .into_query();
            Expr::exists(disputes)
        });
        let find = job::Entity::find()
            .filter(Condition::all().add_option(decided))
            .filter(Condition::all().add_option(settled).add(block.lte(Whole(upto))).add_option(after))
            .filter(Expr::not_exists(receipts))
            .order_by_asc(block)
            .order_by_asc(job::Column::Id)
            .limit(Ord::min(limit, PAGE_MAX));
        Ok(find.all(self.readers()).await?.into_iter().map(Into::into).collect())
    }

    /// Notes how far a receipt is and by whose key, if it still is where the caller saw it; false where somebody else
    /// was faster. When this returns, a power cut does not undo it.
    pub async fn move_receipt(
        &self,
        nid: &str,
        from: &ReceiptState,
        to: &ReceiptState,
        recorder: Address,
    ) -> Result<bool, StoreError> {
        let before = Columns::of(from)?;
        let unmoved = Condition::all()
            .add(receipt::Column::State.eq(before.state))
            .add_option(before.tx.map(|tx| receipt::Column::Tx.eq(Hash(tx))));
        let set = moved(nid, to)?.col_expr(receipt::Column::Recorder, Expr::value(Account(recorder))).filter(unmoved);
        Ok(set.exec(self.durable()).await?.rows_affected == 1)
    }
}
