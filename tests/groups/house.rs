//! What holds of the project itself: its documents, lists, lints and dependencies.

#[path = "../built_in_endpoints_are_documented.rs"]
mod built_in_endpoints_are_documented;
#[path = "../built_in_networks_are_the_published_ones.rs"]
mod built_in_networks_are_the_published_ones;
#[path = "../documents_name_what_exists.rs"]
mod documents_name_what_exists;
#[path = "../every_attack_has_a_test.rs"]
mod every_attack_has_a_test;
#[path = "../every_file_is_a_test_target.rs"]
mod every_file_is_a_test_target;
#[path = "../lints_are_denied_everywhere.rs"]
mod lints_are_denied_everywhere;
#[path = "../no_circle_of_files_and_no_long_function.rs"]
mod no_circle_of_files_and_no_long_function;
#[path = "../scenario_files_are_read_strictly.rs"]
mod scenario_files_are_read_strictly;
#[path = "../serialised_forms_follow_their_schemas.rs"]
mod serialised_forms_follow_their_schemas;
#[path = "../the_supply_chain_is_what_the_documents_say.rs"]
mod the_supply_chain_is_what_the_documents_say;
