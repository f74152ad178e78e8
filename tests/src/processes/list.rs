//! The list of cases with several processes.

/// Hands the list to a macro: each module of [`cases`](crate::processes::cases) with its cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __process_cases {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            [$($argument)*]
            records {
                of_two_creates_one_wins,
                no_step_is_lost,
                a_removal_is_final,
            }
            updates {
                no_update_is_lost,
            }
            rotations {
                one_of_many_rotations_wins,
                a_routine_rotation_turns_nobody_away,
            }
            endings {
                a_commit_after_an_end_elsewhere_is_refused,
                an_end_beside_requests_is_final,
            }
        }
    };
}

/// Tests a store that processes share: expands to one `#[test]` for each case.
///
/// The first argument is a function `fn() -> Place`, called once for every case; the second a function of type
/// `async fn(String, u64) -> impl Store`, called with the address in the test and in its children. See
/// [`processes`](crate::processes).
#[macro_export]
macro_rules! process_tests {
    ($place:expr, $open:expr) => {
        $crate::__process_cases!([$crate::__process_test_functions] $place, $open);
    };
}

/// What [`__process_cases`](crate::__process_cases) expands to in [`process_tests`](crate::process_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! __process_test_functions {
    ([$place:expr, $open:expr] $($module:ident { $($case:ident,)* })*) => {
        $($(
            #[test]
            fn $case() {
                let test = concat!(module_path!(), "::", stringify!($case));
                $crate::__private::process_test(stringify!($case), test, $place, $open);
            }
        )*)*
    };
}
