//! Code that the fuzz targets share: how they read their inputs, and how they check the answers.

pub mod block;
pub mod edit;
pub mod file;
pub mod history;
pub mod input;
pub mod object;
pub mod proof;
pub mod scene;
#[path = "../../tests/src/second_opinion.rs"]
pub mod second_opinion;
pub mod stored;
pub mod token;
