//! Runs against real things, chosen by environment. What cannot run is named, and fails where `DRYDOCK_TEST_REQUIRED` is set,
//! as `.ci/run` sets it: there nothing may pass without having run.
//!
//! `DRYDOCK_TEST_KUBECONFIG`: a cluster that tests may use, with kubectl and helm in the PATH.
//! `DRYDOCK_TEST_PIXELCORE`: folder of the PixelCore to upgrade (chart, scripts, seed-data, fingerprint).
//! `DRYDOCK_TEST_PSQL`: connection string of a PostgreSQL role that may create databases, with psql and pg_dump in the PATH.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, clippy::print_stderr)]

mod admitted;
mod adopts;
mod backs_up;
mod beside;
mod copy;
mod exec;
mod explains;
mod few_rights;
#[path = "../gateway/mod.rs"]
mod gateway;
mod helm_practice;
mod holds;
mod kubectl_practice;
mod lies;
#[path = "../line/mod.rs"]
mod line;
mod live;
mod logs;
mod objects;
mod others;
mod pinned;
mod pixelcore;
mod postgres;
mod practice_dump;
#[path = "../pty/mod.rs"]
mod pty;
mod reach;
#[path = "../required/mod.rs"]
mod required;
mod restarts;
mod rights;
mod rolls_back;
mod room;
mod serve;
#[path = "../tiny/mod.rs"]
mod tiny;
mod undoes;
mod upgrade;
mod user;
mod ways;
mod wizard;

/// A path from the environment; the tests that need it do not run when it is not set.
#[track_caller]
fn setting(name: &str) -> Option<String> {
    let value = std::env::var(name).ok().filter(|value| !value.is_empty());
    if value.is_none() {
        required::not_run(&format!("{name} is not set"));
    }
    value
}

/// A namespace that no other run of these tests uses.
fn own_namespace(name: &str) -> String {
    let mut random = [0; 3];
    getrandom::fill(&mut random).unwrap();
    format!("{name}-{}", drydock::text::hex(&random))
}
