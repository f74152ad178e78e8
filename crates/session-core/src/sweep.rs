//! When expired records are deleted: on demand, in a loop, or now and then by a request. Only hygiene; an expired
//! session is refused either way.

use std::time::Duration;

use crate::{
    error::SessionError,
    event::EventKind,
    manager::{SessionManager, Shared},
    store::{SweepRequest, Swept},
};

/// Records that a request looks at when it is its turn to sweep.
const REQUEST_BUDGET: usize = 256;

impl SessionManager {
    /// Deletes expired records until none are left in the range of `request`, and answers what was done.
    ///
    /// Cancelled, some are deleted.
    ///
    /// # Errors
    /// [`SessionError::Unsupported`] for a store without [`Sweep`](crate::Sweep), and [`SessionError::Store`].
    pub async fn sweep(&self, request: SweepRequest) -> Result<Swept, SessionError> {
        self.sweep_with(request, |_| {}).await
    }

    /// The same, telling `progress` after each budget of `request` what was done so far.
    ///
    /// # Errors
    /// As [`sweep`](Self::sweep).
    pub async fn sweep_with(
        &self,
        request: SweepRequest,
        mut progress: impl FnMut(&Swept),
    ) -> Result<Swept, SessionError> {
        // With a budget of nothing no store would ever finish.
        let request = request.budget(request.budget.max(1));
        let mut total = Swept::default();
        while !total.finished {
            let swept = self.0.sweep_slice(request).await?;
            total.examined += swept.examined;
            total.removed += swept.removed;
            total.failed += swept.failed;
            total.finished = swept.finished;
            progress(&total);
        }
        Ok(total)
    }

    /// Sweeps again and again, waiting [`sweep_every`](crate::SessionConfig::sweep_every) in between: to be spawned once
    /// on the runtime of the application, with its `sleep`. A sweep that fails is reported and the loop goes on. Drop
    /// the future to stop.
    ///
    /// ```no_run
    /// # use session_core::SessionManager;
    /// # mod tokio { pub mod time { pub async fn sleep(_: std::time::Duration) {} } pub fn spawn<F>(_: F) {} }
    /// # fn example(sessions: SessionManager) {
    /// tokio::spawn(async move { sessions.sweep_forever(tokio::time::sleep).await });
    /// # }
    /// ```
    pub async fn sweep_forever<S: Future>(&self, sleep: impl Fn(Duration) -> S) {
        loop {
            sleep(self.0.config.sweep_every).await;
            loop {
                let request = SweepRequest::before(self.0.clock.now());
                match self.0.sweep_slice(request).await {
                    Ok(swept) if !swept.finished => sleep(Duration::from_millis(5)).await,
                    Ok(_) | Err(_) => break,
                };
            }
        }
    }
}

impl Shared {
    async fn sweep_slice(&self, request: SweepRequest) -> Result<Swept, SessionError> {
        let sweep = self.store().as_sweep().ok_or(SessionError::Unsupported { ability: "Sweep" })?;
        match sweep.sweep(request).await {
            Ok(swept) => {
                if swept.removed > 0 || swept.failed > 0 {
                    tracing::debug!(removed = swept.removed, failed = swept.failed, "sessions swept");
                    self.events.emit(EventKind::Swept, None);
                }
                Ok(swept)
            }
            Err(error) => {
                tracing::warn!(%error, "sweeping sessions failed");
                self.events.emit(EventKind::StoreFailed, None);
                Err(SessionError::Store(error))
            }
        }
    }

    /// Sweeps a little if the dice say so.
    pub(crate) async fn sweep_sometimes(&self) {
        let probability = self.config.sweep_probability;
        if probability <= 0.0 {
            return;
        }
        let mut bytes = [0; 4];
        if self.random.fill(&mut bytes).is_err() {
            return;
        }
        if f64::from(u32::from_le_bytes(bytes)) < probability * (f64::from(u32::MAX) + 1.0) {
            let request = SweepRequest::before(self.clock.now()).budget(REQUEST_BUDGET);
            // A failure is reported as an event; the request has nothing to do with it.
            let _ = self.sweep_slice(request).await;
        }
    }
}
