//! Ctrl-Z under a shell with job control: the terminal is the shell's while the wizard sleeps, and the wizard's again behind
//! `fg`.

use crate::pty::{House, PROGRAM, Pty};

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let house = House::new();
    let mut command = house.command("sh", &["-i"]);
    command.env("PS1", "ready> ");
    let mut pty = Pty::start(command, 80, 24);
    pty.sees("ready>");
    pty.line(&format!("{PROGRAM} {}", house.start().join(" ")));
    pty.sees("Approve and start phase 1");
    // the last row is the last that is drawn
    pty.sees("? help");
    let shown = pty.text();
    pty.keys("\u{1a}");
    pty.until("shell", || !pty.text().contains("Approve") && pty.text().contains("ready>"));
    assert!(pty.is_given_back());
    pty.line("fg");
    pty.sees("Approve and start phase 1");
    pty.until(&format!("picture as it was:\n{shown}"), || pty.text() == shown);
    assert!(!pty.is_given_back());
    // stopped by somebody else it cannot tidy up, but it comes back whole
    rustix::process::kill_process(pty.id_of_child(), rustix::process::Signal::STOP).unwrap();
    pty.sees("ready>");
    // a plain shell does not tidy up either: the end of a line is still as the wizard wants it
    pty.line("fg\n");
    pty.until(&format!("picture as it was:\n{shown}"), || pty.text() == shown);
    pty.until("terminal of the wizard", || !pty.is_given_back());
    pty.keys("\u{1b}[B");
    pty.keys("q");
    pty.sees("come back with");
    assert!(pty.is_given_back());
}
