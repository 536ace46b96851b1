//! Whole blocks, calls that are run, rollups, and several networks.

#[path = "../a_batch_answers_as_one_by_one.rs"]
mod a_batch_answers_as_one_by_one;
#[path = "../a_block_is_whole.rs"]
mod a_block_is_whole;
#[path = "../a_block_of_a_rollup_is_named.rs"]
mod a_block_of_a_rollup_is_named;
#[path = "../a_hash_is_proven_at_the_place_of_its_fork.rs"]
mod a_hash_is_proven_at_the_place_of_its_fork;
#[path = "../a_head_known_by_hash_is_fetched.rs"]
mod a_head_known_by_hash_is_fetched;
#[path = "../a_rollup_is_read_through_its_l1.rs"]
mod a_rollup_is_read_through_its_l1;
#[path = "../a_sequencers_signature_is_a_label.rs"]
mod a_sequencers_signature_is_a_label;
#[path = "../a_state_tells_its_fork.rs"]
mod a_state_tells_its_fork;
#[path = "../calls_are_run_over_proven_state.rs"]
mod calls_are_run_over_proven_state;
#[path = "../calls_at_one_block_do_not_harm_each_other.rs"]
mod calls_at_one_block_do_not_harm_each_other;
#[path = "../claims_that_exclude_each_other_prove_nothing.rs"]
mod claims_that_exclude_each_other_prove_nothing;
#[path = "../gas_is_estimated_as_the_chain_charges.rs"]
mod gas_is_estimated_as_the_chain_charges;
#[path = "../history_anchors_keep_their_bounds.rs"]
mod history_anchors_keep_their_bounds;
#[path = "../one_client_reads_several_networks.rs"]
mod one_client_reads_several_networks;
#[path = "../only_proven_state_is_run.rs"]
mod only_proven_state_is_run;
#[path = "../operators_that_agree_prove_nothing.rs"]
mod operators_that_agree_prove_nothing;
#[path = "../the_header_of_a_block_is_proven.rs"]
mod the_header_of_a_block_is_proven;
#[path = "../the_history_contract_of_a_real_chain.rs"]
mod the_history_contract_of_a_real_chain;
#[path = "../the_same_proof_gives_the_nonce.rs"]
mod the_same_proof_gives_the_nonce;
#[path = "../the_state_of_a_block_is_proven.rs"]
mod the_state_of_a_block_is_proven;
#[path = "../yesterdays_truth_does_not_beat_todays.rs"]
mod yesterdays_truth_does_not_beat_todays;
