//! The threads that wait for the disk, so that no thread of the executor does.
//!
//! Bounded in threads and in what may be queued; beyond that the answer is `Overloaded`, at once. Changes of one shard
//! are done one after the other and wait in the shard's own line, so that a shard whose lock another process holds
//! occupies one thread and not all. A further thread ends the waiting for what is not done by its deadline.

use std::{
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};

use session_core::{StoreError, StoreErrorKind};

use crate::{
    failure::{STORE, unavailable},
    ticket::{Expire, Ticket, Wait},
};

/// How much a pool may do at a time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) threads: usize,
    pub(crate) queued: usize,
    pub(crate) deadline: Duration,
}

/// A handle on the threads; they end when it is dropped and the queue is empty.
pub(crate) struct Pool {
    shared: Arc<Shared>,
}

struct Shared {
    limits: Limits,
    queue: Mutex<Queue>,
    work: Condvar,
    deadlines: Condvar,
}

struct Queue {
    ready: VecDeque<Job>,
    shards: Box<[Shard]>,
    /// Jobs that no thread has begun, in `ready` and in the lines of the shards.
    queued: usize,
    threads: usize,
    idle: usize,
    /// In the order of their deadlines, because all wait equally long.
    deadlines: VecDeque<Arc<dyn Expire>>,
    clock: ClockThread,
    closed: bool,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum ClockThread {
    Missing,
    /// Will look at the queue again at the latest when the next deadline passes.
    Watching,
    /// Has nothing to watch, and has to be woken.
    Asleep,
}

#[derive(Default)]
struct Shard {
    busy: bool,
    line: VecDeque<Job>,
}

struct Job {
    shard: Option<u8>,
    run: Box<dyn FnOnce() + Send>,
}

impl Pool {
    pub(crate) fn new(limits: Limits) -> Self {
        let queue = Queue {
            ready: VecDeque::new(),
            shards: (0..=u8::MAX).map(|_| Shard::default()).collect(),
            queued: 0,
            threads: 0,
            idle: 0,
            deadlines: VecDeque::new(),
            clock: ClockThread::Missing,
            closed: false,
        };
        let (queue, work, deadlines) = (Mutex::new(queue), Condvar::new(), Condvar::new());
        Self { shared: Arc::new(Shared { limits, queue, work, deadlines }) }
    }

    /// Has `work` done by a thread of the pool: with a shard, after everything that was asked of the shard before.
    pub(crate) fn run<T: Send + 'static>(
        &self,
        shard: Option<u8>,
        work: impl FnOnce(&Ticket<T>) -> Result<T, StoreError> + Send + 'static,
    ) -> Wait<T> {
        let ticket = Ticket::new(Instant::now() + self.shared.limits.deadline);
        let wait = ticket.wait();
        let done = Arc::clone(&ticket);
        let run = Box::new(move || {
            if Expire::is_over(&*done) {
                return;
            }
            // The library never panics; should it, the caller learns of it and the thread goes on.
            let outcome = panic::catch_unwind(AssertUnwindSafe(|| work(&done)));
            done.answer(
                outcome.unwrap_or_else(|_| Err(StoreError::new(StoreErrorKind::Indeterminate, STORE))),
            );
        });
        if let Err(error) = self.submit(Job { shard, run }, ticket.clone()) {
            ticket.answer(Err(error));
        }
        wait
    }

    fn submit(&self, job: Job, expire: Arc<dyn Expire>) -> Result<(), StoreError> {
        let mut queue = self.shared.lock();
        if queue.queued >= self.shared.limits.queued {
            return Err(StoreError::new(StoreErrorKind::Overloaded, STORE));
        }
        match queue.clock {
            ClockThread::Missing => self.spawn("session-file-clock", Shared::end_waiting)?,
            ClockThread::Asleep => self.shared.deadlines.notify_one(),
            ClockThread::Watching => {}
        }
        queue.clock = ClockThread::Watching;
        let is_next = match job.shard.map(|shard| &mut queue.shards[usize::from(shard)]) {
            Some(shard) if shard.busy => {
                shard.line.push_back(job);
                false
            }
            shard => {
                if let Some(shard) = shard {
                    shard.busy = true;
                }
                queue.ready.push_back(job);
                true
            }
        };
        queue.queued += 1;
        if is_next {
            self.provide_thread(&mut queue);
        }
        while queue.deadlines.front().is_some_and(|front| front.is_over()) {
            queue.deadlines.pop_front();
        }
        queue.deadlines.push_back(expire);
        Ok(())
    }

    /// Wakes a thread, or starts one if all are at work and there may be more. Should the system refuse, the job waits
    /// for a thread to become free, or for its deadline.
    fn provide_thread(&self, queue: &mut Queue) {
        if queue.idle >= queue.ready.len() {
            self.shared.work.notify_one();
        } else if queue.threads < self.shared.limits.threads
            && self.spawn("session-file", Shared::work).is_ok()
        {
            queue.threads += 1;
        }
    }

    fn spawn(&self, name: &str, body: fn(&Shared)) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let thread = thread::Builder::new().name(name.to_owned()).stack_size(STACK);
        thread.spawn(move || body(&shared)).map(drop).map_err(unavailable("start a thread"))
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.work.notify_all();
        self.shared.deadlines.notify_all();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) {
        let mut queue = self.lock();
        loop {
            let Some(job) = queue.ready.pop_front() else {
                if queue.closed {
                    break;
                }
                queue.idle += 1;
                let waited = self.work.wait_timeout(queue, IDLE);
                let timed_out;
                (queue, timed_out) = waited.unwrap_or_else(PoisonError::into_inner);
                queue.idle -= 1;
                if timed_out.timed_out() && queue.ready.is_empty() {
                    break;
                }
                continue;
            };
            queue.queued -= 1;
            drop(queue);
            (job.run)();
            queue = self.lock();
            if let Some(shard) = job.shard {
                let shard = &mut queue.shards[usize::from(shard)];
                match shard.line.pop_front() {
                    Some(next) => queue.ready.push_back(next),
                    None => shard.busy = false,
                }
            }
        }
        queue.threads -= 1;
    }

    fn end_waiting(&self) {
        let mut queue = self.lock();
        while !queue.closed {
            let now = Instant::now();
            let Some(front) = queue.deadlines.front() else {
                queue.clock = ClockThread::Asleep;
                queue = self.deadlines.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let left = front.deadline().saturating_duration_since(now);
            if !left.is_zero() && !front.is_over() {
                queue = self.deadlines.wait_timeout(queue, left).unwrap_or_else(PoisonError::into_inner).0;
            } else if let Some(expired) = queue.deadlines.pop_front() {
                drop(queue);
                expired.expire();
                queue = self.lock();
            }
        }
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool").field("limits", &self.shared.limits).finish_non_exhaustive()
    }
}

/// How long a thread without work stays.
const IDLE: Duration = Duration::from_secs(10);
/// The largest thing on the stack is the buffer of a folder listing, 8 KiB.
const STACK: usize = 256 << 10;
