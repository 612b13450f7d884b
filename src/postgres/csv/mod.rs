//! The structure of a CSV file as `COPY … TO … WITH (FORMAT csv, HEADER)` writes it.
//!
//! Values hold line feeds, so lines are not rows; this counts rows. A CSV file has no trailer: **a cut exactly at the end
//! of a row leaves a perfect file**, which only the number of rows told by the source can find (`expected_rows`).

mod fault;
mod structure;
#[cfg(test)]
mod tests;

pub use fault::{CsvDamage, CsvFault};
pub use structure::{CsvReport, Structure};
