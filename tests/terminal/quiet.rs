//! A terminal that nobody touches, and places where no screen is drawn.

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use crate::{
    house::{House, appears},
    pty::{PROGRAM, Pty},
    walk::APPROVE,
};

#[test]
fn idle_writes_nothing() {
    let house = House::new();
    let mut pty = house.drydock(&house.start());
    pty.wait_for("Approve and start phase 1");
    std::thread::sleep(Duration::from_millis(500));
    let before = pty.bytes();
    std::thread::sleep(Duration::from_secs(3));
    assert_eq!(pty.bytes(), before);
    pty.keys("q");
    pty.ends();
}

#[test]
fn a_running_step_ticks_in_few_bytes_and_not_at_all_when_still() {
    for (flags, most) in [(&[][..], 100 * 4), (&["--still"][..], 0)] {
        let house = House::new();
        let args: Vec<String> = flags.iter().map(|flag: &&str| (*flag).to_owned()).chain(house.start()).collect();
        let mut pty = house.drydock(&args);
        pty.wait_for("Approve and start phase 1");
        pty.keys(APPROVE);
        appears(&house.path("begun"));
        pty.wait_for("Strike once");
        std::thread::sleep(Duration::from_millis(1_500));
        let before = pty.bytes();
        std::thread::sleep(Duration::from_secs(3));
        let written = pty.bytes() - before;
        assert!(written <= most, "{written} bytes with {flags:?}");
        assert!(most == 0 || written > 0, "the elapsed time moves");
        house.let_go();
        pty.wait_for("It said said hello.");
        pty.keys("q");
        pty.ends();
    }
}

#[test]
fn a_dumb_terminal_and_the_wish_for_it_get_line_prompts_without_an_escape() {
    for (name, value) in [("TERM", "dumb"), ("DRYDOCK_PLAIN", "1"), ("ACCESSIBLE", "1")] {
        let house = House::new();
        let mut command = house.command(PROGRAM, &house.start());
        command.env(name, value);
        let pty = Pty::start(command, 80, 24);
        pty.wait_for("drydock. Run ");
        pty.wait_for("pprove");
        assert!(!pty.raw().contains(&0x1b), "{name}: {}", pty.screen());
    }
}

#[test]
fn a_pipe_gets_lines_and_stops_at_the_first_question() {
    let house = House::new();
    let output = Command::new(PROGRAM)
        .args(house.start())
        .env("DRYDOCK_STATE_DIR", house.path("state"))
        .env("TERM", "xterm-256color")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(5), "{text}");
    assert!(text.contains("needs you"), "{text}");
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text}");
}
