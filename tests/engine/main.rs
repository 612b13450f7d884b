//! The engine proven without a network: a scripted world that records every change, runs driven by scripted answers, and
//! every moment of a whole upgrade as a place where the process may have died.
#![allow(clippy::unwrap_used, clippy::panic)]

mod back;
mod canary;
mod claim;
mod clerk;
mod crash;
mod cut_off;
mod drive;
mod dumped;
mod environment;
mod faults;
mod fold;
mod gate;
mod held;
mod images;
mod jobs;
mod last_words;
mod logins;
mod lost;
mod masks;
mod names;
mod outside;
mod pausing;
mod place;
mod quoted;
mod refused;
mod requires;
mod resume;
mod roll_back;
mod settle;
mod show;
mod silent;
mod since;
mod stuck;
mod world;
