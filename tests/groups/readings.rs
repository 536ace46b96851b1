//! What is handed out, and what a watch tells.

#[path = "../a_claim_that_counts_after_a_week_is_proven.rs"]
mod a_claim_that_counts_after_a_week_is_proven;
#[path = "../a_holding_names_its_network.rs"]
mod a_holding_names_its_network;
#[path = "../a_watch_notices_reorganisations.rs"]
mod a_watch_notices_reorganisations;
#[path = "../a_watch_tells_every_change.rs"]
mod a_watch_tells_every_change;
#[path = "../an_amount_turns_old_on_time.rs"]
mod an_amount_turns_old_on_time;
#[path = "../health_tells_how_a_client_is.rs"]
mod health_tells_how_a_client_is;
#[path = "../nothing_weaker_replaces_something_stronger.rs"]
mod nothing_weaker_replaces_something_stronger;
#[path = "../the_gate_lets_out_what_is_true_now.rs"]
mod the_gate_lets_out_what_is_true_now;
#[path = "../unknown_is_never_added_up.rs"]
mod unknown_is_never_added_up;
#[path = "../watching_a_rollup_costs_little.rs"]
mod watching_a_rollup_costs_little;
#[path = "../watching_costs_little.rs"]
mod watching_costs_little;
#[path = "../what_is_handed_out_is_true_now.rs"]
mod what_is_handed_out_is_true_now;
