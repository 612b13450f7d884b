//! A wizard over a run of PixelCore: told what a run would tell it, pressed as a person would.

use drydock::{
    app::{App, Effect, Key, Msg, Passphrases, Strength, Surroundings, Window},
    engine::Plan,
    ports::Identity,
    run::{
        Command, Event, Outcome, OutputLine, Progress, Question, Record, Repeat, Reply, RunbookRef, SecretName, StepId,
        Tag,
    },
    runbook::load,
    tui::{Look, Theme, draw, picture},
    vault::{Level, estimate},
};
use jiff::{Timestamp, ToSpan};
use ratatui::{buffer::Buffer, layout::Rect, style::Modifier};
use secrecy::SecretString;
use serde_json::json;

/// Colours and all signs.
pub const COLOUR: Theme = Theme { look: Look::Colour, ascii: false };
/// Bold and reverse only.
pub const MONO: Theme = Theme { look: Look::Mono, ascii: false };
/// ASCII signs.
pub const ASCII: Theme = Theme { look: Look::Mono, ascii: true };

/// How every step that is over ended; facts are those of the first.
const ENDS: &[(&str, &str)] = &[
    ("version", "PixelCore 4.8.2, release pixelcore, 3 images"),
    ("environment", "1 environment file, confirmed"),
    ("lns", "3 connections, confirmed"),
    ("workers", "3 workers, confirmed"),
    ("other", "none: checked every tab against the defaults"),
    ("preflight", "all 11 checks pass"),
    ("freeze", "pix-worker stopped"),
    ("dump", "2 files, 6.39 GiB"),
    ("files", "trailer, 98 blocks and 38,204,117 rows are whole"),
    ("rehearse", "48 of 48 tables have the dump's rows"),
    ("settings", "all 4 checks pass"),
    ("keep", "1 volume set to keep"),
    ("remove", "14 objects deleted"),
    ("gone", "14 of 14 gone"),
    ("deploy", "release pixelcore, 5.0.0"),
    ("ready", "3 of 3 parts are ready"),
    ("hold", "pix-worker stopped"),
    ("restore", "48 tables restored"),
    ("compare", "48 of 48 tables have the dump's rows"),
    ("release", "pix-worker runs again"),
    ("put_lns", "3 of 3 connections read back the same"),
    ("put_workers", "3 of 3 workers read back the same"),
    ("put_other", "none: checked every tab against the defaults"),
    ("answers", "the API says 5.0.0"),
];

/// The model, its clock, and what it wanted done since it was last asked.
pub struct Wizard {
    pub app: App,
    at: u64,
    now: Timestamp,
    questions: u64,
}

fn identity() -> Identity {
    Identity {
        cluster_uid: Some("7c41e09b-52d8-4f0a-9c1e-5d1e7ea203b4".into()),
        ca_sha256: "9f1c7ea203b4".repeat(5),
        namespace_uid: "b3a8f1d0-77c4-41de-8f21-0c9b6f3a2e11".into(),
        root_uid: String::new(),
        namespace: "pixelcore-prod".into(),
        server_version: "v1.36.3".into(),
        labels: vec!["env=prod".into()],
    }
}

fn first_records() -> Vec<Record> {
    let loaded = load("pixelcore", include_str!("../../assets/runbooks/pixelcore.yaml")).unwrap();
    let target = identity();
    let place = json!({"namespace": target.namespace, "context": "fra-1", "environment": "PROD"});
    let inputs = loaded
        .runbook
        .inputs(&loaded.runbook.intents[0], &[("chart".to_owned(), "./chart".to_owned())].into(), &place)
        .unwrap();
    let known = json!({"inputs": inputs, "target": place});
    let plan = Plan::new(&loaded.runbook, &loaded.runbook.intents[0], &target, &known);
    vec![
        Record::Started {
            format: 1,
            run: "2026-11-20-pixelcore-7f3a".into(),
            runbook: RunbookRef {
                id: "pixelcore".into(),
                title: "PixelCore".into(),
                version: "1.0".into(),
                digest: "4be091d2".repeat(8),
                intent: "upgrade".into(),
            },
            tool: "0.1.0".into(),
            target: Box::new(target),
            context: "fra-1".into(),
            acting: drydock::ports::Acting::default(),
            environment: "PROD".into(),
            operator: "ann".into(),
            host: "bastion-2".into(),
            practice: false,
            inputs,
        },
        Record::Planned { phases: plan.phases, steps: plan.steps.into_iter().map(|step| step.planned).collect() },
    ]
}

/// The wizard locks after so many milliseconds without a key.
pub const LOCKS_AFTER: u64 = 300_000;

/// A wizard is told of a place like this one.
pub fn surroundings() -> Surroundings {
    let strength = |text: &str| {
        let found = estimate(text);
        Strength { enough: found.level > Level::Weak, sentence: found.sentence }
    };
    Surroundings {
        come_back: "drydock resume 7f3a".into(),
        look_again: Some("drydock show 7f3a".into()),
        tmux: Some("ops".into()),
        zone: jiff::tz::TimeZone::UTC,
        // minutes pass here without a key; tests of the lock set it
        locks_after: None,
        passphrases: Passphrases { strength, suggest: || SecretString::from("k7qf-2mxa-9tzb-h4wn-c8rd") },
    }
}

impl Wizard {
    /// At the very beginning: a plan, not approved.
    pub fn planned() -> Self {
        let now: Timestamp = "2026-11-20T20:50:00Z".parse().unwrap();
        let records: Vec<(Timestamp, Record)> = first_records().into_iter().map(|record| (now, record)).collect();
        Self { app: App::new(&records, surroundings(), now), at: 1_000, now, questions: 0 }
    }

    /// Approved, with every step before this one over.
    pub fn before(step: &str) -> Self {
        let mut wizard = Self::planned();
        wizard.record(Record::Approved { by: "ann".into() });
        for (id, summary) in ENDS.iter().take_while(|(id, _)| *id != step) {
            wizard.begin(id);
            let facts = if *id == "version" { json!({"version": "4.8.2", "images": {}}) } else { json!({}) };
            let outcome = Outcome::Done { summary: (*summary).to_owned(), facts };
            wizard.end(id, outcome);
        }
        wizard
    }

    /// In the middle of a step.
    pub fn within(step: &str) -> Self {
        let mut wizard = Self::before(step);
        wizard.begin(step);
        wizard
    }

    /// Time passes, with the clock's own look at the screen.
    pub fn pass(&mut self, seconds: u64) {
        self.at += seconds * 1_000;
        self.now += i64::try_from(seconds).unwrap().seconds();
        self.say(Msg::Tick);
    }

    /// Anything that can happen.
    pub fn say(&mut self, msg: Msg) -> Vec<Effect> {
        self.app.update(self.at, self.now, msg)
    }

    /// A record becomes durable.
    pub fn record(&mut self, record: Record) -> Vec<Effect> {
        self.say(Msg::Event(Box::new(Event::Recorded { at: self.now, record: Box::new(record) })))
    }

    /// A step begins.
    pub fn begin(&mut self, step: &str) {
        self.record(Record::Intent { step: StepId(step.into()), attempt: 1, repeat: Repeat::Guarded });
    }

    /// A step ends, a minute later.
    pub fn end(&mut self, step: &str, outcome: Outcome) {
        self.pass(60);
        self.record(Record::Ended { step: StepId(step.into()), attempt: 1, outcome });
    }

    /// The run tells how the step stands.
    pub fn progress(&mut self, progress: Progress) {
        self.say(Msg::Event(Box::new(Event::Progress { progress })));
    }

    /// Lines of output; each is source, tag and text.
    pub fn output(&mut self, step: &str, lines: &[(&str, Tag, &str)]) {
        let at = self.now;
        let line = |(source, tag, text): &(&str, Tag, &str)| OutputLine {
            at,
            source: (*source).to_owned(),
            tag: *tag,
            text: (*text).to_owned(),
        };
        let lines: Vec<OutputLine> = lines.iter().map(line).collect();
        // many came before them
        let came = lines.len() as u64 + 1_199;
        self.say(Msg::Output { step: StepId(step.into()), lines, came });
    }

    /// The run asks; a second later a person could have read it.
    pub fn ask(&mut self, question: Question) -> Vec<Effect> {
        let effects = self.ask_now(question);
        self.pass(1);
        effects
    }

    /// The run asks, and the next key comes at once.
    pub fn ask_now(&mut self, question: Question) -> Vec<Effect> {
        self.questions += 1;
        let number = self.questions;
        self.say(Msg::Event(Box::new(Event::Asking { number, question: Box::new(question) })))
    }

    /// Keys, a quarter of a second apart; what they wanted done.
    pub fn keys(&mut self, script: &str) -> Vec<Effect> {
        let mut effects = Vec::new();
        for key in Key::script(script) {
            effects.extend(self.press(key));
        }
        effects
    }

    /// One key, a quarter of a second after what was before.
    pub fn press(&mut self, key: Key) -> Vec<Effect> {
        self.press_after(250, key)
    }

    /// One key, so many milliseconds after what was before.
    pub fn press_after(&mut self, ms: u64, key: Key) -> Vec<Effect> {
        self.at += ms;
        self.say(Msg::Key(key))
    }

    /// Presses keys that ask for a kept secret, which comes at once; returns what was asked for.
    pub fn show(&mut self, keys: &str, value: &str) -> SecretName {
        let asked = self.keys(keys);
        let Some(Effect::Send(Command::Show { handle, secret })) = asked.last() else { panic!("{asked:?}") };
        self.app.show(self.at, self.now, *handle, SecretString::from(value));
        self.drawn();
        secret.clone()
    }

    /// The screen was drawn in 80x24.
    pub fn drawn(&mut self) {
        let drawn = picture(&self.app, 80, 24);
        self.say(Msg::Drawn(Window { is_small: false, scroll: drawn.scroll, covers: drawn.covers }));
    }

    /// The replies that keys led to.
    pub fn replies(&mut self, script: &str) -> Vec<Reply> {
        replies(&self.keys(script))
    }

    /// The screen as text, each row without the blanks at its end; below it where the cursor stands.
    pub fn frame(&self, columns: u16, rows: u16, theme: Theme) -> String {
        let (buffer, cursor) = self.buffer(columns, rows, theme);
        let mut lines = text_rows(&buffer);
        lines.push(cursor.map_or_else(|| "no cursor".to_owned(), |(x, y)| format!("cursor {},{}", x + 1, y + 1)));
        lines.join("\n")
    }

    /// The same with a second grid of styles: `b` bold, `r` reverse, `B` both, letters of colours, a dot for plain.
    pub fn styled(&self, columns: u16, rows: u16, theme: Theme) -> String {
        let (buffer, _) = self.buffer(columns, rows, theme);
        self.frame(columns, rows, theme) + &style_rows(&buffer)
    }

    /// The cells of the screen.
    pub fn buffer(&self, columns: u16, rows: u16, theme: Theme) -> (Buffer, Option<(u16, u16)>) {
        let area = Rect::new(0, 0, columns, rows);
        let mut buffer = Buffer::empty(area);
        let cursor = draw(&picture(&self.app, columns, rows), theme, area, &mut buffer);
        (buffer, cursor)
    }
}

/// Rows of cells as text, without the blanks at their end.
pub fn text_rows(buffer: &Buffer) -> Vec<String> {
    let area = buffer.area;
    let row = |y| {
        let mut text = String::new();
        let mut x = 0;
        while x < area.width {
            let cell = &buffer[(x, y)];
            text.push_str(cell.symbol());
            x += u16::try_from(unicode_width::UnicodeWidthStr::width(cell.symbol()).max(1)).unwrap();
        }
        text.trim_end().to_owned()
    };
    (0..area.height).map(row).collect()
}

/// Rows of styles, each on a line of its own, without the plain ones at their end.
pub fn style_rows(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in 0..buffer.area.height {
        let row: String = (0..buffer.area.width).map(|x| style_letter(&buffer[(x, y)])).collect();
        text.push('\n');
        text.push_str(row.trim_end_matches('.'));
    }
    text
}

fn style_letter(cell: &ratatui::buffer::Cell) -> char {
    use ratatui::style::Color::{Black, Cyan, DarkGray, Green, Red, Reset, White, Yellow};
    let (bold, reverse) = (cell.modifier.contains(Modifier::BOLD), cell.modifier.contains(Modifier::REVERSED));
    match (cell.fg, cell.bg, bold, reverse) {
        (Reset, Reset, false, false) => '.',
        (Reset, Reset, true, false) => 'b',
        (Reset, Reset, false, true) => 'r',
        (Reset, Reset, true, true) => 'B',
        (Cyan, ..) => 'c',
        (Green, ..) => 'g',
        (Yellow, ..) => 'y',
        (Red, Reset, ..) => 'R',
        (DarkGray, ..) => 'd',
        (White, Red, ..) => 'P',
        (Black, ..) => 'S',
        _ => '?',
    }
}

/// The replies among effects.
pub fn replies(effects: &[Effect]) -> Vec<Reply> {
    let reply = |effect: &Effect| match effect {
        Effect::Send(Command::Answer { reply, .. }) => Some(reply.clone()),
        _ => None,
    };
    effects.iter().filter_map(reply).collect()
}
