//! Ctrl-Z under a shell with job control: the terminal is the shell's while the wizard sleeps, and the wizard's again behind
//! `fg`.

use crate::{
    house::House,
    pty::{PROGRAM, Pty},
};

#[test]
fn ctrl_z_gives_the_terminal_to_the_shell_and_fg_takes_it_again() {
    let house = House::new();
    let mut command = house.command("sh", &["-i"]);
    command.env("PS1", "ready> ");
    let mut pty = Pty::start(command, 80, 24);
    pty.wait_for("ready>");
    pty.line(&format!("{PROGRAM} {}", house.start().join(" ")));
    pty.wait_for("Approve and start phase 1");
    // the last row is the last that is drawn
    pty.wait_for("? help");
    let shown = pty.screen();
    pty.keys("<Ctrl-Z>");
    pty.until("shell", || !pty.screen().contains("Approve") && pty.screen().contains("ready>"));
    assert!(pty.is_given_back());
    pty.line("fg");
    pty.wait_for("Approve and start phase 1");
    pty.until(&format!("picture as it was:\n{shown}"), || pty.screen() == shown);
    assert!(!pty.is_given_back());
    // stopped by somebody else it cannot tidy up, but it comes back whole
    rustix::process::kill_process(pty.id_of_child(), rustix::process::Signal::STOP).unwrap();
    pty.wait_for("ready>");
    // a plain shell does not tidy up either: the end of a line is still as the wizard wants it
    pty.line("fg\n");
    pty.until(&format!("picture as it was:\n{shown}"), || pty.screen() == shown);
    pty.until("terminal of the wizard", || !pty.is_given_back());
    pty.keys("<Down>");
    pty.keys("q");
    pty.wait_for("come back with");
    assert!(pty.is_given_back());
}
