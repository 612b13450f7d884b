//! What is left when the terminal, the program or the operator goes in the middle of a step.

use rustix::process::{Signal, kill_process};

use crate::{
    house::{House, appears},
    pty::{Pty, wait},
    walk::APPROVE,
};

/// In the middle of the second step.
fn striking(house: &House) -> Pty {
    let mut pty = house.drydock(&house.start());
    pty.wait_for("Approve and start phase 1");
    pty.keys(APPROVE);
    appears(&house.path("begun"));
    pty.wait_for("Strike once");
    pty
}

fn done(house: &House, step: &str) -> bool {
    house
        .journal()
        .lines()
        .any(|line| line.contains("\"ended\"") && line.contains(&format!("\"{step}\"")) && line.contains("\"done\""))
}

/// Time that a program used the machine, in hundredths of a second.
fn ticks(child: &(dyn portable_pty::Child + Send + Sync)) -> u64 {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", child.process_id().unwrap())).unwrap();
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
}

/// The rest of the run, from the confirmation on.
fn resume_to_the_end(house: &House) {
    let mut pty = house.drydock(&["resume"]);
    pty.wait_for("It said said hello.");
    pty.keys("2<Enter>");
    pty.wait_for("Nod.");
    pty.keys("2<Enter>");
    pty.wait_for("every step is done");
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 0);
    assert_eq!(house.strikes(), 1);
}

#[test]
fn a_closed_window_finishes_the_step_and_the_run_goes_on_later() {
    let house = House::new();
    let mut child = striking(&house).close();
    std::thread::sleep(std::time::Duration::from_millis(500));
    let before = ticks(child.as_ref());
    std::thread::sleep(std::time::Duration::from_secs(1));
    assert!(child.try_wait().unwrap().is_none(), "the step is finished first");
    let used = ticks(child.as_ref()) - before;
    assert!(used < 20, "it waits without using the machine: {used} of 100 ticks");
    house.let_go();
    wait(&mut child);
    assert!(done(&house, "strike"), "{}", house.journal());
    resume_to_the_end(&house);
}

#[test]
fn hang_up_and_terminate_give_the_terminal_back_at_once() {
    for signal in [Signal::HUP, Signal::TERM] {
        let house = House::new();
        let mut pty = striking(&house);
        kill_process(pty.id(), signal).unwrap();
        pty.wait_for("is finished first, then the run pauses");
        pty.wait_for("drydock: come back with: drydock resume");
        assert!(pty.is_given_back());
        house.let_go();
        assert_eq!(pty.ends().exit_code(), 5);
        assert!(done(&house, "strike"));
    }
}

#[test]
fn after_kill_the_step_is_in_doubt_and_is_not_done_twice() {
    let house = House::new();
    let pty = striking(&house);
    kill_process(pty.id(), Signal::KILL).unwrap();
    drop(pty);
    house.let_go();
    let mut pty = house.drydock(&["resume"]);
    pty.wait_for("Welcome back");
    // the harmless answer is chosen; going on asks whether it was done
    pty.keys("1<Enter>");
    pty.wait_for("must not be done twice");
    pty.keys("1<Enter>");
    pty.wait_for("It said said hello.");
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 5);
    assert!(pty.is_given_back());
    assert_eq!(house.strikes(), 1);
}

#[test]
fn leaving_twice_over_finishes_the_step_first() {
    let house = House::new();
    let mut pty = striking(&house);
    pty.keys("<Ctrl-C>");
    pty.wait_for("Leave?");
    pty.keys("<Ctrl-C>");
    pty.wait_for("drydock: come back with: drydock resume");
    assert!(pty.is_given_back());
    house.let_go();
    assert_eq!(pty.ends().exit_code(), 5);
    assert!(done(&house, "strike"));
}

/// The program of the next test: takes the terminal as the wizard does, and panics.
#[test]
fn panics_where_it_is_asked_to() {
    if std::env::var_os("DRYDOCK_TEST_PANIC").is_some() {
        let _guard = drydock::tui::Guard::take("drydock").unwrap();
        panic!("the reason of the panic");
    }
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let house = House::new();
    let me = std::env::current_exe().unwrap().display().to_string();
    let mut command =
        house.command(&me, &["--exact", "ends::panics_where_it_is_asked_to", "--nocapture", "--test-threads=1"]);
    command.env("DRYDOCK_TEST_PANIC", "1");
    let mut pty = Pty::start(command, 80, 24);
    assert!(!pty.ends().success());
    assert!(pty.is_given_back());
    // on the main screen, where it stays
    assert!(pty.screen().contains("the reason of the panic"), "{}", pty.screen());
    let raw = String::from_utf8_lossy(&pty.raw()).into_owned();
    let (left, told) = (raw.find("\u{1b}[?1049l").unwrap(), raw.find("the reason of the panic").unwrap());
    assert!(left < told);
}
