//! The list of cases: the one place where a case is named, so that a new one reaches every adapter.

/// Hands the list to a macro: each module of [`cases`](crate::adapter::cases) with its cases and what each needs.
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter_cases {
    ([$($then:tt)+] $($argument:tt)*) => {
        $($then)+! {
            [$($argument)*]
            untouched {
                an_untouched_request_costs_nothing [Laziness],
                an_outage_does_not_reach_untouched_routes [Laziness Store],
                a_visitor_who_only_reads_is_not_stored [],
                a_visitor_who_looks_at_a_page_is_not_stored [Laziness],
                an_id_costs_one_load_however_often_it_is_asked_for [],
                reading_writes_nothing [],
                setting_what_is_there_writes_nothing [],
                removing_what_is_not_there_writes_nothing [],
                a_flood_of_strangers_stores_nothing [],
            }
            announce {
                the_first_write_is_announced_once [],
                the_cookie_is_the_strictest_there_is [Cookie],
                over_plain_http_the_cookie_has_no_prefix [Cookie],
                the_field_carries_the_id_both_ways [Header],
                every_id_is_drawn_anew [Store],
                a_browser_keeps_what_it_is_given [Cookie],
                the_removal_repeats_every_attribute [Cookie],
                every_configured_attribute_is_sent [Cookie],
                a_cookie_with_a_lifetime_is_sent_again [Cookie],
                a_cookie_of_the_application_is_left_alone [],
                a_response_announces_at_most_once [],
                an_id_is_sent_with_every_status [],
                the_report_says_what_was_done [],
                what_happens_is_reported [],
                what_is_not_used_is_not_reported [Laziness],
            }
            caching {
                every_use_varies [Vary],
                every_change_varies [Vary],
                the_vary_of_the_application_is_kept [Vary],
                a_response_with_an_id_is_never_stored [],
                the_cache_control_of_the_application_is_kept [],
                reading_leaves_cache_control_alone [Vary],
            }
            ids {
                an_unknown_id_is_never_adopted [Store],
                an_unknown_id_is_not_withdrawn [Store],
                a_malformed_id_is_no_id [],
                a_null_id_names_nothing [],
                no_other_spelling_of_an_id_is_taken [],
                every_character_of_an_id_counts [],
                a_stored_key_is_no_id [Store],
                two_live_ids_are_as_good_as_none [Ambiguity],
                the_same_id_twice_is_one_id [],
                a_live_id_among_dead_ones_is_used [Ambiguity],
                too_many_ids_are_none [Ambiguity],
                an_id_counts_only_where_ids_travel [],
                an_id_of_another_realm_is_unknown [],
                one_realm_shares_its_sessions [Store],
            }
            cookies {
                no_other_spelling_of_the_name_is_ours [Cookie],
                a_value_is_not_decoded [Cookie],
                blanks_around_a_pair_mean_nothing [Cookie],
                cookies_may_come_in_several_fields [Cookie],
                quotes_and_versions_mean_nothing [Cookie],
                characters_of_other_cookies_never_matter [Cookie],
                bytes_of_other_cookies_never_matter [Cookie RawFields],
                a_planted_cookie_does_not_lock_the_user_out [Cookie],
            }
            values {
                values_come_back_as_they_were_set [],
                ten_requests_count_to_ten [],
                an_update_alone_is_stored [],
                operations_of_a_request_see_each_other [],
                a_read_of_the_wrong_type_is_an_error [],
                a_failed_operation_leaves_the_others [],
                keys_are_sorted_and_counted [],
                removing_answers_what_was_there [],
                clearing_empties_the_dictionary_only [],
                reverting_drops_what_was_done [],
                saving_stores_at_once [Store],
                a_saved_first_write_is_announced [],
                info_tells_what_is_known [],
            }
            namespaces {
                namespaces_are_separate [],
                a_name_out_of_the_ordinary_is_refused [],
                a_reserved_namespace_is_out_of_reach [],
                hostile_keys_are_just_keys [],
            }
            limits {
                what_is_beyond_a_limit_is_refused [Store],
                the_number_of_keys_is_limited [],
                a_limit_exceeded_together_is_413 [Merging],
            }
            parallel {
                no_increment_is_lost [Merging],
                no_key_is_lost [Merging],
                a_slow_request_does_not_undo_a_fast_one [Merging],
                a_slow_request_does_not_bring_back_what_was_removed [Merging],
                a_slow_removal_counts [Merging],
                an_overtaken_increment_counts_on [Merging],
                visitors_do_not_see_each_other [],
                a_request_starts_from_nothing [],
                readers_beside_writers_are_answered [Merging],
                the_answer_waits_for_the_store [Store],
                two_first_requests_start_two_sessions [Store],
            }
            logout {
                an_ended_session_is_gone [Revocation],
                ending_nothing_does_nothing [],
                a_write_after_the_end_starts_anew [Revocation],
                a_late_write_does_not_undo_a_logout [Revocation],
                a_late_login_does_not_undo_a_logout [Revocation],
                a_logout_between_the_steps_of_a_login_counts [Revocation],
                a_logout_beats_64_writers [Revocation],
                a_logout_among_writers_is_final [Revocation],
                a_late_reader_does_not_undo_a_logout [Revocation],
                two_logouts_at_once_succeed [Revocation],
                a_logout_that_a_write_overtakes_is_carried_out [Revocation],
                a_logout_under_a_replaced_id_ends_its_successor [Revocation],
                a_logout_that_a_renewal_overtakes_is_carried_out [Revocation],
                the_id_from_before_a_login_cannot_end_it [Revocation],
                a_late_end_of_a_visitors_session_does_not_undo_a_login [Announcing Revocation],
                a_logout_that_fails_is_none [Store],
                a_logout_whose_answer_is_lost_is_final [Revocation],
            }
            login {
                a_login_replaces_the_id [Revocation],
                nothing_is_written_under_a_replaced_id [Revocation],
                a_write_that_a_login_overtakes_is_refused [Revocation],
                a_login_carries_over_what_overtakes_it [Merging],
                a_login_among_64_requests_ends_signed_in [Merging],
                a_login_beats_64_writers [Merging],
                a_planted_id_is_worth_nothing_after_a_login [Revocation],
                renewing_replaces_the_id_only [Revocation],
                renewing_nothing_creates_nothing [],
                signing_out_keeps_the_data [Revocation],
                a_login_and_changes_are_both_stored [],
                a_login_can_start_a_session [],
                signing_in_as_another_replaces_the_id [Revocation],
                of_two_logins_at_once_one_wins [Merging],
                of_64_renewals_at_once_one_wins [Merging],
                a_login_that_fails_signs_nobody_in [Store],
                a_login_that_fails_late_leaves_nothing [Store],
                a_login_on_a_500_is_told [],
                a_saved_login_is_told_with_the_error [Announcing Store],
                a_replaced_id_is_forgotten_in_time [Revocation],
            }
            rotation {
                an_id_is_replaced_after_its_time [Rotation],
                in_the_grace_the_old_id_learns_the_new_one [Revocation Rotation],
                after_the_grace_the_old_id_is_dead [Revocation Rotation],
                of_64_requests_at_a_rotation_none_is_lost [Merging Rotation],
                a_write_that_a_rotation_overtakes_lands [Merging Rotation],
                a_login_that_a_rotation_overtakes_draws_its_own_id [Merging Rotation],
                a_logout_under_the_old_id_ends_the_new_one [Revocation Rotation],
                a_rotation_that_fails_does_not_fail_reading [Rotation Store],
                a_chain_of_rotations_is_followed [Merging Rotation],
            }
            expiry {
                an_unused_session_expires [],
                an_expired_id_is_not_adopted [],
                use_keeps_a_session_alive [],
                activity_is_written_down_now_and_then [],
                nothing_extends_the_absolute_timeout [],
                signing_in_starts_the_absolute_timeout_anew [],
                a_session_can_have_an_end_of_its_own [],
                a_session_can_have_an_idle_timeout_of_its_own [],
                an_own_end_counts_before_and_after_a_login [],
                the_latest_end_neither_wraps_nor_panics [],
                a_clock_that_goes_back_does_no_harm [StoreClock],
                a_session_that_expires_during_a_request_does_not_fail_it [Store],
                a_renewal_beats_an_expiry [Store],
                an_expired_session_that_cannot_be_removed_is_expired [Store],
                without_an_idle_timeout_reading_never_writes [],
                requests_can_sweep [Sweep],
            }
            outage {
                a_load_that_fails_is_503 [Store],
                a_save_that_fails_is_503 [Store],
                a_first_write_that_fails_is_not_announced [Store],
                a_failed_save_can_be_repeated [Store],
                an_update_in_doubt_is_made_once [Store],
                a_first_write_in_doubt_is_made_once [Store],
                a_write_whose_answer_is_lost_is_old_or_new [Store],
                a_login_whose_answer_is_lost_leaves_one_id [Store],
                a_full_store_reads_and_lets_out [Store],
                a_damaged_record_is_500 [Store],
                a_list_that_fails_is_an_error [PrincipalIndex],
                the_application_can_replace_the_answer [Store],
                what_must_be_told_stays_with_the_answer [Announcing Store],
            }
            policy {
                explicit_stores_what_is_saved [],
                explicit_ends_and_keeps_alive [],
                always_stores_every_use [],
                always_spares_what_is_not_used [Laziness],
                a_500_is_stored [],
                a_500_drops_changes_where_configured [Announcing],
            }
            flash {
                a_message_is_shown_once [],
                a_message_can_be_shown_at_once [],
                queues_keep_messages_apart [],
                messages_of_parallel_requests_are_all_shown [Merging],
                a_message_put_in_meanwhile_is_kept [Merging],
                a_message_outlives_a_login [],
            }
            csrf {
                tokens_differ_and_are_all_right [],
                a_token_starts_a_session [],
                a_wrong_token_is_refused [],
                a_token_dies_with_the_id [],
                a_token_issued_with_the_login_is_right [],
                tokens_of_parallel_requests_are_all_right [],
            }
            devices {
                every_session_of_a_principal_is_listed [PrincipalIndex],
                the_list_follows_every_change [PrincipalIndex],
                an_expired_session_is_not_listed [PrincipalIndex],
                a_long_list_is_complete [PrincipalIndex],
                a_visitor_has_no_sessions [PrincipalIndex],
                another_session_can_be_ended [PrincipalIndex],
                the_session_of_another_cannot_be_ended [PrincipalIndex],
                all_others_can_be_ended [PrincipalIndex],
                a_handle_outlives_a_rotation [PrincipalIndex],
                a_session_that_renews_meanwhile_is_ended [PrincipalIndex],
                who_ends_all_others_stays [PrincipalIndex],
                ending_all_beside_logins_misses_none [PrincipalIndex],
                at_the_cap_the_oldest_session_ends [PrincipalIndex],
                at_the_cap_a_login_is_refused_where_configured [PrincipalIndex],
                parallel_logins_end_at_the_cap [PrincipalIndex],
                a_store_without_an_index_says_so [],
                an_operator_can_end_sessions [PrincipalIndex],
            }
            secrecy {
                the_store_never_sees_an_id [Store],
                keys_tell_nothing [Store],
                logs_and_events_tell_nothing [],
                debug_shows_nothing [Store],
                events_tell_sessions_apart [Store],
                an_error_response_says_nothing [Store],
            }
            config {
                a_setting_that_cannot_work_is_refused [PrincipalIndex Sweep],
                an_ability_the_store_lacks_is_refused [],
                a_cookie_that_browsers_drop_is_refused [Cookie],
                no_configuration_splits_a_cookie [Cookie],
                the_longest_times_neither_wrap_nor_panic [],
                a_field_that_is_taken_is_refused [Header],
                settings_from_text_are_checked [],
            }
            random {
                without_randomness_no_session_starts [],
                without_randomness_nobody_signs_in [Store],
                a_rotation_without_randomness_is_put_off [Rotation Store],
            }
            meetings {
                whenever_two_requests_meet_nothing_is_lost_and_nothing_comes_back [Merging Revocation Store],
            }
            sequences {
                random_requests_answer_as_a_model_does [],
            }
            cancel {
                a_cancelled_first_write_leaves_one_session_at_most [],
                a_cancelled_write_is_old_or_new [],
                a_cancelled_login_leaves_one_id_at_most [Revocation],
                a_cancelled_logout_is_done_or_not [],
                a_cancelled_request_holds_nobody_up [Merging],
                whatever_is_cancelled_leaves_a_session_that_works [Revocation],
                a_cancelled_rotation_leaves_one_session [Merging Rotation Store],
                a_cancelled_end_of_the_others_spares_its_own [PrincipalIndex],
                a_cancelled_redirect_hands_out_nothing_that_stays [Query Store],
                cancelled_work_behind_the_response_is_old_or_new [Store],
            }
            handler {
                a_closure_may_use_the_session [],
                clones_are_one_session [],
                a_session_asked_for_at_once_is_loaded_once [],
                after_the_response_changes_are_refused [],
                a_detached_session_reaches_the_store [Store],
                a_detached_session_knows_its_id [Revocation],
                reloading_reads_what_is_there [Store],
                who_reserved_a_namespace_can_open_it [],
                a_forged_request_is_refused [],
                two_managers_do_not_disturb_each_other [PrincipalIndex],
            }
            query {
                a_page_without_a_live_id_is_redirected_to_itself [Query],
                a_redirect_leads_nowhere_else [Query],
                only_get_is_redirected [Query],
                only_the_parameter_itself_carries_an_id [Query],
                a_client_without_memory_fills_nothing [Query],
                an_id_that_is_used_lives_on [Query],
                links_carry_the_id_and_leave_no_trace_elsewhere [Query],
                answers_are_neither_stored_nor_referred_from [Query],
            }
            chain {
                who_presents_in_the_field_is_told_there [Chain],
                the_first_that_is_alive_wins [Chain],
            }
            external {
                cookies_are_not_used [External],
                an_id_that_is_vouched_for_is_used_as_it_is [External],
                a_blank_id_that_is_vouched_for_is_none [External],
            }
            keys {
                a_forged_value_costs_nothing [Keys],
                a_value_made_for_another_purpose_is_refused [Keys],
                an_older_key_is_accepted_and_replaced [Keys],
                every_bit_counts [Keys],
            }
            sealed {
                a_copy_stays_valid_until_its_times_end_it [Sealed],
                the_last_response_wins [Sealed],
                what_does_not_fit_is_refused_with_its_sizes [Sealed],
                only_an_encrypted_session_is_unreadable [Sealed],
            }
            wire {
                a_body_that_is_no_list_is_a_4xx [],
                the_three_routes_are_there [],
                sleep_waits_and_fail_fails [],
                the_response_of_the_application_stays [],
            }
        }
    };
}

/// Tests an adapter: expands to one `#[test]` for each case and strategy, in one module for each strategy.
///
/// The argument is a type that implements [`Adapter`](crate::adapter::Adapter). A second one, a function of type
/// `async fn(Arc<ManualClock>) -> Fresh` as for [`store_tests!`](crate::store_tests), puts another store under it.
///
/// ```
/// # use session_conformance::adapter::Direct as MyAdapter;
/// session_conformance::adapter_tests!(MyAdapter);
/// ```
#[macro_export]
macro_rules! adapter_tests {
    ($adapter:ty) => {
        $crate::adapter_tests!($adapter, $crate::adapter::reference);
    };
    ($adapter:ty, $fresh:expr) => {
        $crate::__adapter_test_module!(cookie Cookie $adapter, $fresh);
        $crate::__adapter_test_module!(signed_cookie SignedCookie $adapter, $fresh);
        $crate::__adapter_test_module!(header Header $adapter, $fresh);
        $crate::__adapter_test_module!(query Query $adapter, $fresh);
        $crate::__adapter_test_module!(chain Chain $adapter, $fresh);
        $crate::__adapter_test_module!(external External $adapter, $fresh);
        $crate::__adapter_test_module!(sealed_signed SealedSigned $adapter, $fresh);
        $crate::__adapter_test_module!(sealed_encrypted SealedEncrypted $adapter, $fresh);
    };
}

/// The tests of one strategy.
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter_test_module {
    ($module:ident $persist:ident $adapter:ty, $fresh:expr) => {
        mod $module {
            #[allow(unused_imports, reason = "the adapter may be named by a path")]
            use super::*;

            $crate::__adapter_cases!([$crate::__adapter_test_functions] $persist $adapter, $fresh);
        }
    };
}

/// What [`__adapter_cases`](crate::__adapter_cases) expands to in [`adapter_tests`](crate::adapter_tests).
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter_test_functions {
    ($given:tt $($module:ident { $($case:ident $needs:tt,)* })*) => {
        $($($crate::__adapter_test_function! { $case $given })*)*
    };
}

/// One test.
#[doc(hidden)]
#[macro_export]
macro_rules! __adapter_test_function {
    ($case:ident [$persist:ident $adapter:ty, $fresh:expr]) => {
        #[test]
        fn $case() {
            $crate::__private::adapter_test::<$adapter, _>(
                stringify!($case),
                $crate::adapter::Persist::$persist,
                $fresh,
            );
        }
    };
}
