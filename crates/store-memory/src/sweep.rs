//! Deleting expired records on demand.

use std::{future, ops::Range, task::Poll};

use session_core::{SweepRequest, Swept};

use crate::{engine::Engine, sync::Ordering, time};

impl Engine {
    /// Sweeps shard by shard, going on where the last sweep stopped. Lets other tasks run after each batch.
    pub(crate) async fn sweep(&self, request: SweepRequest) -> Swept {
        let mut sweep = Progress {
            range: request.expired_from.map_or(0, time::to_millis)..time::to_millis(request.expired_before),
            budget: request.budget,
            shards_left: self.shards.len(),
            swept: Swept::default(),
        };
        while self.sweep_batch(&mut sweep) {
            yield_now().await;
        }
        sweep.swept
    }

    /// Deletes one batch and says whether there is more to do.
    fn sweep_batch(&self, sweep: &mut Progress) -> bool {
        while sweep.shards_left > 0 {
            let index = self.cursor.load(Ordering::Relaxed) % self.shards.len();
            let budget = sweep.budget - sweep.swept.examined;
            let mut records = self.shards[index].write();
            let (removed, more) = records.remove_within(&sweep.range, budget.min(BATCH));
            self.free_room_of(&removed);
            drop(records);
            let examined = removed.len();
            sweep.swept.examined += examined;
            sweep.swept.removed += examined;
            drop(removed);
            if more && examined == budget {
                return false;
            }
            if !more {
                self.cursor.store((index + 1) % self.shards.len(), Ordering::Relaxed);
                sweep.shards_left -= 1;
            }
            if examined > 0 && sweep.shards_left > 0 {
                return true;
            }
        }
        sweep.swept.finished = true;
        false
    }
}

struct Progress {
    range: Range<u64>,
    budget: usize,
    shards_left: usize,
    swept: Swept,
}

/// Records deleted while holding the lock of a shard: some ten microseconds' worth.
const BATCH: usize = 64;

async fn yield_now() {
    let mut yielded = false;
    future::poll_fn(|context| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}
