//! What a procedure IS: model, load, lint, schema. A runbook is data; nothing here does anything.
//!
//! Called by `engine` (plans) and `cli`. The embedded runbooks lie under assets/runbooks.

mod fault;
mod lint;
mod lint_removal;
mod lint_values;
mod load;
mod model;
mod shape;
mod tree;

pub use load::{Loaded, load};
pub use model::{Continues, Input, InputKind, Intent, Phase, Runbook, Step, parse_duration};

/// The runbooks inside the program: id and text.
pub const EMBEDDED: [(&str, &str); 1] = [("pixelcore", include_str!("../../assets/runbooks/pixelcore.yaml"))];

/// Kinds of action that the design names and this version does not build.
pub const NOT_BUILT: [&str; 9] =
    ["decide", "transfer", "apply", "restart", "annotate", "logs", "edit-values", "migrate", "pause"];

/// JSON Schema of a runbook file, for editors.
///
/// # Errors
/// Never in practice; the schema is made of plain values.
pub fn schema() -> Result<String, serde_json::Error> {
    let schema = schemars::schema_for!(Runbook);
    serde_json::to_string_pretty(&schema).map(|text| text + "\n")
}
