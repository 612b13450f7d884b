//! Objects of the cluster: scaled, patched, deleted behind a gate, waited for; and why one is not ready or does not end.

pub mod bind;
pub mod delete;
mod delete_gate;
pub mod events;
pub mod gate;
pub mod keep;
pub mod live;
pub mod namespace;
pub mod others;
pub mod owners;
pub mod patch;
pub mod pods;
pub mod reasons;
mod release;
pub mod removal;
pub mod rest;
pub mod rooms;
pub mod scale;
pub mod stopped;
mod suspend;
pub mod wait;
