//! The table of liars: what each gets wrong, and which cases see through it.

use std::{fmt, sync::LazyLock};

use super::lie::{Liar, Lie};
use crate::{
    docs,
    store::{Factory, Reference},
};

/// Hands the list to a macro: each module of lies with the names and types of its liars.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_liars {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            [$($argument)*]
                bytes {
                    takes_empty_for_absent TakesEmptyForAbsent,
                    keeps_text KeepsText,
                    cuts_short CutsShort,
                    cuts_the_oversized CutsTheOversized,
                    leaves_the_tail LeavesTheTail,
                    keeps_equal_records_once KeepsEqualRecordsOnce,
                }
                keys {
                    ignores_the_last_bit IgnoresTheLastBit,
                    ignores_case IgnoresCase,
                    shares_one_place SharesOnePlace,
                }
                load {
                    loads_a_default LoadsADefault,
                    lags_behind LagsBehind,
                    lags_now_and_then LagsNowAndThen,
                    touches_on_load TouchesOnLoad,
                    extends_on_load ExtendsOnLoad,
                }
                write {
                    upserts Upserts,
                    creates_over CreatesOver,
                    lets_the_last_writer_win LetsTheLastWriterWin,
                    brings_the_removed_back BringsTheRemovedBack,
                    leaves_a_part LeavesAPart,
                    reports_conflicts_as_errors ReportsConflictsAsErrors,
                    moves_the_expiry_on_conflict MovesTheExpiryOnConflict,
                    moves_the_principal_on_conflict MovesThePrincipalOnConflict,
                }
                at_once {
                    remembers_the_first_answer RemembersTheFirstAnswer,
                    upserts_at_once UpsertsAtOnce,
                }
                versions {
                    counts_versions_anew CountsVersionsAnew,
                    keeps_the_version_of_equal_bytes KeepsTheVersionOfEqualBytes,
                    takes_zero_for_any TakesZeroForAny,
                    compares_half_of_a_version ComparesHalfOfAVersion,
                    gives_a_removed_version_again GivesARemovedVersionAgain,
                tells_two_versions TellsTwoVersions,
                }
                remove {
                    removes_any_version RemovesAnyVersion,
                    refuses_to_remove_twice RefusesToRemoveTwice,
                    conflicts_with_absence ConflictsWithAbsence,
                    leaves_the_expiry LeavesTheExpiry,
                    removes_by_prefix RemovesByPrefix,
                    keeps_the_expired KeepsTheExpired,
                    removes_later RemovesLater,
                    forgets_to_remove ForgetsToRemove,
                }
                expiry {
                    rounds_down RoundsDown,
                    rounds_up_to_minutes RoundsUpToMinutes,
                    wraps_around WrapsAround,
                    panics_in_the_past PanicsInThePast,
                    expires_early ExpiresEarly,
                    never_shortens NeverShortens,
                    empties_the_expired EmptiesTheExpired,
                    continues_the_expired ContinuesTheExpired,
                    extends_the_expired_unseen ExtendsTheExpiredUnseen,
                    deletes_when_it_loads_the_expired DeletesWhenItLoadsTheExpired,
                    takes_any_distance_for_age TakesAnyDistanceForAge,
                }
                races {
                    checks_then_creates ChecksThenCreates,
                    checks_then_writes ChecksThenWrites,
                    acknowledges_two_writes AcknowledgesTwoWrites,
                    checks_then_revives ChecksThenRevives,
                    checks_then_removes ChecksThenRemoves,
                    writes_in_halves WritesInHalves,
                    rewrites_everything RewritesEverything,
                }
                cancel {
                    stays_half_written StaysHalfWritten,
                    keeps_the_lock KeepsTheLock,
                    lands_late LandsLate,
                    removes_late RemovesLate,
                    damages_when_cancelled DamagesWhenCancelled,
                    deletes_when_cancelled DeletesWhenCancelled,
                    delists_when_cancelled DelistsWhenCancelled,
                    damages_in_a_cancelled_scan DamagesInACancelledScan,
                }
                sweep {
                    sweeps_the_living SweepsTheLiving,
                    ignores_the_start IgnoresTheStart,
                    includes_the_end IncludesTheEnd,
                    excludes_the_start ExcludesTheStart,
                    ignores_the_budget IgnoresTheBudget,
                    takes_no_budget_for_no_limit TakesNoBudgetForNoLimit,
                    never_finishes NeverFinishes,
                    begins_at_the_first BeginsAtTheFirst,
                    finishes_too_early FinishesTooEarly,
                    never_starts_over NeverStartsOver,
                    sweeps_nothing SweepsNothing,
                    ends_at_damage EndsAtDamage,
                counts_no_failure CountsNoFailure,
                sweeps_the_foreign SweepsTheForeign,
                    decides_then_sweeps DecidesThenSweeps,
                    goes_by_the_first_expiry GoesByTheFirstExpiry,
                    goes_by_the_latest_expiry GoesByTheLatestExpiry,
                    brings_the_swept_back BringsTheSweptBack,
                }
                scan {
                    drops_the_last_of_a_page DropsTheLastOfAPage,
                    scans_without_principals ScansWithoutPrincipals,
                    scans_the_first_page_for_ever ScansTheFirstPageForEver,
                    scans_nothing_without_a_limit ScansNothingWithoutALimit,
                    ends_a_scan_at_damage EndsAScanAtDamage,
                    hides_damage HidesDamage,
                    takes_an_outage_for_the_end TakesAnOutageForTheEnd,
                    touches_what_it_scans TouchesWhatItScans,
                }
                index {
                    lists_a_hundred ListsAHundred,
                    lists_by_age ListsByAge,
                    repeats_the_last RepeatsTheLast,
                    starts_over_at_the_unlisted StartsOverAtTheUnlisted,
                    pages_by_count PagesByCount,
                    ignores_the_limit IgnoresTheLimit,
                    overflows_at_the_limit OverflowsAtTheLimit,
                    lists_a_neighbour ListsANeighbour,
                }
                index_changes {
                    lists_the_created_only ListsTheCreatedOnly,
                    keeps_the_first_principal KeepsTheFirstPrincipal,
                    loses_the_principal LosesThePrincipal,
                    never_lists_again NeverListsAgain,
                    expires_with_the_first ExpiresWithTheFirst,
                    drops_the_list_on_removal DropsTheListOnRemoval,
                    drops_the_list_on_sweep DropsTheListOnSweep,
                    rewrites_the_list RewritesTheList,
                    forgets_the_index_on_create ForgetsTheIndexOnCreate,
                }
                environment {
                    empties_on_create EmptiesOnCreate,
                    finds_nothing_missing FindsNothingMissing,
                    repairs_on_check RepairsOnCheck,
                    complains_of_records ComplainsOfRecords,
                    keeps_records_on_drop KeepsRecordsOnDrop,
                    drops_the_foreign DropsTheForeign,
                drops_for_good DropsForGood,
                }
                reopen {
                    forgets_removals ForgetsRemovals,
                    forgets_the_last_write ForgetsTheLastWrite,
                    counts_in_memory CountsInMemory,
                    numbers_anew NumbersAnew,
                    trusts_any_version_after_opening TrustsAnyVersionAfterOpening,
                    forgets_the_index ForgetsTheIndex,
                    sweeps_the_new_only SweepsTheNewOnly,
                }
                peers {
                    trusts_its_copy TrustsItsCopy,
                    remembers_absence RemembersAbsence,
                    counts_for_itself CountsForItself,
                    locks_for_itself LocksForItself,
                    lists_its_own ListsItsOwn,
                    sweeps_for_itself SweepsForItself,
                }
                outage {
                    finds_nothing_in_an_outage FindsNothingInAnOutage,
                    sees_damage_in_an_outage SeesDamageInAnOutage,
                    hangs_in_an_outage HangsInAnOutage,
                    conflicts_in_an_outage ConflictsInAnOutage,
                    swallows_writes_in_an_outage SwallowsWritesInAnOutage,
                    carries_out_what_it_refuses CarriesOutWhatItRefuses,
                    swallows_removals_in_an_outage SwallowsRemovalsInAnOutage,
                    comes_back_empty ComesBackEmpty,
                    stays_down StaysDown,
                    lists_nothing_in_an_outage ListsNothingInAnOutage,
                    finishes_in_an_outage FinishesInAnOutage,
                    checks_without_the_medium ChecksWithoutTheMedium,
                }
                full {
                    forgets_the_oldest ForgetsTheOldest,
                    calls_itself_unavailable CallsItselfUnavailable,
                    takes_more TakesMore,
                    refuses_removals_when_full RefusesRemovalsWhenFull,
                    stays_full StaysFull,
                    stays_full_after_sweeps StaysFullAfterSweeps,
                    leaves_the_refused LeavesTheRefused,
                    removes_before_it_refuses RemovesBeforeItRefuses,
                    refuses_every_write_when_full RefusesEveryWriteWhenFull,
                    lists_nothing_when_full ListsNothingWhenFull,
                }
                damage {
                    takes_damage_for_absence TakesDamageForAbsence,
                    serves_the_damaged ServesTheDamaged,
                    takes_damage_for_an_outage TakesDamageForAnOutage,
                    writes_over_damage WritesOverDamage,
                    gives_up_after_damage GivesUpAfterDamage,
                    keeps_the_damaged KeepsTheDamaged,
                    lists_up_to_damage ListsUpToDamage,
                }
                secrecy {
                    shows_bytes ShowsBytes,
                    shows_numbers ShowsNumbers,
                    shows_principals ShowsPrincipals,
                    quotes_bytes_in_errors QuotesBytesInErrors,
                }
        }
    };
}

/// What [`__store_liars`](crate::__store_liars) expands to here.
macro_rules! table {
    ([] $($module:ident { $($name:ident $lie:ident,)* })*) => {{
        let mut table = Vec::new();
        $(
            let source = include_str!(concat!(stringify!($module), ".rs"));
            $(table.push(StoreLiar {
                name: stringify!($name),
                lie: docs::above(source, concat!("pub(super) struct ", stringify!($lie))),
                caught_by: caught_by(stringify!($name)),
                hangs: <super::$module::$lie as Lie>::HANGS,
                make: factory::<super::$module::$lie>,
            });)*
        )*
        table
    }};
}

/// Every liar.
pub static LIARS: LazyLock<Vec<StoreLiar>> = LazyLock::new(|| crate::__store_liars!([table]));

/// A store that breaks one rule.
#[non_exhaustive]
pub struct StoreLiar {
    /// The name of the liar, and of its test.
    pub name: &'static str,
    /// What it gets wrong, in one sentence.
    pub lie: String,
    /// The cases that must see through it; every other case must pass.
    pub caught_by: Vec<&'static str>,
    /// Whether it lies by not answering, so that a short wait is enough to see through it.
    pub hangs: bool,
    make: fn() -> Factory,
}

impl StoreLiar {
    /// The liar of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        LIARS.iter().find(|liar| liar.name == name)
    }

    /// Makes stores that lie.
    #[must_use]
    pub fn factory(&self) -> Factory {
        (self.make)()
    }
}

impl fmt::Debug for StoreLiar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StoreLiar").field("name", &self.name).field("lie", &self.lie).finish_non_exhaustive()
    }
}

fn factory<L: Lie>() -> Factory {
    let shared = Reference::new();
    Factory::new(move |clock| {
        let store = if L::SHARES { shared.clone() } else { Reference::new() };
        std::future::ready(Liar::<L>::fresh(store, clock))
    })
}

/// The cases that see through a liar: the lines indented below its name in the golden file.
fn caught_by(name: &str) -> Vec<&'static str> {
    let mut lines = CAUGHT_BY.lines().skip_while(|line| *line != name).skip(1);
    std::iter::from_fn(|| lines.next()?.strip_prefix("    ")).collect()
}

const CAUGHT_BY: &str = include_str!("caught_by.txt");
