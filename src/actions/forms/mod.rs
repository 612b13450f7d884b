//! Forms: what is asked of a human, filled in from the application, kept, compared with it again, and put back.
//!
//! Owns the draft of a form and the application's API. Secrets go to the vault; what a field may hold is `run`'s.

pub mod api;
pub mod ask;
pub mod dotenv;
pub mod form_state;
pub mod found;
pub mod http;
pub mod settings;
pub mod small_file;
