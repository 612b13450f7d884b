//! An upgrade of PixelCore by keys, screen by screen. Each function begins at its screen and leaves it; where it stands is
//! read from the screen, never assumed.

use std::time::Duration;

use super::Pty;

/// A connection that the application does not know: added by hand.
pub struct ByHand<'a> {
    pub name: &'a str,
    pub token: &'a str,
}

/// Where that connection leads: typed as the token is, and no secret.
pub const URL: &str = "https://third.example.net/api";

/// Approves the plan.
pub fn approve(pty: &mut Pty) {
    pty.wait_for("The plan");
    pty.wait_for("? help");
    pty.keys("<Tab><Enter>");
}

/// Makes the vault.
pub fn make_vault(pty: &mut Pty, passphrase: &str) {
    pty.wait_for("Make a vault for the secrets");
    pty.keys(&format!("{passphrase}<Enter>"));
    pty.wait_for("✓ strong");
    pty.keys(&format!("{passphrase}<Enter>"));
    pty.wait_for("[› Make the vault ‹]");
    pty.keys("<Enter>");
}

/// Opens it again.
pub fn open_vault(pty: &mut Pty, passphrase: &str) {
    pty.wait_for("Open the vault");
    pty.keys(&format!("{passphrase}<Enter>"));
}

/// Goes on with a run whose program was killed.
pub fn come_back(pty: &mut Pty, passphrase: &str) {
    open_vault(pty, passphrase);
    pty.wait_for("Welcome back");
    pty.wait_for("1  Go on");
    pty.wait_for("? help");
    pty.keys("1<Enter>");
}

fn seal(pty: &mut Pty) {
    pty.wait_for("[› Seal this step ‹]");
    pty.keys("<Enter>");
}

/// Hands over the environment file.
pub fn environment(pty: &mut Pty, path: &str) {
    pty.wait_for("Save the environment file");
    pty.wait_for("›   Path of .env");
    pty.keys(&format!("{path}<Enter>"));
    pty.wait_for("[› Confirm ‹]");
    pty.keys("<Enter>");
    seal(pty);
}

/// Looks at each item that was found, and confirms it.
pub fn confirm_each(pty: &mut Pty, title: &str, count: usize) {
    pty.wait_for(title);
    for at in 1..=count {
        pty.wait_for(&format!("{} of {count} confirmed", at - 1));
        pty.wait_for(&format!("› ? {at} "));
        pty.keys("<Enter>");
        pty.wait_for(&format!("[› Confirm {at} ‹]"));
        pty.keys("<Enter>");
        pty.wait_for(&format!("{at} of {count} confirmed"));
    }
}

/// Confirms the connections that were found and adds one.
pub fn connections(pty: &mut Pty, found: usize, more: &ByHand) {
    confirm_each(pty, "LNS connections", found);
    pty.keys("a");
    pty.wait_for("Add one connection by hand");
    pty.keys(&format!("{}<Enter>", more.name));
    pty.wait_for("›   API url");
    pty.keys(&format!("{URL}<Enter>"));
    pty.wait_for("›   Owner");
    pty.keys("plant-7<Enter>");
    pty.wait_for("›   Token");
    pty.keys(&format!("{}<Enter>", more.token));
    pty.wait_for(&format!("[› Confirm {} ‹]", found + 1));
    pty.wait_for(&format!("{} characters · check ", more.token.len()));
    pty.keys("<Enter>");
    seal(pty);
}

/// Confirms the workers that were found.
pub fn workers(pty: &mut Pty, found: usize) {
    confirm_each(pty, "Custom workers", found);
    seal(pty);
}

/// Says that no other setting is changed.
pub fn nothing_else(pty: &mut Pty) {
    pty.wait_for("Other changed settings");
    pty.wait_for("none at all, because…");
    pty.keys("n");
    pty.wait_for("› Because");
    pty.keys("checked every tab against the defaults<Enter>");
    seal(pty);
}

/// Says that the writers may stop: nothing changes before.
pub fn begin_downtime(pty: &mut Pty) {
    pty.wait_for("With this step the downtime begins.");
    pty.wait_for("? help");
    pty.keys("2<Enter>");
}

/// Opens the gate of the removal with both words.
pub fn remove(pty: &mut Pty, namespace: &str) {
    pty.wait_for("Typing only; paste is not accepted here.");
    pty.wait_for("Esc back");
    let screen = pty.screen();
    let word = screen.lines().find_map(|line| line.trim().strip_prefix("Type the word")).unwrap();
    let word = word.split_whitespace().next().unwrap().to_owned();
    pty.keys(&format!("{namespace}<Enter>{word}<Enter><Tab>"));
    pty.until("both words", || pty.screen().matches("✓ same").count() == 2);
    pty.wait_for("[› Delete ");
    // the button waits two seconds for somebody who thinks again
    std::thread::sleep(Duration::from_secs(2));
    pty.keys("<Enter>");
}

/// Leaves the connection out that the new version does not take, with a reason.
pub fn leave_out(pty: &mut Pty, name: &str) {
    pty.wait_for("Put the LNS connections back");
    pty.wait_for("✗ refused");
    assert!(pty.screen().contains(name), "{}", pty.screen());
    pty.keys("<Tab><Tab><Tab>");
    pty.wait_for("[› Waive… ‹]");
    pty.keys("<Enter>");
    pty.wait_for("F1 help");
    pty.keys("nobody uses this one any more<Enter>");
}

/// Waits for the end, saves the report and leaves.
pub fn finish(pty: &mut Pty) {
    pty.wait_for("is up, with as many rows as were dumped");
    pty.keys("1<Enter>");
    pty.wait_for("Saved: ");
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 0);
    assert!(pty.is_given_back());
}

/// From home to the choice of a target, whose context has answered.
pub fn home_to_target(pty: &mut Pty) {
    pty.wait_for("Welcome. Nothing has been set up or written yet.");
    pty.wait_for("? help");
    let screen = pty.screen();
    let entry = screen.lines().find(|line| line.contains("PixelCore")).unwrap();
    let number: String = entry.chars().filter(char::is_ascii_digit).take(1).collect();
    pty.keys(&format!("{number}<Enter>"));
    pty.wait_for("Where does this run work?");
    pty.wait_for("answers in ");
}

/// From a target that was read over the inputs to the plan.
pub fn target_to_plan(pty: &mut Pty, chart: &str) {
    pty.wait_for("[› Use ");
    pty.wait_for("never seen before: compare the ids");
    pty.keys("<Enter>");
    pty.wait_for("What this runbook needs to know");
    pty.wait_for("› chart");
    pty.keys(chart);
    // by its fields to the button below them
    while !pty.screen().contains("[› Make the plan ‹]") {
        pty.keys("<Tab>");
        std::thread::sleep(Duration::from_millis(100));
    }
    pty.keys("<Enter>");
    pty.wait_for("The plan");
    pty.wait_for("Approve and start phase 1");
}

/// From home over target and inputs to the plan.
pub fn home_to_plan(pty: &mut Pty, namespace: &str, chart: &str) {
    home_to_target(pty);
    pty.keys(&format!("<Enter>{namespace}<Enter>"));
    target_to_plan(pty, chart);
}
