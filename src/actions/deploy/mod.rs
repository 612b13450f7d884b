//! The deployment as Helm knows it: captured, its chart copied and rendered, installed again, and the way back to what was.

pub mod chart;
pub mod copy;
pub mod helm;
pub mod hosts;
mod recorded;
pub mod release;
pub mod rendered;
pub mod rollback;
pub mod way_back;
