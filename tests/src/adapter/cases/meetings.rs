//! Two requests of one session that meet: every pair of things that a request can do, in every order of their calls for
//! the store that two changes of who is running can make.

use super::prelude::*;

/// Whatever two requests of one session do, and at whatever point one overtakes the other: nothing acknowledged is lost,
/// what was ended or replaced does not come back, and at most one session is left (lost updates, CVE-2025-46336).
pub async fn whenever_two_requests_meet_nothing_is_lost_and_nothing_comes_back(site: Site) -> Result {
    let app = site.start().await?;
    let mut meetings = 0_usize;
    // Strategies differ in how ids travel, not in who overtakes whom: the others get a share.
    let every = match (site.brief || site.hurried, site.persist) {
        (true, _) => 40,
        (false, Persist::Cookie) => 1,
        (false, _) => 8,
    };
    for first in DEEDS {
        for second in DEEDS {
            for spared in 0..MOST_CALLS {
                let mut met = false;
                for then_spared in 0..MOST_CALLS {
                    meetings += 1;
                    if !meetings.is_multiple_of(every) {
                        met = true;
                        continue;
                    }
                    let meeting = Meeting { first, second, spared, then_spared };
                    let held = meeting.take_place(&app).await.map_err(|failure| meeting.failed(&failure))?;
                    met |= held.first;
                    if !held.second && every == 1 {
                        break;
                    }
                }
                if !met {
                    break;
                }
            }
        }
    }
    Ok(())
}

/// More calls than any of them makes.
const MOST_CALLS: usize = 8;

/// What a request does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Read,
    Write,
    Update,
    Rotate,
    Destroy,
    Login,
    Logout,
}

const DEEDS: [Deed; 7] =
    [Deed::Read, Deed::Write, Deed::Update, Deed::Rotate, Deed::Destroy, Deed::Login, Deed::Logout];

impl Deed {
    fn ops(self, who: &str) -> Vec<Value> {
        match self {
            Self::Read => vec![get("n")],
            Self::Write => vec![set(who, 1)],
            Self::Update => vec![incr("n")],
            Self::Rotate => vec![op("renew")],
            Self::Destroy => vec![op("destroy")],
            Self::Login => vec![authenticate(who)],
            Self::Logout => vec![op("deauthenticate")],
        }
    }

    /// Whether it gives the session another id.
    const fn renames(self) -> bool {
        matches!(self, Self::Rotate | Self::Login | Self::Logout)
    }

    /// Whether another request may be refused because of it.
    const fn refuses_others(self) -> bool {
        self.renames() || matches!(self, Self::Destroy)
    }
}

/// `first` makes `spared` calls and is held; `second` makes `then_spared` calls and is held; `first` goes on to its end,
/// then `second`.
struct Meeting {
    first: Deed,
    second: Deed,
    spared: usize,
    then_spared: usize,
}

/// Who was held, and not answered before.
struct Held {
    first: bool,
    second: bool,
}

/// What came of one of the two.
struct Done {
    deed: Deed,
    who: &'static str,
    client: Client,
    applied: bool,
}

impl Meeting {
    async fn take_place(&self, app: &App) -> Result<Held> {
        let origin = app.member("origin").await?;
        origin.run([set("n", 0), set("origin", 1)]).await?;
        let (one, other) = (origin.copy(), origin.copy());

        let mut hold = app.store.hold_any_after(self.spared);
        let mut flight = one.launch(self.first.ops("one"))?;
        let first = hold.may_catch(&mut flight).await;
        let mut then_hold = app.store.hold_any_after(self.then_spared);
        let mut then_flight = other.launch(self.second.ops("two"))?;
        let second = then_hold.may_catch(&mut then_flight).await;
        hold.release();
        // It may wait at a gate behind the other, also behind one that was caught only now.
        let reply = flight.landing_or_waiting().await;
        then_hold.release();
        let reply = match reply {
            Some(reply) => reply?,
            None => flight.land().await?,
        };
        let then_reply = then_flight.land().await?;

        let done =
            [Done::of(self.first, "one", one, &reply)?, Done::of(self.second, "two", other, &then_reply)?];
        check(&origin, &done).await?;
        Ok(Held { first, second })
    }

    fn failed(&self, failure: &crate::Failure) -> crate::Failure {
        let Self { first, second, spared, then_spared } = self;
        crate::Failure::new(format!(
            "{first:?} after {spared} calls, {second:?} after {then_spared}: {failure}"
        ))
    }
}

/// What must hold however they met.
async fn check(origin: &Client, done: &[Done; 2]) -> Result {
    let [one, two] = done;
    for (it, other) in [(one, two), (two, one)] {
        ensure!(
            it.applied || other.deed.refuses_others(),
            "{:?} is refused beside {:?}",
            it.deed,
            other.deed
        );
    }
    let applied = |deed| done.iter().filter(|done| done.applied && done.deed == deed).count();
    let mut alive = Vec::new();
    for client in [origin, &one.client, &two.client] {
        let [info, n, is_origin, one, two] =
            client.copy().run([op("info"), get("n"), get("origin"), get("one"), get("two")]).await?;
        if !info["handle"].is_null() {
            alive.push((info["handle"].clone(), info, n, is_origin == 1, [one == 1, two == 1]));
        }
    }
    alive.sort_by_key(|session| session.0.to_string());
    alive.dedup_by(|one, other| one.0 == other.0);
    ensure!(alive.len() <= 1, "{} sessions are alive", alive.len());
    let from_origin = alive.iter().any(|session| session.3);

    if applied(Deed::Destroy) > 0 {
        ensure!(!from_origin, "a session is there after its logout was confirmed");
        return Ok(());
    }
    let [(_, info, n, true, written)] = &alive[..] else { fail!("no client has the session any more") };
    ensure!(
        *n == applied(Deed::Update),
        "{} updates are acknowledged and {n} counted",
        applied(Deed::Update)
    );
    for (number, done) in done.iter().enumerate() {
        let expected = done.applied && done.deed == Deed::Write;
        ensure!(
            written[number] == expected,
            "a write of {} is {}",
            done.who,
            if expected { "lost" } else { "there" }
        );
    }
    let logins: Vec<&Done> = done.iter().filter(|done| done.applied && done.deed == Deed::Login).collect();
    let mut principals: Vec<Value> = logins.iter().map(|done| json!(done.who)).collect();
    if applied(Deed::Logout) > 0 {
        principals.push(Value::Null);
    }
    if principals.is_empty() {
        principals.push(json!("origin"));
    }
    ensure!(principals.contains(&info["principal"]), "the session belongs to {}", info["principal"]);
    if done.iter().any(|done| done.applied && done.deed.renames()) {
        let [info, n] = origin.copy().run([op("info"), get("n")]).await?;
        ensure!(info["principal"].is_null() && n.is_null(), "a replaced id still works: {info}");
    }
    Ok(())
}

impl Done {
    fn of(deed: Deed, who: &'static str, client: Client, reply: &Reply) -> Result<Self> {
        let applied = match reply.status.as_u16() {
            200 => {
                let [result] = reply.answers()?;
                result.get("error").is_none()
            }
            409 => false,
            _ => fail!("{deed:?} is answered with {}", reply.status),
        };
        Ok(Self { deed, who, client, applied })
    }
}
