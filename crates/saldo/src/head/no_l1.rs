//! In the place of the L1 of a rollup, where the feature `rollup` is off: there is none.

use super::state::PresentL1;

/// No value.
pub(crate) enum AnyL1 {}

impl AnyL1 {
    pub(crate) fn present(&self) -> PresentL1 {
        match *self {}
    }
}
