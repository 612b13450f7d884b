//! The deployment as Helm knows it: captured, its chart copied and rendered, installed again, what of it goes into a
//! scratch copy, and the way back to what was.

pub mod chart;
pub mod contacts;
pub mod copy;
pub mod helm;
pub mod hosts;
mod recorded;
pub mod release;
pub mod rendered;
pub mod rollback;
pub mod scratch;
pub mod way_back;
