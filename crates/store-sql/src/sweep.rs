//! Deleting expired records.

use std::sync::Arc;

use session_core::{StoreError, SweepRequest, Swept};

use crate::{
    connections::Purpose,
    driver::{Driver, Statement, Value},
    engine::{Engine, Failed},
    statements::BATCH,
    time::to_millis,
};

impl<D: Driver> Engine<D> {
    /// Deletes batch by batch, each within the deadline. Keys are looked up first and deleted by name, so that no more
    /// is locked than goes; the expiry is looked at again when a record is deleted, so one that was renewed stays.
    pub(crate) async fn sweep(self: &Arc<Self>, request: SweepRequest) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        while !swept.finished && swept.examined < request.budget {
            let most = (request.budget - swept.examined).min(BATCH);
            match self.sweep_batch(request, most).await {
                Ok((examined, removed)) => {
                    swept.examined += examined;
                    swept.removed += removed;
                    swept.finished = examined < most;
                }
                Err(error) if swept.examined == 0 => return Err(error),
                // What was done is reported; the next call meets the trouble again, if it is still there.
                Err(_) => break,
            }
        }
        Ok(swept)
    }

    /// Answers how many records were looked at, and how many were deleted.
    async fn sweep_batch(
        self: &Arc<Self>,
        request: SweepRequest,
        most: usize,
    ) -> Result<(usize, usize), StoreError> {
        let from = Value::Number(request.expired_from.map_or(0, to_millis));
        let before = Value::Number(to_millis(request.expired_before));
        self.detached(Purpose::Write, move |engine, call| async move {
            let values = [from, before, Value::Number(i64::try_from(most).unwrap_or(i64::MAX))];
            let statement = Statement { sql: &engine.statements.expired, values: &values };
            let keys: Vec<Vec<u8>> = engine.all(statement, &call).await?;
            if keys.is_empty() {
                return Ok((0, 0));
            }
            let values = [Value::List(&keys), from, before];
            let statement = Statement { sql: &engine.statements.delete_expired, values: &values };
            let deleted = engine.change(statement, &call).await.map_err(Failed::into_error::<D>)?;
            // Repeated after a loss, it has deleted what it did not count.
            let removed = if deleted.again {
                keys.len()
            } else {
                usize::try_from(deleted.answer).unwrap_or(keys.len())
            };
            Ok((keys.len(), removed))
        })
        .await
    }
}
