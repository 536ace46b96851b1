//! The light client: forks, committees, checkpoints and hand-overs.

#[path = "../a_bootstrap_must_be_the_checkpoints.rs"]
mod a_bootstrap_must_be_the_checkpoints;
#[path = "../a_client_crosses_a_fork.rs"]
mod a_client_crosses_a_fork;
#[path = "../a_consensus_fault_stops_the_client.rs"]
mod a_consensus_fault_stops_the_client;
#[path = "../a_disagreement_is_decided_by_hand_overs.rs"]
mod a_disagreement_is_decided_by_hand_overs;
#[path = "../a_false_header_is_refused.rs"]
mod a_false_header_is_refused;
#[path = "../a_forced_head_says_so.rs"]
mod a_forced_head_says_so;
#[path = "../a_fork_is_told_by_the_signature.rs"]
mod a_fork_is_told_by_the_signature;
#[path = "../a_hand_over_is_never_skipped.rs"]
mod a_hand_over_is_never_skipped;
#[path = "../a_label_is_only_a_hint.rs"]
mod a_label_is_only_a_hint;
#[path = "../a_mirror_is_as_good_as_a_beacon_node.rs"]
mod a_mirror_is_as_good_as_a_beacon_node;
#[path = "../a_newer_network_is_adopted_at_run_time.rs"]
mod a_newer_network_is_adopted_at_run_time;
#[path = "../a_real_prysm_is_read_whatever_its_labels.rs"]
mod a_real_prysm_is_read_whatever_its_labels;
#[path = "../a_wallet_goes_on_across_gloas.rs"]
mod a_wallet_goes_on_across_gloas;
#[path = "../a_year_of_absence.rs"]
mod a_year_of_absence;
#[path = "../an_expired_checkpoint_is_said_first.rs"]
mod an_expired_checkpoint_is_said_first;
#[path = "../anchors_follow_from_signed_heads.rs"]
mod anchors_follow_from_signed_heads;
#[path = "../checkpoint_sources_must_agree.rs"]
mod checkpoint_sources_must_agree;
#[path = "../consensus_spec_light_client.rs"]
mod consensus_spec_light_client;
#[path = "../every_fork_on_every_network.rs"]
mod every_fork_on_every_network;
#[path = "../hand_over_needs_two_thirds.rs"]
mod hand_over_needs_two_thirds;
#[path = "../header_hashes_agree_with_alloy_consensus.rs"]
mod header_hashes_agree_with_alloy_consensus;
#[path = "../hostile_ssz_is_refused.rs"]
mod hostile_ssz_is_refused;
#[path = "../light_client_objects_have_the_oracles_roots.rs"]
mod light_client_objects_have_the_oracles_roots;
#[path = "../official_bls_vectors.rs"]
mod official_bls_vectors;
#[path = "../official_ssz_vectors.rs"]
mod official_ssz_vectors;
#[path = "../only_the_committees_signature_counts.rs"]
mod only_the_committees_signature_counts;
#[path = "../real_headers_hash.rs"]
mod real_headers_hash;
#[path = "../real_light_client_scenarios.rs"]
mod real_light_client_scenarios;
#[path = "../signed_becomes_finalized.rs"]
mod signed_becomes_finalized;
#[path = "../three_verifiers_agree.rs"]
mod three_verifiers_agree;
#[path = "../too_few_signers_prove_nothing.rs"]
mod too_few_signers_prove_nothing;
#[path = "../trust_starts_again_after_a_contradiction.rs"]
mod trust_starts_again_after_a_contradiction;
#[path = "../unknown_fork_is_nobodys_fault.rs"]
mod unknown_fork_is_nobodys_fault;
#[path = "../where_we_are_stricter_than_the_spec.rs"]
mod where_we_are_stricter_than_the_spec;
