//! What becomes of a test that cannot run: it is named past the capture of the test harness, and fails where everything must run.

use std::io::Write;

/// Says that the calling test, or a part of it, does not run, and why.
#[track_caller]
pub fn not_run(why: &str) {
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    std::io::stderr().write_all(format!("\n!! not run: {test}: {why}\n").as_bytes()).unwrap();
    assert!(std::env::var_os("DRYDOCK_TEST_REQUIRED").is_none(), "not run, and everything is required: {why}");
}
