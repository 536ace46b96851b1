//! What fuzz targets share: how they read their inputs, and what they hold the answers against.

pub mod edit;
pub mod history;
pub mod input;
pub mod object;
pub mod proof;
pub mod scene;
#[path = "../../tests/src/second_opinion.rs"]
pub mod second_opinion;
pub mod stored;
