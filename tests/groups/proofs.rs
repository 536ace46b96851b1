//! Proofs: what joins, what is refused, and what is kept as evidence.

#[path = "../a_proof_at_the_tip_waits_for_its_signature.rs"]
mod a_proof_at_the_tip_waits_for_its_signature;
#[path = "../a_proof_file_is_small.rs"]
mod a_proof_file_is_small;
#[path = "../a_proof_of_another_state_is_refused.rs"]
mod a_proof_of_another_state_is_refused;
#[path = "../a_proof_travels_as_a_file.rs"]
mod a_proof_travels_as_a_file;
#[path = "../absence_is_proven.rs"]
mod absence_is_proven;
#[path = "../another_accounts_proof_is_refused.rs"]
mod another_accounts_proof_is_refused;
#[path = "../claims_are_checked.rs"]
mod claims_are_checked;
#[path = "../every_flipped_byte_is_refused.rs"]
mod every_flipped_byte_is_refused;
#[path = "../evidence_is_checked_by_a_third_person.rs"]
mod evidence_is_checked_by_a_third_person;
#[path = "../false_proofs_are_kept_as_evidence.rs"]
mod false_proofs_are_kept_as_evidence;
#[path = "../hostile_json_is_refused.rs"]
mod hostile_json_is_refused;
#[path = "../malformed_nodes_are_refused.rs"]
mod malformed_nodes_are_refused;
#[path = "../official_rlp_vectors.rs"]
mod official_rlp_vectors;
#[path = "../official_trie_vectors.rs"]
mod official_trie_vectors;
#[path = "../only_what_belongs_together_is_joined.rs"]
mod only_what_belongs_together_is_joined;
#[path = "../portal_trie_nodes_verify.rs"]
mod portal_trie_nodes_verify;
#[path = "../real_replies_verify.rs"]
mod real_replies_verify;
#[path = "../the_execution_apis_chain_proves_itself.rs"]
mod the_execution_apis_chain_proves_itself;
#[path = "../the_leaf_decides_not_the_claim.rs"]
mod the_leaf_decides_not_the_claim;
#[path = "../truncated_proof_is_not_zero.rs"]
mod truncated_proof_is_not_zero;
