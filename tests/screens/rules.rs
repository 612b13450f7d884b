//! What holds on every screen, in every size and look: the frame, one focus, no other byte than ASCII where that is asked
//! for, keys that do what the footer says, and no secret anywhere.

use drydock::{
    app::{Key, Msg, Window},
    run::{Progress, Question},
    tui::picture,
};
use proptest::prelude::*;

use crate::{
    scenes::SCENES,
    telling,
    wizard::{ASCII, COLOUR, MONO, Wizard, text_rows},
};

const SIZES: [(u16, u16); 8] = [(60, 18), (66, 20), (72, 24), (79, 24), (80, 24), (99, 29), (100, 30), (120, 40)];

fn each(mut test: impl FnMut(&str, &Wizard, u16, u16)) {
    for (name, make) in SCENES {
        let wizard = make();
        for (columns, rows) in SIZES {
            test(&format!("{name} {columns}x{rows}"), &wizard, columns, rows);
        }
    }
}

/// State of the identity and badge that a scene has.
fn marks(name: &str) -> (&'static str, &'static str) {
    match name.split(' ').next() {
        Some("s07-running-practice") => ("id ✓", "PRACTICE (simulated)"),
        Some("s07-other-cluster") => ("id ✗", "PROD"),
        _ => ("id ✓", "PROD"),
    }
}

#[test]
fn the_frame_is_whole() {
    each(|name, wizard, columns, rows| {
        let text = text_rows(&wizard.buffer(columns, rows, COLOUR).0);
        let row = |n: usize| text[n].as_str();
        let last = text.len();
        if name.starts_with("s07-long-namespace") {
            let begins = row(0).contains("pixelcore-prod") && (row(0).contains('…') || row(0).contains(telling::LONG));
            assert!(begins && row(0).ends_with("· id ✓ · PROD"), "{name}: {}", row(0));
            return;
        }
        let head = if columns < 80 { " drydock" } else { " drydock · PixelCore" };
        assert!(row(0).starts_with(head), "{name}: {}", row(0));
        let (id, badge) = marks(name);
        let (whole, short) =
            (format!("pixelcore-prod @ fra-1 · {id} · {badge}"), format!("pixelcore-prod · {id} · {badge}"));
        assert!(row(0).contains(&whole) || columns < 80 && row(0).contains(&short), "{name}: {}", row(0));
        assert!(columns < 80 || !row(last - 2).contains('…'), "{name}: {}", row(last - 2));
        // each fact has a word behind its label
        let facts: Vec<&str> = row(last - 3).split('·').map(str::trim).collect();
        let told = |fact: &&str| fact.split_once(' ').is_some_and(|(_, value)| !value.trim().is_empty());
        assert!(facts.len() >= 4 && facts.iter().filter(|fact| told(fact)).count() >= 4, "{name}: {facts:?}");
        for label in ["Changes ", "Undo ", "Time ", "Leave "] {
            assert!(row(last - 3).contains(label), "{name}: {}", row(last - 3));
        }
        assert!(!row(last - 3).ends_with("Leave") && !row(last - 3).ends_with('…'), "{name}: {}", row(last - 3));
        // at the end there is nothing left to resume, only to look at
        let ended = wizard.app.run.is_at_end();
        assert!(
            row(last - 2).contains(if ended { "drydock show 7f3a" } else { "drydock resume 7f3a" })
                || wizard.app.notice.is_some()
                || wizard.app.locks_soon()
                || name.contains("other-cluster"),
            "{name}: {}",
            row(last - 2)
        );
        let way_out = ["help", "Esc"].iter().any(|word| row(last - 1).contains(word));
        assert!(way_out, "{name}: {}", row(last - 1));
        for body in &text[3..last - 4] {
            assert!(unicode_width::UnicodeWidthStr::width(body.as_str()) < usize::from(columns), "{name}: {body}");
        }
    });
}

#[test]
fn no_fact_of_a_step_is_cut_at_80_columns() {
    let plan = Wizard::planned().app.run.plan.clone();
    for step in plan {
        let mut wizard = Wizard::within(&step.id.0);
        for left in [None, Some(59 * 60 + 59)] {
            wizard.progress(Progress {
                step: step.id.clone(),
                sentence: String::new(),
                rows: Vec::new(),
                bar: None,
                left_s: left,
            });
            let text = text_rows(&wizard.buffer(80, 24, COLOUR).0);
            assert!(!text[21].contains('…'), "{}: {}", step.number, text[21]);
        }
    }
}

#[test]
fn there_is_one_focus_at_most_and_the_cursor_is_there() {
    each(|name, wizard, columns, rows| {
        let picture = picture(&wizard.app, columns, rows);
        let mark = |text: &str| text == "›" || text.starts_with("[› ");
        let focus = |column: usize, text: &str| mark(text) && (column == 0 || text.len() > 3);
        let found = picture.body.iter().flat_map(|line| &line.pieces).filter(|(column, text, _)| focus(*column, text));
        assert!(found.count() <= 1, "{name}");
        assert!(picture.body.iter().filter(|line| line.cursor.is_some()).count() <= 1, "{name}");
    });
}

#[test]
fn looks_differ_in_signs_and_styles_only() {
    each(|name, wizard, columns, rows| {
        let ascii = wizard.frame(columns, rows, ASCII);
        assert!(ascii.is_ascii(), "{name}: {ascii}");
        let badge = format!("[{}]", marks(name).1);
        assert!(ascii.contains(&badge) && wizard.frame(columns, rows, MONO).contains(&badge), "{name}");
        let words = |text: &str| -> Vec<String> {
            text.split(|c: char| !c.is_ascii_alphanumeric())
                .filter(|word| !word.is_empty())
                .map(str::to_owned)
                .collect()
        };
        if columns >= 120 {
            let (colour, mono) = (wizard.frame(columns, rows, COLOUR), wizard.frame(columns, rows, MONO));
            assert_eq!(words(&colour), words(&mono), "{name}");
        }
    });
}

/// Keys as the footer writes them; of two that are written together either may do something.
fn keys_of(shown: &str) -> Vec<Key> {
    match shown {
        "↑↓" => vec![Key::Down, Key::Up],
        "↑" => vec![Key::Up],
        "1-9" => vec![Key::Char('1'), Key::Char('2')],
        "Enter" | "Esc" | "Tab" | "Space" | "F1" | "Ctrl-R" | "Ctrl-O" => Key::script(&format!("<{shown}>")),
        letter if letter.chars().count() == 1 => Key::script(letter),
        other => panic!("a key that no test knows: {other}"),
    }
}

#[test]
fn every_key_at_the_foot_does_something() {
    for (name, make) in SCENES {
        let before = make();
        let drawn = picture(&before.app, 80, 24);
        for (shown, label) in &drawn.keys {
            let does = |key: Key| {
                let mut wizard = make();
                wizard.say(Msg::Drawn(Window { is_small: false, scroll: drawn.scroll, covers: drawn.covers }));
                let timer = wizard.app.has_timer();
                let effects = wizard.press(key);
                !effects.is_empty() || timer != wizard.app.has_timer() || picture(&wizard.app, 80, 24) != drawn
            };
            // a page that fits needs no scrolling, a list of one no choosing
            let fits = label == "scroll" && drawn.scroll == 0 || label == "choose" && wizard_has_one(&before);
            assert!(fits || keys_of(shown).into_iter().any(does), "{name}: {shown} {label}");
        }
    }
}

fn wizard_has_one(wizard: &Wizard) -> bool {
    matches!(&wizard.app.over, Some(drydock::app::Over::Palette(palette)) if palette.menu.count < 2)
}

#[test]
fn no_secret_is_in_any_frame() {
    const CANARY: &str = "canary-5d1e-canary";
    let mut vault = Wizard::before("version");
    vault.ask(Question::Vault { exists: false, fault: String::new() });
    vault.keys(CANARY);
    vault.keys("<Tab>");
    vault.keys(CANARY);
    let mut form = Wizard::within("lns");
    form.ask(telling::lns_form(telling::lns()));
    form.keys("<Down><Enter>");
    form.keys(CANARY);
    for wizard in [&mut vault, &mut form] {
        for keys in ["", "<F1>", "<Esc>", "<Tab>", "<Ctrl-P>"] {
            wizard.keys(keys);
            for (columns, rows) in SIZES {
                assert!(!wizard.frame(columns, rows, COLOUR).contains("canary"), "after {keys}");
            }
        }
    }
    // shown on demand, and for ten seconds only
    let mut shown = Wizard::before("version");
    shown.ask(Question::Vault { exists: false, fault: String::new() });
    shown.keys(CANARY);
    shown.keys("<Ctrl-R>");
    assert!(shown.frame(80, 24, COLOUR).contains(CANARY));
    shown.pass(11);
    assert!(!shown.frame(80, 24, COLOUR).contains("canary"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]
    #[test]
    fn no_keys_and_no_size_break_a_screen(
        scene in 0..SCENES.len(),
        keys in proptest::collection::vec(0usize..40, 0..40),
        columns in 1u16..140,
        rows in 1u16..45,
    ) {
        let all = Key::script("<Enter><Tab><Shift-Tab><Esc><Up><Down><PgUp><PgDn><Home><End><Backspace><Delete><F1><Ctrl-R><Ctrl-P>\
            <Ctrl-C><Space>/:?1239aenwlopqrsx日");
        let mut wizard = SCENES[scene].1();
        for index in keys {
            wizard.press(all[index % all.len()]);
            let drawn = picture(&wizard.app, columns, rows);
            let is_small = columns < 60 || rows < 18;
            wizard.say(Msg::Drawn(Window { is_small, scroll: drawn.scroll, covers: drawn.covers }));
            let text = wizard.frame(columns, rows, COLOUR);
            prop_assert!(text.lines().all(|line| unicode_width::UnicodeWidthStr::width(line) <= usize::from(columns.max(12))));
        }
    }
}
