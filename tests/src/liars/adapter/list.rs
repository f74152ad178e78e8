//! The table of liars: what each gets wrong, and which cases see through it.

use std::{fmt, sync::LazyLock};

use super::lie::Liar;
use crate::{
    adapter::{Persist, Starter},
    docs,
};

/// Hands the list to a macro: each module of lies with the names and types of its liars.
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter_liars {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            [$($argument)*]
            requests {
                takes_the_last_id TakesTheLastId,
                takes_the_first_id TakesTheFirstId,
                reads_one_field ReadsOneField,
                reads_text_only ReadsTextOnly,
                decodes_cookies DecodesCookies,
                ignores_case IgnoresCase,
                trims_unicode TrimsUnicode,
                unquotes Unquotes,
                reads_the_query ReadsTheQuery,
                reads_the_other_field ReadsTheOtherField,
            }
            responses {
                drops_vary DropsVary,
                varies_only_with_an_id VariesOnlyWithAnId,
                replaces_vary ReplacesVary,
                varies_twice VariesTwice,
                always_varies AlwaysVaries,
                lets_caches_store LetsCachesStore,
                replaces_cache_control ReplacesCacheControl,
                forbids_caches_everything ForbidsCachesEverything,
                keeps_one_value KeepsOneValue,
                tells_on_success_only TellsOnSuccessOnly,
                withdraws_without_attributes WithdrawsWithoutAttributes,
                never_withdraws NeverWithdraws,
                logs_responses LogsResponses,
            }
            redirects {
                ignores_redirects IgnoresRedirects,
                redirects_head RedirectsHead,
                repeats_the_path RepeatsThePath,
                drops_parameters DropsParameters,
                lets_urls_be_referred_from LetsUrlsBeReferredFrom,
                decodes_the_query DecodesTheQuery,
            }
            strategies {
                copies_the_field_into_a_cookie CopiesTheFieldIntoACookie,
                keeps_cookies_for_the_application KeepsCookiesForTheApplication,
                reads_what_is_sealed_only_once ReadsWhatIsSealedOnlyOnce,
            }
            errors {
                hides_failed_saves HidesFailedSaves,
                tells_nothing_with_errors TellsNothingWithErrors,
                takes_outages_for_strangers TakesOutagesForStrangers,
                makes_every_error_a_500 MakesEveryErrorA500,
                ignores_the_applications_answers IgnoresTheApplicationsAnswers,
                drops_retry_after DropsRetryAfter,
                closes_as_success ClosesAsSuccess,
                drops_changes_of_failures DropsChangesOfFailures,
                shows_ids_in_errors ShowsIdsInErrors,
            }
            sessions {
                forgets_to_apply ForgetsToApply,
                answers_before_it_stores AnswersBeforeItStores,
                closes_twice ClosesTwice,
                loads_eagerly LoadsEagerly,
                stores_every_visitor StoresEveryVisitor,
                keeps_the_last_session KeepsTheLastSession,
                adopts_ids AdoptsIds,
                withdraws_unknown_ids WithdrawsUnknownIds,
                repeats_the_id RepeatsTheId,
            }
        }
    };
}

/// What [`__adapter_liars`](crate::__adapter_liars) expands to here.
macro_rules! table {
    ([] $($module:ident { $($name:ident $lie:ident,)* })*) => {{
        let mut table = Vec::new();
        $(
            let source = include_str!(concat!(stringify!($module), ".rs"));
            $(table.push(AdapterLiar {
                name: stringify!($name),
                lie: docs::above(source, concat!("pub(super) struct ", stringify!($lie))),
                caught_by: caught_by(stringify!($name)),
                persist: <super::$module::$lie as super::lie::Lie>::PERSIST,
                starter: Starter::of::<Liar<super::$module::$lie>>(),
            });)*
        )*
        table
    }};
}

/// Every liar.
pub static LIARS: LazyLock<Vec<AdapterLiar>> = LazyLock::new(|| crate::__adapter_liars!([table]));

/// An adapter that breaks one rule.
#[non_exhaustive]
pub struct AdapterLiar {
    /// The name of the liar, and of its test.
    pub name: &'static str,
    /// What it gets wrong, in one sentence.
    pub lie: String,
    /// The strategy with which it lies.
    pub persist: Persist,
    /// The cases that must see through it with that strategy; every other case must pass.
    pub caught_by: Vec<&'static str>,
    /// The adapter.
    pub starter: Starter,
}

impl AdapterLiar {
    /// The liar of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<&'static Self> {
        LIARS.iter().find(|liar| liar.name == name)
    }
}

impl fmt::Debug for AdapterLiar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AdapterLiar")
            .field("name", &self.name)
            .field("lie", &self.lie)
            .finish_non_exhaustive()
    }
}

/// The cases that see through a liar: the lines indented below its name in the golden file.
fn caught_by(name: &str) -> Vec<&'static str> {
    let mut lines = CAUGHT_BY.lines().skip_while(|line| *line != name).skip(1);
    std::iter::from_fn(|| lines.next()?.strip_prefix("    ")).collect()
}

const CAUGHT_BY: &str = include_str!("caught_by.txt");
