//! What the drill, the doctor and random worlds show.

#[path = "../a_development_nodes_balances_are_proven.rs"]
mod a_development_nodes_balances_are_proven;
#[path = "../a_proxy_lies_with_true_answers.rs"]
mod a_proxy_lies_with_true_answers;
#[path = "../doctor_names_every_defect.rs"]
mod doctor_names_every_defect;
#[path = "../doctor_says_the_same_as_balance.rs"]
mod doctor_says_the_same_as_balance;
#[path = "../doctor_says_the_same_of_a_beacon_source.rs"]
mod doctor_says_the_same_of_a_beacon_source;
#[path = "../doctor_says_the_same_of_a_rollup.rs"]
mod doctor_says_the_same_of_a_rollup;
#[path = "../doctor_says_what_would_stop_it.rs"]
mod doctor_says_what_would_stop_it;
#[path = "../drill_beacon_sources_are_followed.rs"]
mod drill_beacon_sources_are_followed;
#[path = "../drill_providers_prove_and_lie.rs"]
mod drill_providers_prove_and_lie;
#[path = "../drill_runs_are_the_same_every_time.rs"]
mod drill_runs_are_the_same_every_time;
#[path = "../drill_tries_have_the_official_roots.rs"]
mod drill_tries_have_the_official_roots;
#[path = "../every_subset_of_four_providers.rs"]
mod every_subset_of_four_providers;
#[path = "../no_scenario_makes_saldo_show_a_false_amount.rs"]
mod no_scenario_makes_saldo_show_a_false_amount;
#[path = "../one_honest_provider_is_enough.rs"]
mod one_honest_provider_is_enough;
#[path = "../one_honest_provider_is_enough_on_gloas.rs"]
mod one_honest_provider_is_enough_on_gloas;
#[path = "../overlapping_calls_are_survived.rs"]
mod overlapping_calls_are_survived;
#[path = "../random_worlds_are_survived.rs"]
mod random_worlds_are_survived;
#[path = "../real_beacon_nodes_answer.rs"]
mod real_beacon_nodes_answer;
#[path = "../real_clients_errors_are_classified.rs"]
mod real_clients_errors_are_classified;
#[path = "../rollups_are_survived.rs"]
mod rollups_are_survived;
