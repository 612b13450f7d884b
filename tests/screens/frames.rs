//! Every scene as it is drawn, kept under `snapshots/` for people to read and compare.

use drydock::tui::{Opening, draw, opening_picture};
use insta::Settings;
use ratatui::{Terminal, backend::TestBackend, buffer::Buffer, layout::Rect};

use crate::{
    doors::{self, DOORS},
    scenes::{SCENES, scene},
    wizard::{ASCII, COLOUR, MONO, Wizard, text_rows},
};

fn keep(name: &str, text: &str) {
    let mut settings = Settings::clone_current();
    settings.set_snapshot_path(concat!(env!("CARGO_MANIFEST_DIR"), "/snapshots"));
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| insta::assert_snapshot!(name, text));
}

#[test]
fn every_scene_in_80x24() {
    for (name, make) in SCENES {
        keep(&format!("{name}-80x24"), &make().frame(80, 24, COLOUR));
    }
}

#[test]
fn every_scene_in_120x40() {
    for (name, make) in SCENES {
        keep(&format!("{name}-120x40"), &make().frame(120, 40, COLOUR));
    }
}

#[test]
fn colours_mono_and_ascii() {
    for name in ["s03-plan", "s05-lns-list", "s07-running", "s09-gate-open", "s13-failed", "s14-resume"] {
        let wizard = scene(name);
        keep(&format!("{name}-colour"), &wizard.styled(80, 24, COLOUR));
        keep(&format!("{name}-mono"), &wizard.styled(80, 24, MONO));
        keep(&format!("{name}-ascii"), &wizard.frame(80, 24, ASCII));
    }
}

/// Home and target, which no run has yet.
#[test]
fn every_door_in_its_sizes_mono_and_ascii() {
    for (name, make) in DOORS {
        let door = make();
        keep(&format!("{name}-80x24"), &doors::frame(&door, 80, 24, COLOUR));
        keep(&format!("{name}-120x40"), &doors::frame(&door, 120, 40, COLOUR));
        keep(&format!("{name}-mono"), &doors::styled(&door, 80, 24, MONO));
        let ascii = doors::frame(&door, 80, 24, ASCII);
        assert!(ascii.is_ascii(), "{ascii}");
        keep(&format!("{name}-ascii"), &ascii);
    }
}

#[test]
fn small_windows() {
    for (columns, rows) in [(60, 18), (70, 20), (52, 8), (30, 5), (19, 2)] {
        keep(&format!("s20-{columns}x{rows}"), &scene("s07-running").frame(columns, rows, COLOUR));
    }
    for name in ["s09-gate-open", "s05-lns-fault", "s14-resume", "s13-failed", "s06-checks"] {
        keep(&format!("{name}-60x18"), &scene(name).frame(60, 18, COLOUR));
    }
}

/// What stands there until the practice plant is made.
#[test]
fn the_opening_of_a_practice() {
    for (columns, rows) in [(80, 24), (120, 40), (60, 18), (30, 5)] {
        let mut buffer = Buffer::empty(Rect::new(0, 0, columns, rows));
        let picture = opening_picture(&Opening::PRACTICE, columns, rows);
        draw(&picture, COLOUR, buffer.area, &mut buffer);
        keep(&format!("s00-opening-{columns}x{rows}"), &text_rows(&buffer).join("\n"));
    }
}

/// The picture is drawn on a terminal of ratatui's as on a bare buffer.
#[test]
fn a_terminal_shows_the_picture() {
    let wizard: Wizard = scene("s07-running");
    let mut terminal = Terminal::new(TestBackend::new(80, 24)).unwrap();
    let picture = drydock::tui::picture(&wizard.app, 80, 24);
    terminal
        .draw(|frame| {
            let area = frame.area();
            drydock::tui::draw(&picture, COLOUR, area, frame.buffer_mut());
        })
        .unwrap();
    assert_eq!(*terminal.backend().buffer(), wizard.buffer(80, 24, COLOUR).0);
}
