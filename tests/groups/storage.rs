//! What is kept over a restart.

#[path = "../a_remembered_reading_of_a_rollup_counts_again.rs"]
mod a_remembered_reading_of_a_rollup_counts_again;
#[path = "../a_snapshot_is_checked_again.rs"]
mod a_snapshot_is_checked_again;
#[path = "../clients_share_one_storage.rs"]
mod clients_share_one_storage;
#[path = "../slow_storage_delays_no_reading.rs"]
mod slow_storage_delays_no_reading;
#[path = "../the_storage_is_waited_for_without_a_request.rs"]
mod the_storage_is_waited_for_without_a_request;
#[path = "../the_storage_keeps_no_excluded_block.rs"]
mod the_storage_keeps_no_excluded_block;
#[path = "../unused_providers_are_known.rs"]
mod unused_providers_are_known;
#[path = "../what_is_kept_is_checked_again.rs"]
mod what_is_kept_is_checked_again;
#[path = "../what_was_proven_survives_a_restart.rs"]
mod what_was_proven_survives_a_restart;

#[path = "../what_waits_for_l1_survives_a_restart.rs"]
mod what_waits_for_l1_survives_a_restart;
