//! The list of cases: the one place where a case is named, so that a new one reaches every store.

/// Hands the list to a macro: each module of [`cases`](crate::store::cases) with its cases and what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            [$($argument)*]
            bytes {
                bytes_come_back_exactly [],
                a_large_record_comes_back_whole [],
                a_record_too_large_is_never_cut_short [],
                a_rewrite_replaces_every_byte [],
                equal_records_stay_apart [],
            }
            keys {
                every_bit_of_a_key_counts [],
                any_bytes_make_a_key [],
                fresh_stores_share_nothing [],
            }
            load {
                an_absent_record_is_none [],
                a_load_sees_the_last_acknowledged_write [],
                every_task_sees_an_acknowledged_write [],
                a_load_changes_nothing [],
            }
            write {
                a_create_is_stored_where_nothing_is [],
                a_create_conflicts_where_a_record_is [],
                a_write_over_the_current_version_is_stored [],
                a_write_over_a_stale_version_conflicts [],
                a_write_to_an_absent_record_conflicts [],
                a_write_after_a_removal_conflicts [],
                a_conflict_changes_nothing [],
            }
            at_once {
                a_load_at_once_says_what_a_load_says [AtOnce],
                a_write_at_once_does_what_a_write_does [AtOnce],
                increments_at_once_and_others_are_all_counted [AtOnce],
            }
            versions {
                every_write_makes_a_new_version [],
                versions_are_not_reused_after_a_removal [],
                a_version_from_before_a_removal_is_stale [],
                no_other_version_will_do [],
            }
            remove {
                a_removed_record_is_gone [],
                a_removal_is_idempotent [],
                a_removal_of_the_current_version_removes [],
                a_removal_of_a_stale_version_conflicts [],
                a_removal_of_an_absent_record_is_gone [],
                a_removed_key_can_be_used_again [],
                a_removal_touches_no_other_record [],
                an_expired_record_can_be_removed [],
            }
            expiry {
                an_expiry_comes_back_as_written [],
                an_expiry_may_lie_in_the_year_9999 [],
                an_expiry_may_lie_at_the_epoch [],
                a_record_lives_to_its_last_millisecond [Clock],
                a_load_does_not_extend_a_life [],
                a_write_moves_the_expiry_either_way [],
                an_expired_record_is_itself_or_nothing [],
                a_create_over_an_expired_record_is_all_or_nothing [],
                a_write_over_an_expired_record_is_all_or_nothing [],
                a_clock_that_jumps_loses_no_live_record [Clock],
                a_load_never_deletes_a_renewal [],
            }
            races {
                one_of_many_creates_wins [],
                one_of_many_writes_wins [],
                no_increment_is_lost [],
                disjoint_keys_do_not_disturb_each_other [],
                a_load_never_sees_a_half_written_record [],
                a_removal_beside_writes_is_final [],
                a_write_and_a_removal_of_one_version_have_one_winner [],
            }
            random {
                random_calls_answer_as_the_model_does [],
                what_clients_see_is_linearizable [],
            }
            cancel {
                a_cancelled_create_is_whole_or_nothing [],
                a_cancelled_write_is_old_or_new [],
                a_cancelled_removal_is_done_or_not [],
                a_cancelled_removal_spares_a_later_write [],
                a_cancelled_load_changes_nothing [],
                a_cancelled_list_changes_nothing [PrincipalIndex],
                a_cancelled_scan_changes_nothing [Scan],
                a_cancelled_sweep_deletes_no_live_record [Sweep Clock],
            }
            sweep {
                a_sweep_deletes_the_expired_only [Sweep Clock],
                a_sweep_keeps_to_its_range [Sweep Clock],
                a_sweep_of_an_empty_range_deletes_nothing [Sweep Clock],
                a_sweep_keeps_to_its_budget [Sweep Clock],
                a_sweep_with_a_budget_of_one_reaches_everything [Sweep Clock],
                a_sweep_without_a_budget_deletes_nothing [Sweep Clock],
                a_sweep_that_finished_starts_over [Sweep Clock],
                a_sweep_keeps_what_was_renewed [Sweep Clock],
                a_sweep_deletes_what_was_shortened [Sweep Clock],
                a_swept_key_can_be_used_again [Sweep Clock],
                a_sweep_leaves_the_foreign_alone [Sweep Clock Foreign],
            }
            sweep_races {
                a_sweep_keeps_what_is_renewed_meanwhile [Sweep Clock],
                a_sweep_beside_writers_loses_nothing [Sweep Clock],
                sweeps_side_by_side_do_no_harm [Sweep Clock],
            }
            index {
                every_record_of_a_principal_is_listed [PrincipalIndex],
                a_long_list_comes_in_pages [PrincipalIndex],
                ten_thousand_records_come_in_pages [PrincipalIndex],
                a_page_starts_behind_the_given_key [PrincipalIndex],
                a_page_may_be_of_any_size [PrincipalIndex],
                a_record_of_another_is_never_listed [PrincipalIndex],
                a_record_that_gains_a_principal_is_listed [PrincipalIndex],
                a_record_that_changes_its_principal_is_listed_anew [PrincipalIndex],
                a_record_that_regains_its_principal_is_listed [PrincipalIndex],
                a_rewritten_record_stays_listed [PrincipalIndex],
                a_conflict_leaves_the_principal [PrincipalIndex],
                a_removal_leaves_the_others_listed [PrincipalIndex],
                parallel_logins_are_all_listed [PrincipalIndex],
                a_list_beside_writers_misses_nothing [PrincipalIndex],
                a_sweep_leaves_live_records_listed [PrincipalIndex Sweep Clock],
            }
            environment {
                a_store_in_use_passes_its_check [Environment],
                creating_again_destroys_nothing [Environment],
                a_check_reports_what_was_dropped [Environment],
                setting_up_and_tearing_down_leaves_the_foreign_alone [Environment Foreign],
                a_dropped_environment_can_be_created_again [Environment],
            }
            reopen {
                records_survive_reopening [Reopen],
                a_removal_survives_reopening [Reopen],
                versions_are_not_reused_after_reopening [Reopen],
                a_stale_version_conflicts_after_reopening [Reopen],
                the_index_survives_reopening [Reopen PrincipalIndex],
                a_sweep_reaches_records_from_before_reopening [Reopen Sweep Clock],
            }
            peers {
                a_peer_sees_an_acknowledged_write [Peer],
                a_peer_sees_a_removal [Peer],
                a_peer_does_not_remember_absence [Peer],
                one_of_many_peers_wins [Peer],
                no_increment_of_a_peer_is_lost [Peer],
                a_removal_beside_writes_of_peers_is_final [Peer],
                peers_do_not_share_out_the_same_versions [Peer],
                a_peer_lists_the_records_of_a_principal [Peer PrincipalIndex],
                a_sweep_keeps_what_a_peer_renews [Peer Sweep Clock],
            }
            outage {
                an_outage_is_never_an_absence [Outage],
                an_outage_loses_nothing [Outage],
                a_write_during_an_outage_keeps_its_word [Outage],
                a_removal_during_an_outage_keeps_its_word [Outage],
                a_list_during_an_outage_is_never_short [Outage PrincipalIndex],
                a_sweep_during_an_outage_does_no_harm [Outage Sweep Clock],
                a_check_during_an_outage_reports_it [Outage Environment],
            }
            full {
                a_full_store_says_so [Bounded],
                a_full_store_forgets_nothing [Bounded],
                a_refused_record_leaves_nothing [Bounded],
                a_full_store_reads_and_removes [Bounded],
                a_removal_makes_room [Bounded],
                a_rewrite_in_a_full_store_is_old_or_new [Bounded],
                expired_records_make_room [Bounded Clock],
            }
            damage {
                a_damaged_record_is_corrupt [Damage],
                a_damaged_record_is_not_written_over [Damage],
                a_damaged_record_harms_no_other [Damage],
                a_damaged_record_can_be_removed [Damage],
                a_sweep_goes_on_after_a_damaged_record [Damage Sweep Clock],
                a_damaged_record_leaves_the_others_listed [Damage PrincipalIndex],
            }
            scan {
                a_scan_returns_every_record_as_it_was_written [Scan],
                a_scan_of_an_empty_store_ends [Scan],
                a_scan_without_a_limit_gets_on [Scan],
                a_scan_sees_the_last_acknowledged_write [Scan],
                a_scan_changes_nothing [Scan],
                a_scan_beside_writers_misses_nothing_that_stays [Scan],
                a_scan_goes_on_after_a_damaged_record [Scan Damage],
                an_outage_does_not_end_a_scan [Scan Outage],
            }
            secrecy {
                debug_shows_no_record [],
                errors_show_no_record [Outage],
            }
        }
    };
}

/// Tests a store against the whole contract: expands to one `#[test]` for each case.
///
/// The argument is a function of type `async fn(Arc<ManualClock>) -> Fresh`, called anew for every case. Several
/// variants of a store are tested from one file by putting each call into a module of its own.
///
/// ```
/// # use std::sync::Arc;
/// # use session_conformance::store::{Fresh, ManualClock, Reference};
/// async fn fresh(_clock: Arc<ManualClock>) -> Fresh {
///     Fresh::new(Reference::new())
/// }
///
/// session_conformance::store_tests!(fresh);
/// ```
#[macro_export]
macro_rules! store_tests {
    ($fresh:expr) => {
        $crate::__store_cases!([$crate::__store_test_functions] $fresh);
    };
}

/// What [`__store_cases`](crate::__store_cases) expands to in [`store_tests`](crate::store_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! __store_test_functions {
    ([$fresh:expr] $($module:ident { $($case:ident [$($need:ident)*],)* })*) => {
        $($(
            #[test]
            fn $case() {
                $crate::__private::store_test(stringify!($case), $fresh);
            }
        )*)*
    };
}
