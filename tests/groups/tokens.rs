//! Tokens: layouts, codes and storage slots.

#[path = "../a_stored_token_is_verified_again.rs"]
mod a_stored_token_is_verified_again;
#[path = "../a_token_balance_needs_its_code.rs"]
mod a_token_balance_needs_its_code;
#[path = "../a_token_behind_a_proxy_is_proven_by_both_codes.rs"]
mod a_token_behind_a_proxy_is_proven_by_both_codes;
#[path = "../a_token_is_described_by_proof.rs"]
mod a_token_is_described_by_proof;
#[path = "../a_token_is_proven_by_its_code.rs"]
mod a_token_is_proven_by_its_code;
#[path = "../a_token_stays_true_in_odd_places.rs"]
mod a_token_stays_true_in_odd_places;
#[path = "../a_token_without_a_layout_is_run.rs"]
mod a_token_without_a_layout_is_run;
#[path = "../a_wrong_slot_is_no_zero.rs"]
mod a_wrong_slot_is_no_zero;
#[path = "../an_access_list_only_saves_requests.rs"]
mod an_access_list_only_saves_requests;
#[path = "../compiled_tokens_are_run.rs"]
mod compiled_tokens_are_run;
#[path = "../layouts_follow_from_the_compiler.rs"]
mod layouts_follow_from_the_compiler;
#[path = "../storage_only_through_its_account.rs"]
mod storage_only_through_its_account;
#[path = "../the_exact_code_of_usdt_is_run.rs"]
mod the_exact_code_of_usdt_is_run;
#[path = "../the_published_source_of_usdc_is_run.rs"]
mod the_published_source_of_usdc_is_run;
