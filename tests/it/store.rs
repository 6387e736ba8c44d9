//! What every database must promise as a `Store`: one suite, written over the boundary, run on each of them.
//!
//! A promise is a function of a `&dyn Store`, filed under its subject in `store/`. [`conformance`] makes tests of them:
//! another database joins by one line, with a function that opens an empty one. A promise that is missing from the list
//! is dead code, and the compiler says so.

mod appending;
mod claiming;
mod connections;
mod generations;
mod given;
mod grants;
mod keys;
mod ledger;
mod links;
mod listing;
mod polls;
mod replaying;
mod routes;
mod settling;
mod sqlite;
mod timers;

use std::any::Any;
use std::sync::Arc;

use cartbridge::store::Store;
use cartbridge::store::sqlite::Sqlite;
use cartbridge::vault::{Key, Vault};

/// An empty database, open.
pub(crate) struct Database {
    /// The database.
    pub(crate) store: Arc<dyn Store>,
    /// What must live as long as it does.
    _kept: Box<dyn Any + Send>,
}

/// An empty SQLite database in a folder of its own.
async fn open_sqlite() -> Database {
    let folder = tempfile::tempdir().unwrap();
    let store = Sqlite::open(&folder.path().join("test.db"), Vault::new(Key::generate())).unwrap();
    Database { store: Arc::new(store), _kept: Box::new(folder) }
}

macro_rules! conformance {
    ($database:ident, $open:ident) => {
        mod $database {
            conformance! { @promises $open
                appending {
                    a_new_event_reads_back_as_it_was_given
                    a_payload_is_kept_byte_for_byte
                    a_repeated_delivery_is_a_duplicate_with_the_first_id
                    a_repeated_delivery_is_a_duplicate_however_far_the_first_has_come
                    the_same_id_from_another_connection_or_side_is_another_event
                    one_delivery_a_hundred_times_at_once_is_one_event
                    an_event_that_nothing_handles_is_kept_and_never_claimed
                    a_refused_write_takes_none_of_its_neighbours_with_it
                }
                claiming {
                    events_of_one_subject_are_claimed_one_after_the_other
                    different_subjects_are_claimed_side_by_side
                    one_subject_in_two_connections_is_two_lanes
                    a_claim_keeps_to_its_limit_and_takes_the_longest_waiting_first
                    a_connection_that_may_have_nothing_hinders_no_other
                    the_most_urgent_lanes_are_claimed_first_and_the_longest_waiting_have_a_share
                    a_claim_brings_what_is_needed_to_carry_out_and_to_fold
                    claims_at_the_same_time_never_share_a_lane
                    a_flood_is_claimed_to_the_last_event_and_in_order
                    a_lease_that_ran_out_is_claimed_again_and_its_old_holder_can_write_nothing
                    a_lease_from_an_earlier_life_of_the_lane_can_write_nothing
                    beginning_an_effect_extends_the_lease
                    all_leases_can_be_given_back_at_the_start
                    an_event_that_waits_for_company_is_ready_at_its_time
                    an_event_that_does_not_wait_ends_the_waiting
                    an_event_that_waits_prolongs_nothing
                    the_next_ready_time_is_the_earliest_of_all_lanes
                }
                settling {
                    a_done_event_frees_its_lane_for_the_next
                    an_ignored_event_says_why
                    a_waiting_event_holds_its_lane_until_its_time
                    only_a_failed_try_counts_as_one
                    a_parked_event_waits_for_its_connection_and_then_goes_on
                    an_event_parked_until_a_time_goes_on_then_or_when_its_connection_changes
                    since_when_an_event_fails_is_kept_until_it_is_parked
                    a_dead_event_lets_the_next_pass
                    a_released_event_is_claimed_again_at_once
                    folded_events_end_with_the_one_that_was_carried_out
                }
                ledger {
                    an_effect_about_to_be_sent_is_on_record_before_it_is_sent
                    a_retry_keeps_the_time_of_the_first_open_call
                    an_outcome_closes_what_was_open
                    attempts_are_appended
                    effects_are_listed_in_the_order_in_which_they_were_begun
                    an_effect_and_its_links_are_written_together_or_not_at_all
                }
                timers {
                    a_timer_reads_back_and_is_due_at_its_time
                    a_timer_that_is_put_again_begins_anew
                    a_fired_timer_is_an_event_and_fires_once
                    a_timer_that_comes_again_moves_on_as_it_fires
                    a_timer_that_was_begun_anew_meanwhile_does_not_fire
                    a_timer_is_passed_over_without_an_event
                    a_dropped_timer_is_gone
                    an_effect_and_its_timer_are_written_together_or_not_at_all
                    the_end_of_an_event_and_its_timer_are_written_together
                }
                routes {
                    a_route_keeps_all_its_texts_and_when_each_was_new
                    an_effect_names_the_version_that_it_was_carried_out_with
                    the_runs_of_a_route_are_counted_by_subject_side_and_time
                }
                links {
                    links_are_paged_through_by_their_customers
                    a_link_reads_back_and_is_replaced
                    a_contact_knows_its_customers
                    an_item_reads_back_and_is_replaced
                    a_dropped_link_takes_along_what_hung_on_its_contact
                    a_dropped_guest_leaves_the_contact_to_the_customer
                    a_dropped_item_is_gone_alone
                    a_view_reads_back_and_is_replaced
                }
                listing {
                    each_filter_lets_through_what_it_names
                    filters_hold_together
                    pages_follow_each_other_to_the_end
                    new_events_do_not_shift_a_page
                    counts_agree_with_lists_after_every_change
                    counts_are_of_one_moment
                    an_unknown_event_is_none
                }
                replaying {
                    an_open_event_goes_on_in_place
                    an_event_that_nobody_has_looked_at_yet_is_ready_at_once
                    a_dead_event_goes_on_in_place_and_keeps_what_is_done
                    a_finished_event_becomes_a_new_one_that_keeps_what_is_done
                    a_forced_replay_keeps_nothing
                    a_forced_replay_of_a_dead_event_is_a_new_one
                    an_ignored_event_can_be_carried_out_after_all
                    an_event_that_is_being_carried_out_is_left_alone
                    an_older_event_comes_before_the_younger_ones_of_its_subject
                    an_unknown_event_cannot_be_replayed
                }
                connections {
                    a_connection_reads_back_with_its_secrets
                    what_the_file_defines_only_the_file_changes
                    a_connection_that_left_the_file_is_dropped_and_its_events_stay
                    the_file_takes_over_a_connection_of_its_name
                    an_unknown_connection_cannot_be_removed
                }
                grants {
                    a_grant_reads_back_and_connections_share_it
                    a_pair_is_renewed_by_one_at_a_time
                    a_hundred_turns_at_once_are_one
                    a_good_pair_is_kept_and_a_late_answer_changes_nothing
                    out_of_use_is_out_of_use_until_somebody_mends_it
                    a_grant_goes_with_its_last_connection
                    a_begun_connect_is_taken_once_and_only_while_it_is_fresh
                    of_very_many_begun_connects_the_newest_are_kept
                }
                generations {
                    a_generation_grows_with_each_start_and_with_what_is_written
                    a_database_that_is_behind_its_newest_generation_was_restored
                    what_two_restores_leave_open_is_open_together
                    of_a_database_without_events_nobody_knows_since_when_it_lacks_something
                }
                polls {
                    how_far_a_store_was_read_reads_back
                    that_an_add_on_was_heard_stays_so_however_far_its_store_was_read
                    events_from_before_that_was_noted_tell_that_the_add_on_was_heard
                }
                keys {
                    a_key_is_found_by_its_hash
                    a_revoked_key_is_found_no_more_and_stays_on_the_list
                    an_unknown_key_cannot_be_revoked
                    a_database_that_can_be_written_answers
                }
            }
        }
    };
    (@promises $open:ident $($subject:ident { $($promise:ident)* })*) => {
        $(mod $subject {
            $(#[tokio::test]
            async fn $promise() {
                let database = crate::store::$open().await;
                crate::store::$subject::$promise(&*database.store).await;
            })*
        })*
    };
}

conformance!(on_sqlite, open_sqlite);
