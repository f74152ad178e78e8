//! Requests of one session at the same time, and tasks of one request: the promises of the core, in every schedule.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

use session_core::{Session, SessionError, SessionLimitPolicy};
use session_schedules::{Site, explore};
use shuttle::{
    future::{JoinHandle, block_on, spawn},
    rand::{Rng, thread_rng},
};

const SCHEDULES: u64 = 200;

/// Plays an `async` test through many schedules.
fn explore_async<F: Future<Output = ()> + 'static>(test: impl Fn() -> F + Send + Sync + Clone + 'static) {
    explore(SCHEDULES, move || block_on(test()));
}

/// An application, and the id of a session in which `n` is 0.
async fn visitor() -> (Site, String) {
    let site = Site::new(|builder| builder);
    let id = site.request(None, |session| session.insert("n", 0_u64)).await.unwrap().unwrap();
    (site, id)
}

/// The same, signed in.
async fn member() -> (Site, String) {
    let (site, id) = visitor().await;
    let id = site.request(Some(&id), |session| session.authenticate("ann")).await.unwrap().unwrap();
    (site, id)
}

type Answer = Result<Option<String>, SessionError>;

/// A request on a task of its own.
fn launch(
    site: &Site,
    id: &str,
    handler: impl FnOnce(&Session) -> Result<(), SessionError> + Send + 'static,
) -> JoinHandle<Answer> {
    let (site, id) = (site.clone(), id.to_owned());
    spawn(async move { site.request(Some(&id), handler).await })
}

fn count(session: &Session) -> Result<(), SessionError> {
    session.update::<u64>("n", |n| *n += 1).map(drop)
}

/// Promise C1.
#[test]
fn no_increment_is_lost() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let requests: Vec<_> = (0..3).map(|_| launch(&site, &id, count)).collect();
        for request in requests {
            request.await.unwrap().unwrap();
        }
        assert_eq!(site.look(&id, "n").await, Some(3));
    });
}

/// Promise C2.
#[test]
fn no_key_is_lost() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let one = launch(&site, &id, |session| session.insert("one", 1_u64));
        let two = launch(&site, &id, |session| session.insert("two", 2_u64));
        let gone = launch(&site, &id, |session| session.remove("n").map(drop));
        for request in [one, two, gone] {
            request.await.unwrap().unwrap();
        }
        let found = [site.look(&id, "one").await, site.look(&id, "two").await, site.look(&id, "n").await];
        assert_eq!(found, [Some(1), Some(2), None]);
    });
}

/// Promise C3.
#[test]
fn a_logout_is_final() {
    explore_async(|| async {
        let (site, id) = member().await;
        let writer = launch(&site, &id, count);
        let renewal = launch(&site, &id, Session::renew);
        let logout = launch(&site, &id, Session::destroy);
        for request in [writer, renewal] {
            let answer = request.await.unwrap();
            assert!(
                matches!(answer, Ok(_) | Err(SessionError::Ended | SessionError::Superseded)),
                "{answer:?}"
            );
        }
        logout.await.unwrap().unwrap();
        assert_eq!(site.shelf.sessions(), 0, "a session is left after its logout");
    });
}

/// Promise C4.
#[test]
fn of_renewals_at_once_one_wins() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let renew = |session: &Session| session.renew().and_then(|()| count(session));
        let requests: Vec<_> = (0..3).map(|_| launch(&site, &id, renew)).collect();
        let mut winners = Vec::new();
        for request in requests {
            match request.await.unwrap() {
                Ok(id) => winners.push(id.unwrap()),
                Err(error) => assert!(matches!(error, SessionError::Superseded), "{error}"),
            }
        }
        let [winner] = &winners[..] else { panic!("{} renewals of one id have won", winners.len()) };
        assert_eq!((site.look(winner, "n").await, site.look(&id, "n").await), (Some(1), None));
        assert_eq!(site.shelf.sessions(), 1, "a renewal that lost leaves its session");
    });
}

/// A login takes over what was stored before it, and whoever comes later writes nothing under the old id.
#[test]
fn a_login_carries_over_what_was_acknowledged() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let writer = launch(&site, &id, count);
        let login = launch(&site, &id, |session| session.authenticate("ann"));
        let written = match writer.await.unwrap() {
            Ok(_) => 1,
            Err(error) => {
                assert!(matches!(error, SessionError::Superseded), "{error}");
                0
            }
        };
        let new = login.await.unwrap().unwrap().unwrap();
        assert_eq!((site.look(&new, "n").await, site.look(&id, "n").await), (Some(written), None));
        assert_eq!(site.shelf.sessions(), 1);
    });
}

/// A routine rotation fails nobody: all of them reach the one successor.
#[test]
fn a_rotation_beside_writers_loses_nothing() {
    explore_async(|| async {
        let site = Site::new(|builder| builder.renew_every(Duration::from_secs(60)));
        let id = site.request(None, |session| session.insert("n", 0_u64)).await.unwrap().unwrap();
        site.clock.advance(Duration::from_secs(61));
        let requests: Vec<_> = (0..3).map(|_| launch(&site, &id, count)).collect();
        for request in requests {
            request.await.unwrap().unwrap();
        }
        assert_eq!(site.look(&id, "n").await, Some(3), "under the old id, in its grace");
        assert_eq!(site.shelf.sessions(), 1);
    });
}

/// Promise C7: a request that keeps a session alive beats one that finds it expired, or finds it expired itself.
#[test]
fn an_acknowledged_renewal_is_not_lost_to_an_expiry() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        site.clock.advance(Duration::from_secs(1_799));
        let writer = launch(&site, &id, count);
        let clock = site.clock.clone();
        let passing = spawn(async move { clock.advance(Duration::from_secs(2)) });
        let reader = launch(&site, &id, |_| Ok(()));
        let stored = writer.await.unwrap();
        passing.await.unwrap();
        reader.await.unwrap().unwrap();
        match stored {
            // Told nothing new, so it is the session from before, and it lives for as long again.
            Ok(Some(same)) if same == id => assert_eq!(site.look(&id, "n").await, Some(1)),
            Ok(Some(new)) => {
                assert_eq!((site.look(&new, "n").await, site.look(&id, "n").await), (Some(1), None))
            }
            Ok(None) => panic!("a writer is told to forget its id"),
            Err(error) => assert!(matches!(error, SessionError::Ended), "{error}"),
        }
    });
}

/// Sessions of a principal beyond the limit end, however many sign in at once.
#[test]
fn logins_at_once_end_at_the_limit() {
    explore_async(|| async {
        let site = Site::new(|builder| builder.max_sessions_per_principal(2, SessionLimitPolicy::EndOldest));
        let login = || {
            let site = site.clone();
            spawn(async move { site.request(None, |session| session.authenticate("ann")).await })
        };
        for request in [login(), login(), login()] {
            request.await.unwrap().unwrap();
        }
        assert_eq!(site.shelf.sessions(), 2);
    });
}

/// Whoever asks for the session of a request, and however often: it is loaded once.
#[test]
fn a_session_is_loaded_once() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let before = site.shelf.loads();
        let visit = site.visit(Some(&id)).await;
        let tasks: Vec<_> = (0..3)
            .map(|_| {
                let lazy = visit.session.clone();
                spawn(async move { lazy.load().await.unwrap().get::<u64>("n").unwrap() })
            })
            .collect();
        for task in tasks {
            assert_eq!(task.await.unwrap(), Some(0));
        }
        assert_eq!(site.shelf.loads() - before, 1);
        visit.close().await.unwrap();
    });
}

/// Tasks of one request change, save and renew one session: nothing of it is lost, and there is one session.
#[test]
fn tasks_of_one_request_lose_nothing() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let visit = site.visit(Some(&id)).await;
        let session = visit.session.load().await.unwrap();
        let task = |work: fn(&Session) -> Result<(), SessionError>| {
            let session = session.clone();
            spawn(async move {
                work(&session).unwrap();
                session.save().await.unwrap();
                count(&session).unwrap();
            })
        };
        let tasks = [task(count), task(Session::renew), task(|session| session.insert("one", 1_u64))];
        let other = launch(&site, &id, count);
        for task in tasks {
            task.await.unwrap();
        }
        let told = visit.close().await.unwrap().unwrap();
        let others = match other.await.unwrap() {
            Ok(_) => 1,
            Err(error) => {
                assert!(matches!(error, SessionError::Superseded), "{error}");
                0
            }
        };
        assert_eq!((site.look(&told, "n").await, site.look(&told, "one").await), (Some(4 + others), Some(1)));
        assert_eq!(site.shelf.sessions(), 1);
    });
}

/// A session that is ended while a task of the same request stores it is ended.
#[test]
fn an_end_beside_a_save_counts() {
    explore_async(|| async {
        let site = Site::new(|builder| builder);
        let visit = site.visit(None).await;
        let session = visit.session.load().await.unwrap();
        session.insert("n", 1_u64).unwrap();
        let saving = session.clone();
        let save = spawn(async move { saving.save().await });
        let ending = session.clone();
        let end = spawn(async move { ending.destroy() });
        let saved = save.await.unwrap();
        assert!(matches!(saved, Ok(()) | Err(SessionError::Ended)), "{saved:?}");
        end.await.unwrap().unwrap();
        visit.close().await.unwrap();
        assert_eq!(site.shelf.sessions(), 0, "a session is left after its end");
    });
}

/// A change that was taken before the request ended is stored; one that came later is refused.
#[test]
fn a_change_beside_the_end_of_the_request_is_stored_or_refused() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let visit = site.visit(Some(&id)).await;
        let session = visit.session.load().await.unwrap();
        let late = spawn(async move { count(&session) });
        visit.close().await.unwrap();
        let counted = match late.await.unwrap() {
            Ok(()) => 1,
            Err(error) => {
                assert!(matches!(error, SessionError::ResponseSent), "{error}");
                0
            }
        };
        assert_eq!(site.look(&id, "n").await, Some(counted));
    });
}

/// Promise C6: a request that is dropped at any await has stored all or nothing, and holds nobody up.
#[test]
fn a_dropped_request_holds_nobody_up() {
    explore_async(|| async {
        let (site, id) = visitor().await;
        let dropped = |work: fn(&Session) -> Result<(), SessionError>| {
            let (site, id) = (site.clone(), id.clone());
            let polls = thread_rng().gen_range(0..12);
            spawn(async move { Cut { future: Box::pin(site.request(Some(&id), work)), polls }.await })
        };
        let dropped =
            [dropped(count), dropped(|session| session.insert("one", 1_u64).and_then(|()| count(session)))];
        let whole = [launch(&site, &id, count), launch(&site, &id, count)];
        for request in whole {
            request.await.unwrap().unwrap();
        }
        for request in dropped {
            request.await.unwrap();
        }
        let (n, one) = (site.look(&id, "n").await.unwrap(), site.look(&id, "one").await);
        assert!((2 + u64::from(one.is_some())..=4).contains(&n), "n is {n}, one {one:?}");
        assert_eq!(site.shelf.sessions(), 1);
    });
}

/// Polls a future some times and drops it.
struct Cut<F> {
    future: Pin<Box<F>>,
    polls: usize,
}

impl<F: Future> Future for Cut<F> {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        if self.polls == 0 {
            return Poll::Ready(());
        }
        self.polls -= 1;
        match self.future.as_mut().poll(context) {
            Poll::Pending if self.polls > 0 => Poll::Pending,
            _ => Poll::Ready(()),
        }
    }
}
