//! The scenes: every screen of the wizard in the states that matter, by the number it has on the screen.

use drydock::run::{Event, Outcome, Question, Record, Stopped, Tag};

use crate::{
    telling,
    wizard::{LOCKS_AFTER, Wizard},
};

/// A screen, by its number and what it shows.
pub type Scene = (&'static str, fn() -> Wizard);

/// All scenes.
pub const SCENES: &[Scene] = &[
    ("s03-plan", plan),
    ("s03-plan-buttons", plan_buttons),
    ("s03-plan-why", plan_why),
    ("s04-vault-create", vault_create),
    ("s04-vault-create-typed", vault_typed),
    ("s04-vault-unlock", vault_unlock),
    ("s04-vault-wrong", vault_wrong),
    ("s04-vault-damaged", vault_damaged),
    ("s04-locks-soon", locks_soon),
    ("s04-locked", locked),
    ("s04-locked-form", locked_form),
    ("s04-locked-wrong", locked_wrong),
    ("s05-environment", environment),
    ("s05-lns-empty", lns_empty),
    ("s05-lns-list", lns_list),
    ("s05-lns-fault", lns_fault),
    ("s05-workers", workers),
    ("s05-workers-since", crate::forms::since),
    ("s05-workers-typed", crate::forms::typed),
    ("s05-token-shown", crate::reveal::token),
    ("s05-settings-shown", crate::reveal::settings),
    ("s05-settings-page", crate::reveal::page),
    ("s05-none-because", none_because),
    ("s06-checks", checks),
    ("s07-running", running),
    ("s07-running-quiet", running_quiet),
    ("s07-running-practice", running_practice),
    ("s07-other-cluster", other_cluster),
    ("s07-rolls-back", crate::rolls_back::writers),
    ("s09-gate-shut", gate_shut),
    ("s09-gate-open", gate_open),
    ("s09-gate-typed-wrong", gate_typed_wrong),
    ("s09-gate-ready", gate_ready),
    ("s09-gate-long", gate_long),
    ("s10-waiting", waiting),
    ("s10-stuck", stuck),
    ("s10-stuck-look", stuck_look),
    ("s10-confirm", confirm),
    ("s10-confirm-long", confirm_long),
    ("s13-failed-long", failed_long),
    ("s14-resume-long", resume_long),
    ("s07-long-namespace", long_namespace),
    ("s13-failed", failed),
    ("s13-doubt", doubt),
    ("s12-reapply", reapply),
    ("s12-token-shown", crate::reveal::reapplied),
    ("s14-resume", resume),
    ("s19-finish", finish),
    ("s21-leave", leave),
    ("s21-leave-sure", leave_sure),
    ("s21-leave-uncut", leave_uncut),
    ("s18-help", help),
    ("s18-why", why),
    ("s18-evidence", evidence),
    ("s18-overview", overview),
    ("s18-log-search", log_search),
    ("s18-palette", palette),
    ("s18-palette-decision", palette_decision),
];

/// The scene of this name.
pub fn scene(name: &str) -> Wizard {
    let found = SCENES.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("there is no scene {name}")).1()
}

fn asked(before: &str, question: Question) -> Wizard {
    let mut wizard = Wizard::within(before);
    wizard.ask(question);
    wizard
}

fn plan() -> Wizard {
    let mut wizard = Wizard::planned();
    wizard.ask(Question::Approve);
    wizard
}

fn plan_buttons() -> Wizard {
    let mut wizard = plan();
    wizard.keys("<Tab>");
    wizard
}

fn plan_why() -> Wizard {
    pressed(plan(), "<Down><Down>w")
}

fn vault(exists: bool) -> Wizard {
    let mut wizard = Wizard::before("version");
    wizard.ask(Question::Vault { exists, fault: String::new() });
    wizard
}

fn vault_create() -> Wizard {
    vault(false)
}

fn vault_typed() -> Wizard {
    let mut wizard = vault(false);
    wizard.keys("harbour velvet tractor onion<Enter>harbour velvet tra");
    wizard
}

fn vault_unlock() -> Wizard {
    vault(true)
}

fn vault_wrong() -> Wizard {
    let mut wizard = vault(true);
    wizard.keys("not this one<Enter>");
    wizard.ask(Question::Vault { exists: true, fault: "the passphrase does not open this vault".into() });
    wizard
}

fn vault_damaged() -> Wizard {
    let mut wizard = vault(true);
    wizard.keys("harbour velvet<Enter>");
    wizard.ask(Question::Vault { exists: true, fault: telling::DAMAGED.into() });
    wizard
}

/// The same with a lock, and so long without a key.
fn untouched(mut wizard: Wizard, seconds: u64) -> Wizard {
    // keys that do nothing: from now on it counts
    wizard.keys("<F1><Esc>");
    wizard.app.around.locks_after = Some(LOCKS_AFTER);
    wizard.pass(seconds);
    wizard
}

fn locks_soon() -> Wizard {
    untouched(running(), 270)
}

fn locked() -> Wizard {
    untouched(running(), 300)
}

fn locked_form() -> Wizard {
    untouched(lns_fault(), 300)
}

fn locked_wrong() -> Wizard {
    let mut wizard = locked();
    wizard.keys("harbour<Enter>");
    wizard.say(drydock::app::Msg::Unlocked(Err("this passphrase does not open the vault".into())));
    wizard
}

fn environment() -> Wizard {
    asked("environment", telling::environment())
}

fn lns_empty() -> Wizard {
    asked("lns", telling::lns_empty())
}

fn lns_list() -> Wizard {
    asked("lns", telling::lns_form(telling::lns()))
}

fn lns_fault() -> Wizard {
    let mut wizard = lns_list();
    wizard.keys("<Enter>");
    wizard
}

fn workers() -> Wizard {
    asked("workers", telling::workers())
}

fn none_because() -> Wizard {
    let mut wizard = asked("other", telling::other());
    wizard.keys("nchecked every tab against the 3.8 defaults");
    wizard
}

fn checks() -> Wizard {
    asked("preflight", telling::checks())
}

/// Lines of a dump's output.
pub const OUTPUT: &[(&str, Tag, &str)] = &[
    ("pix-core", Tag::Plain, "copying chunk 58 of 98 (390,102 rows)"),
    ("pix-core", Tag::Plain, "copying chunk 59 of 98 (389,440 rows)"),
    ("pg_dump", Tag::Expected, "circular foreign-key constraints: object_tree"),
    ("drydock", Tag::Note, "stream cut 21:23:52. Try 2 in 2 s, then 4, 8 …"),
    ("pix-core", Tag::Error, "error: could not read block 7 of relation"),
    ("pix-core", Tag::Plain, "copying chunk 61 of 98 (390,016 rows)"),
];

fn running() -> Wizard {
    let mut wizard = Wizard::within("dump");
    wizard.pass(131);
    wizard.progress(telling::dumping());
    wizard.output("dump", OUTPUT);
    wizard
}

fn running_quiet() -> Wizard {
    let mut wizard = Wizard::within("gone");
    wizard.pass(3);
    wizard
}

fn running_practice() -> Wizard {
    let mut wizard = running();
    wizard.app.run.practice = true;
    wizard
}

fn other_cluster() -> Wizard {
    let mut wizard = running();
    let at = wizard.app.now;
    wizard.say(drydock::app::Msg::Event(Box::new(Event::Identity { at, state: drydock::run::Likeness::Different })));
    wizard
}

fn gate_shut() -> Wizard {
    asked("remove", telling::gate_question(&["proven", "quiet"]))
}

fn gate_open() -> Wizard {
    asked("remove", telling::gate_question(&[]))
}

fn gate_typed_wrong() -> Wizard {
    let mut wizard = gate_open();
    wizard.keys("pixelcore-prod<Enter>hero");
    wizard.keys("m");
    wizard
}

fn gate_ready() -> Wizard {
    let mut wizard = gate_open();
    wizard.keys("pixelcore-prod<Enter>heron<Enter><Tab>");
    wizard
}

fn gate_long() -> Wizard {
    let mut wizard = Wizard::within("remove");
    let Question::Gate { step, mut gate } = telling::gate_question(&[]) else { panic!("it is a gate") };
    telling::LONG.clone_into(&mut gate.namespace);
    wizard.ask(Question::Gate { step, gate });
    wizard
}

fn waits(rows: Vec<drydock::run::Row>) -> Wizard {
    let mut wizard = Wizard::within("ready");
    wizard.progress(telling::waiting(rows.clone()));
    wizard.output("ready", POD_OUTPUT);
    wizard.pass(112);
    wizard.progress(telling::waiting(rows));
    wizard
}

/// Lines of the pods that a step waits for.
const POD_OUTPUT: &[(&str, Tag, &str)] = &[
    ("pix-core-6d9f7c5b8-x2k4q", Tag::Plain, "INFO  [main] up"),
    ("pix-worker-7b5d9c6f4-qq8zn", Tag::Plain, "INFO  [main] reading the settings"),
];

fn waiting() -> Wizard {
    waits(telling::parts().into_iter().take(3).collect())
}

fn stuck() -> Wizard {
    waits(telling::parts())
}

fn stuck_look() -> Wizard {
    pressed(stuck(), "2<Enter>")
}

fn confirm() -> Wizard {
    asked("release", telling::confirm())
}

fn failed() -> Wizard {
    let mut wizard = Wizard::within("restore");
    wizard.end("restore", Outcome::Failed { problem: Box::new(telling::problem()) });
    wizard.ask(telling::failed());
    wizard
}

fn failed_long() -> Wizard {
    let mut wizard = Wizard::within("ready");
    wizard.end("ready", Outcome::Failed { problem: Box::new(telling::long_problem()) });
    wizard.ask(telling::failed_long());
    wizard
}

fn confirm_long() -> Wizard {
    asked("release", telling::confirm_long())
}

fn resume_long() -> Wizard {
    let mut wizard = Wizard::within("remove");
    wizard.pass(840);
    wizard.record(Record::Resumed { operator: "ann".into(), host: "bastion-2".into(), tool: "0.1.0".into() });
    wizard.ask(telling::resume_long());
    wizard
}

fn long_namespace() -> Wizard {
    let mut wizard = running();
    if let Some(target) = &mut wizard.app.run.target {
        target.namespace = telling::LONG.to_owned();
    }
    wizard
}

fn doubt() -> Wizard {
    asked("put_lns", telling::doubt())
}

fn reapply() -> Wizard {
    asked("put_lns", telling::reapply())
}

fn resume() -> Wizard {
    let mut wizard = Wizard::within("remove");
    wizard.record(Record::Resumed { operator: "ann".into(), host: "bastion-2".into(), tool: "0.1.0".into() });
    wizard.ask(telling::resume());
    wizard
}

fn finish() -> Wizard {
    let mut wizard = Wizard::before("nothing that follows");
    wizard.record(Record::Finished { summary: "every step is done".into(), way_back: vec!["go back by hand".into()] });
    wizard.say(drydock::app::Msg::Event(Box::new(Event::Stopped { stopped: Stopped::Finished })));
    wizard
}

fn pressed(mut wizard: Wizard, keys: &str) -> Wizard {
    wizard.keys(keys);
    wizard
}

fn leave() -> Wizard {
    pressed(running(), "q")
}

fn leave_sure() -> Wizard {
    pressed(running(), "q4<Enter>")
}

fn leave_uncut() -> Wizard {
    pressed(Wizard::within("remove"), "<Ctrl-C>")
}

fn help() -> Wizard {
    pressed(running(), "?")
}

fn why() -> Wizard {
    pressed(running(), "w")
}

fn evidence() -> Wizard {
    pressed(running(), "e")
}

fn overview() -> Wizard {
    pressed(running(), "o")
}

fn log_search() -> Wizard {
    pressed(running(), "/chunk<Enter>")
}

fn palette_decision() -> Wizard {
    pressed(failed(), ":")
}

fn palette() -> Wizard {
    pressed(running(), ":re")
}
