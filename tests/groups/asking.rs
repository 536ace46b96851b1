//! Asking providers: limits, batches, silence, outages and clocks.

#[path = "../a_batch_limit_hides_no_address.rs"]
mod a_batch_limit_hides_no_address;
#[path = "../a_beacon_source_is_told_what_it_lacks.rs"]
mod a_beacon_source_is_told_what_it_lacks;
#[path = "../a_beacon_source_that_fails_is_no_liar.rs"]
mod a_beacon_source_that_fails_is_no_liar;
#[path = "../a_beacon_source_that_refuses_ssz_is_asked_for_json.rs"]
mod a_beacon_source_that_refuses_ssz_is_asked_for_json;
#[path = "../a_clock_a_little_off_does_not_stop_us.rs"]
mod a_clock_a_little_off_does_not_stop_us;
#[path = "../a_fast_clock_is_named.rs"]
mod a_fast_clock_is_named;
#[path = "../a_head_is_asked_for_once.rs"]
mod a_head_is_asked_for_once;
#[path = "../a_limit_of_one_request_a_second_is_enough.rs"]
mod a_limit_of_one_request_a_second_is_enough;
#[path = "../a_node_that_lags_is_named.rs"]
mod a_node_that_lags_is_named;
#[path = "../a_rate_limit_is_waited_for.rs"]
mod a_rate_limit_is_waited_for;
#[path = "../a_silent_server_is_asked_again.rs"]
mod a_silent_server_is_asked_again;
#[path = "../a_slow_clock_renews_no_expired_trust.rs"]
mod a_slow_clock_renews_no_expired_trust;
#[path = "../a_wrong_chain_id_is_noticed.rs"]
mod a_wrong_chain_id_is_noticed;
#[path = "../an_address_is_shown_to_few.rs"]
mod an_address_is_shown_to_few;
#[path = "../an_open_screen_says_who_is_silent.rs"]
mod an_open_screen_says_who_is_silent;
#[path = "../an_outage_is_not_answered_with_a_storm.rs"]
mod an_outage_is_not_answered_with_a_storm;
#[path = "../an_outage_is_not_zero.rs"]
mod an_outage_is_not_zero;
#[path = "../balance_returns_at_its_deadline.rs"]
mod balance_returns_at_its_deadline;
#[path = "../batches_are_matched_by_id.rs"]
mod batches_are_matched_by_id;
#[path = "../few_round_trips_and_few_bytes.rs"]
mod few_round_trips_and_few_bytes;
#[path = "../requests_are_hedged.rs"]
mod requests_are_hedged;
#[path = "../silence_is_not_paid_for_twice.rs"]
mod silence_is_not_paid_for_twice;
#[path = "../the_clock_is_not_trusted_blindly.rs"]
mod the_clock_is_not_trusted_blindly;
#[path = "../time_is_respected.rs"]
mod time_is_respected;
