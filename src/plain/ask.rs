//! Questions to a person, as numbered lines. An empty Enter never changes the cluster.

use secrecy::ExposeSecret;

use super::{
    answers::Say,
    form::{self, Walk},
    gate, pages,
    talk::{Leave, Prompt, Talk},
};
use crate::run::{Check, CheckResult, Choice, Question, ReapplyItem, ReapplyState, Reply, Sign, StepState};

/// Shortest passphrase that is taken for a new vault.
const SHORTEST: usize = 8;

/// Puts a question.
pub(super) async fn ask(talk: &mut Talk<'_>, question: &Question, walk: &mut Walk) -> Result<Say, Leave> {
    let reply = match question {
        Question::Approve => approve(talk).await?,
        Question::Vault { exists, fault } => return vault(talk, *exists, fault).await,
        Question::Form { step, title, form, items, none_reason, fault } => {
            let asked = form::Asked { step, title, form, items, none: none_reason, fault };
            return form::ask(talk, &asked, walk).await;
        }
        Question::Checks { checks, .. } => checks_question(talk, checks).await?,
        Question::Gate { gate, .. } => gate::ask(talk, gate).await?,
        Question::Confirm { text, button, .. } => {
            for line in text {
                talk.say(&format!("  {line}"));
            }
            let options = ["Go back".to_owned(), button.clone()];
            let help = "Read the lines above, do what they ask for, then say so. Going back leaves this step undone.";
            if talk.number(&options, Some(1), help).await? == 2 { Reply::Continue } else { Reply::Back }
        }
        Question::Choose { step, problem, choices, .. } => {
            // a failure was told when it was written down; anything else is told here
            let told = matches!(talk.state.step(step), StepState::Failed { problem: of, .. } if of == problem);
            for line in problem.lines().iter().filter(|_| !told) {
                talk.say(line);
            }
            let help = "Nothing goes on before a choice. The last option changes nothing and leaves the run paused.";
            Reply::Choose { choice: choose(talk, choices, help).await? }
        }
        Question::Reapply { items, .. } => reapply(talk, items).await?,
        Question::Resume { rows, uncertain, choices, .. } => {
            talk.say("Welcome back. Checked just now:");
            for (sign, name, says, so) in rows {
                let careful = if matches!(sign, Sign::Uncertain | Sign::Failed) { "CAREFUL. " } else { "" };
                talk.say(&format!("  {careful}{so}: {name}. {says}"));
            }
            for line in uncertain {
                talk.say(&format!("uncertain. {line}"));
            }
            let help = "The run was cut while something was begun. The last option only looks and leaves it paused.";
            Reply::Choose { choice: choose(talk, choices, help).await? }
        }
    };
    Ok(Say::Reply(reply))
}

/// What going back from the first prompt of a question says; nothing where only a pause is left.
pub(super) fn back(question: &Question) -> Option<Reply> {
    match question {
        Question::Vault { .. } => None,
        Question::Resume { choices, .. } => choices.last().map(|last| Reply::Choose { choice: last.id.clone() }),
        Question::Approve
        | Question::Form { .. }
        | Question::Checks { .. }
        | Question::Gate { .. }
        | Question::Confirm { .. }
        | Question::Choose { .. }
        | Question::Reapply { .. } => Some(Reply::Back),
    }
}

async fn approve(talk: &mut Talk<'_>) -> Result<Reply, Leave> {
    for line in pages::plan(talk.state) {
        talk.say(&line);
    }
    let options = ["Go back".to_owned(), "Approve the plan and start phase 1".to_owned()];
    let help =
        "Approving starts the work that only reads and what can be undone; every deletion has a gate of its own.";
    Ok(if talk.number(&options, Some(1), help).await? == 2 { Reply::Approve } else { Reply::Back })
}

/// An empty Enter takes the last: it changes nothing.
async fn choose(talk: &mut Talk<'_>, choices: &[Choice], help: &str) -> Result<String, Leave> {
    let line = |choice: &Choice| match choice.cost.as_str() {
        "" => choice.label.clone(),
        cost => format!("{} ({cost})", choice.label),
    };
    let options: Vec<String> = choices.iter().map(line).collect();
    let chosen = talk.number(&options, Some(options.len()), help).await?;
    choices.get(chosen - 1).map(|choice| choice.id.clone()).ok_or(Leave::Back)
}

async fn vault(talk: &mut Talk<'_>, exists: bool, fault: &str) -> Result<Say, Leave> {
    if !fault.is_empty() {
        talk.say(&format!("not yet. {fault}"));
    }
    if exists {
        let prompt = Prompt::new("Vault passphrase (typing stays hidden):")
            .help("The passphrase that was chosen when the vault was made. A wrong one changes and costs nothing.")
            .help("Nobody can read it back for you: it is written nowhere.");
        loop {
            let passphrase = talk.secret(&prompt).await?;
            if !passphrase.expose_secret().is_empty() {
                return Ok(Say::Passphrase(passphrase));
            }
        }
    }
    talk.say("Tokens and passwords go into one encrypted file here. Without the passphrase nobody can open it.");
    let first = Prompt::new("New vault passphrase (typing stays hidden):")
        .help(format!("At least {SHORTEST} characters; four words that belong to nothing are strong and easy to type."))
        .help("If you forget it, what is in the vault is gone: nobody can open it without.");
    let second = Prompt::new("Once more (typing stays hidden):").help("The same again, so that no slip locks you out.");
    loop {
        let passphrase = talk.secret(&first).await?;
        if passphrase.expose_secret().chars().count() < SHORTEST {
            talk.say(&format!("not yet. At least {SHORTEST} characters; four words are better."));
            continue;
        }
        let same = match talk.secret(&second).await {
            Ok(again) => again.expose_secret() == passphrase.expose_secret(),
            Err(Leave::Back) => continue,
            Err(leave) => return Err(leave),
        };
        if same {
            return Ok(Say::Passphrase(passphrase));
        }
        talk.say("not yet. The two are not the same.");
    }
}

async fn checks_question(talk: &mut Talk<'_>, checks: &[Check]) -> Result<Reply, Leave> {
    for check in checks {
        let word = match check.result {
            CheckResult::Pass => "pass",
            CheckResult::Warn => "WARN",
            CheckResult::Fail => "FAIL",
            CheckResult::NotAsked => "not asked",
        };
        talk.say(&format!("  {word} {}: {}", check.name, check.sentence));
        for help in &check.help {
            talk.say(&format!("    help: {help}"));
        }
    }
    if let Some(warn) = checks.iter().find(|check| check.result == CheckResult::Warn && !check.seen) {
        let prompt = Prompt::new(format!("Type \"seen\" for the warning {} (Enter = check again):", warn.name))
            .help("A warning holds nothing up, but somebody must have read it. \"seen\" says that you have.");
        loop {
            match talk.line(&prompt).await?.trim() {
                "" => return Ok(Reply::Again),
                "seen" => return Ok(Reply::Seen { check: warn.name.clone() }),
                _ => talk.say("not yet. Type the word seen, or only Enter."),
            }
        }
    }
    let failed = checks.iter().any(|check| check.result == CheckResult::Fail);
    let on = if failed { "Leave it so: the step fails, its options follow" } else { "Go on" };
    let options = ["Check again".to_owned(), on.to_owned(), "Go back".to_owned()];
    let help = "Mend what fails in another window, then check again. No check changes anything.";
    Ok(match talk.number(&options, Some(1), help).await? {
        2 => Reply::Continue,
        3 => Reply::Back,
        _ => Reply::Again,
    })
}

async fn reapply(talk: &mut Talk<'_>, items: &[ReapplyItem]) -> Result<Reply, Leave> {
    let settled = |state| matches!(state, ReapplyState::Same | ReapplyState::ByEye | ReapplyState::Waived);
    let done = items.iter().filter(|item| settled(item.state)).count();
    let Some(item) = items.iter().find(|item| !settled(item.state)) else { return Ok(Reply::Continue) };
    talk.say(&format!(
        "{done} of {} items are settled. {}: {}",
        items.len(),
        item.title,
        item.told(|at| at.strftime("%H:%M:%S").to_string())
    ));
    for (label, value) in &item.fields {
        talk.say(&format!("  {label}: {value}"));
    }
    let options = ["Read it back", "Write it and read it back", "Confirmed by eye", "Leave it out, because …"];
    let options = options.map(str::to_owned);
    let help = "An item counts when it was read back and is the same. By eye counts only where nothing can read it.";
    let help = if item.secrets.is_empty() {
        help.to_owned()
    } else {
        format!("{help} {} (drydock vault list has the names)", form::shown_by("NAME"))
    };
    let because = Prompt::new("Because:").help("At least 10 letters; the reason stays in the report for ever.");
    loop {
        let name = item.id.clone();
        return Ok(match talk.number(&options, Some(1), &help).await? {
            2 => Reply::Write { item: name },
            3 => Reply::ByEye { item: name },
            4 => match talk.line(&because).await {
                Ok(reason) => Reply::Waive { item: name, reason },
                Err(Leave::Back) => continue,
                Err(leave) => return Err(leave),
            },
            _ => Reply::ReadBack { item: name },
        });
    }
}
