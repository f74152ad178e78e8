//! The threads that wait for the disk, so that no thread of the executor does.
//!
//! Bounded in threads and in what may be queued; beyond that the answer is `Overloaded`, at once. Changes of one shard
//! are done one after the other and wait in the shard's own line, so that a shard whose lock another process holds
//! occupies one thread and not all. A further thread ends the waiting for what is not done by its deadline.

use std::{
    collections::VecDeque,
    fmt,
    panic::{self, AssertUnwindSafe},
    time::{Duration, Instant},
};

use session_core::{StoreError, StoreErrorKind};

use crate::{
    failure::{STORE, unavailable},
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, thread},
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

#[cfg(test)]
mod tests {
    use std::{
        future::Future,
        pin::pin,
        sync::{Barrier, mpsc},
        task::{Context, Poll, Wake, Waker},
        thread::{self, Thread},
    };

    use super::*;

    fn pool(threads: usize, queued: usize, deadline: Duration) -> Pool {
        Pool::new(Limits { threads, queued, deadline })
    }

    fn block_on<F: Future>(future: F) -> F::Output {
        struct Unpark(Thread);

        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }

        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut future = pin!(future);
        loop {
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Ready(output) => return output,
                Poll::Pending => thread::park(),
            }
        }
    }

    const LONG: Duration = Duration::from_secs(60);

    #[test]
    fn as_many_jobs_as_threads_run_at_a_time() {
        let pool = pool(4, 100, LONG);
        let meeting = Arc::new(Barrier::new(4));
        let waits: Vec<_> = (0..8)
            .map(|number| {
                let meeting = Arc::clone(&meeting);
                // Each waits for three others, so they end only if four run at a time.
                pool.run(None, move |_| {
                    meeting.wait();
                    Ok(number)
                })
            })
            .collect();
        let answers: Vec<_> = waits.into_iter().map(|wait| block_on(wait).unwrap()).collect();
        assert_eq!(answers, (0..8).collect::<Vec<_>>());
        assert_eq!(pool.shared.lock().threads, 4);
    }

    #[test]
    fn the_jobs_of_a_shard_run_one_after_the_other_in_their_order() {
        let pool = pool(4, 1_000, LONG);
        let (log, order) = mpsc::channel();
        let waits: Vec<_> = (0..200)
            .map(|number| {
                let log = log.clone();
                pool.run(Some(7), move |_| {
                    log.send((number, "begin")).unwrap();
                    thread::yield_now();
                    log.send((number, "end")).unwrap();
                    Ok(())
                })
            })
            .collect();
        waits.into_iter().for_each(|wait| block_on(wait).unwrap());
        drop(log);
        let expected: Vec<_> = (0..200).flat_map(|number| [(number, "begin"), (number, "end")]).collect();
        assert_eq!(order.iter().collect::<Vec<_>>(), expected);
    }

    #[test]
    fn what_is_not_begun_in_time_is_never_begun() {
        let pool = pool(1, 100, Duration::from_millis(20));
        let (finish, finished) = mpsc::channel::<()>();
        let hangs = pool.run(None, move |ticket| {
            assert!(crate::ticket::Permit::commit(ticket));
            Ok(finished.recv().is_ok())
        });
        let queued = pool.run(None, |_| -> Result<(), _> { panic!("begun") });
        assert_eq!(block_on(queued).unwrap_err().kind(), StoreErrorKind::Unavailable);
        assert_eq!(block_on(hangs).unwrap_err().kind(), StoreErrorKind::Indeterminate);
        finish.send(()).unwrap();
        // The thread is of use again.
        while block_on(pool.run(None, |_| Ok(()))).is_err() {}
    }

    #[test]
    fn a_job_that_panics_takes_no_thread_with_it() {
        let pool = pool(1, 100, LONG);
        for _ in 0..3 {
            let panics = pool.run(Some(3), |_| -> Result<(), _> { panic!("on purpose") });
            assert_eq!(block_on(panics).unwrap_err().kind(), StoreErrorKind::Indeterminate);
        }
        block_on(pool.run(Some(3), |_| Ok(()))).unwrap();
        assert_eq!(pool.shared.lock().threads, 1);
    }

    #[test]
    fn the_threads_end_with_the_pool() {
        let pool = pool(3, 100, LONG);
        for _ in 0..20 {
            drop(pool.run(None, |_| Ok(())));
        }
        let shared = Arc::clone(&pool.shared);
        drop(pool);
        // One owner is left when the last thread, the clock among them, has ended.
        while Arc::strong_count(&shared) > 1 {
            thread::yield_now();
        }
        let queue = shared.lock();
        assert_eq!((queue.threads, queue.queued), (0, 0));
    }
}
