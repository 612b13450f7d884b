//! A run from its plan to its end, by keys; the window gets other sizes on the way.

use crate::house::House;

/// Approves the plan: Tab to its last button, Enter.
pub const APPROVE: &str = "<Tab><Enter>";

#[test]
fn keys_walk_from_the_plan_to_the_end() {
    let house = House::new();
    let mut pty = house.drydock(&house.start());
    pty.wait_for("The plan");
    pty.wait_for("Approve and start phase 1");
    pty.keys(APPROVE);
    pty.wait_for("Strike once");
    pty.wait_for("running");
    house.let_go();
    pty.wait_for("It said said hello.");
    pty.keys("2<Enter>");
    pty.wait_for("Nod.");
    pty.keys("2<Enter>");
    pty.wait_for("every step is done");
    pty.keys("<Enter>");
    pty.wait_for("Saved: ");
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 0);
    assert!(pty.is_given_back());
    assert_eq!(house.strikes(), 1);
    // once for each question and once for the end; the title says when somebody is needed
    assert_eq!(pty.heard(|heard| heard.bells), 4);
    let titles = pty.heard(|heard| heard.titles.clone());
    assert!(titles.iter().any(|title| title == "? drydock needs you"), "{titles:?}");
    assert!(titles.iter().any(|title| title == "drydock"), "{titles:?}");
}

#[test]
fn a_window_of_another_size_is_drawn_right() {
    let house = House::new();
    let mut pty = house.drydock(&house.start());
    pty.wait_for("Approve and start phase 1");
    for (columns, rows) in [(60, 18), (40, 10), (120, 40), (80, 24)] {
        pty.resize(columns, rows);
        let small = columns < 60;
        let wanted = if small { "This window is 40x10." } else { "Undo not needed" };
        pty.until("picture in the new size", || {
            let text = pty.screen();
            let lines: Vec<&str> = text.lines().collect();
            let whole = small || lines.len() == usize::from(rows) && lines[usize::from(rows) - 1].contains("help");
            text.contains(wanted) && whole
        });
        // what is on the screen is the picture and nothing of the one before
        let shown = pty.screen();
        pty.keys("<Ctrl-L>");
        std::thread::sleep(std::time::Duration::from_millis(300));
        assert_eq!(pty.screen(), shown, "in {columns}x{rows}");
    }
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 5);
    assert!(pty.is_given_back());
}

#[test]
fn plain_mode_takes_over_at_the_same_place() {
    let house = House::new();
    let mut pty = house.drydock(&house.start());
    pty.wait_for("Approve and start phase 1");
    pty.keys("<Ctrl-T>");
    pty.wait_for("Plain text mode; the same run, the same place.");
    assert!(pty.is_given_back());
    pty.wait_for("pprove");
}

#[test]
fn tui_leads_back_to_the_wizard_at_the_same_place() {
    let house = House::new();
    let mut pty = house.drydock(&house.start());
    pty.wait_for("Approve and start phase 1");
    pty.keys("<Ctrl-T>");
    pty.wait_for("\"tui\" leads back");
    pty.wait_for("Choose 1 or 2:");
    pty.keys("tui<Enter>");
    pty.wait_for("Approve and start phase 1");
    pty.wait_for("? help");
    pty.keys(APPROVE);
    house.let_go();
    pty.wait_for("It said said hello.");
    // to and fro once more, in the middle of the run
    pty.keys("<Ctrl-T>");
    pty.wait_for("Choose 1 or 2:");
    pty.keys("tui<Enter>");
    pty.wait_for("1-9 choose");
    pty.keys("2<Enter>");
    pty.wait_for("Nod.");
    pty.keys("2<Enter>");
    pty.wait_for("every step is done");
    pty.keys("<Enter>");
    pty.wait_for("Saved: ");
    pty.keys("q");
    assert_eq!(pty.ends().exit_code(), 0);
    assert!(pty.is_given_back());
    assert_eq!(house.strikes(), 1);
}

#[test]
fn where_no_screen_can_be_shown_the_word_tui_says_so() {
    let house = House::new();
    let mut command = house.command(crate::pty::PROGRAM, &house.start());
    command.env("TERM", "dumb");
    let mut pty = crate::pty::Pty::start(command, 80, 24);
    pty.wait_for("Choose 1 or 2:");
    pty.keys("tui<Enter>");
    pty.wait_for("This terminal cannot show the full screen");
    assert!(!pty.raw().contains(&0x1b));
}
