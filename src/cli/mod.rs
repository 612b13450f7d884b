//! Subcommands, one file each; settings are resolved here once. The only room besides `main` that prints.

pub mod exit;
pub mod vault;
