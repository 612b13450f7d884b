//! A clerk: who answers a run from a script, or as a test says.

use std::time::Duration;

use drydock::{
    plain::{Answers, Say, Scripted},
    run::{Command, Event, FieldInput, Link, Reply, SecretHandle},
};
use futures::StreamExt;
use secrecy::SecretString;
use serde_json::Value;

/// Something a clerk does when it hears an event.
pub enum Act {
    /// Answers the open question.
    Say(Say),
    /// Sends any command.
    Command(Command),
    /// Sends it after a while.
    Later(Duration, Command),
    /// Goes away.
    Leave,
}

/// The shape of a clerk's first look at an event: `None` leaves it to the script.
pub type Hook = Box<dyn FnMut(&Event) -> Option<Vec<Act>> + Send>;

/// Who answers: first a test's own look, then an answers file.
pub struct Clerk {
    pub script: Scripted,
    pub hook: Hook,
    /// Whether secrets may be shown to it.
    pub looks: bool,
}

impl Clerk {
    /// Answers from a script only.
    pub fn new(answers: Value) -> Self {
        Self {
            script: Scripted::new(serde_json::from_value::<Answers>(answers).unwrap(), false),
            hook: Box::new(|_| None),
            looks: true,
        }
    }

    /// With a look of one's own.
    pub fn hooked(answers: Value, hook: impl FnMut(&Event) -> Option<Vec<Act>> + Send + 'static) -> Self {
        Self { hook: Box::new(hook), ..Self::new(answers) }
    }

    fn hear(&mut self, event: &Event) -> Vec<Act> {
        if let Some(acts) = (self.hook)(event) {
            return acts;
        }
        match event {
            Event::Asking { question, .. } => vec![self.script.answer(question).map_or(Act::Leave, Act::Say)],
            _ => Vec::new(),
        }
    }
}

/// Attends a run to its end; returns what it told, and the secrets that it showed beside that.
pub async fn attend(link: Link, mut clerk: Clerk) -> (Vec<Event>, Vec<(SecretHandle, SecretString)>) {
    let Link { mut events, commands, secrets, mut shown } = link;
    if !clerk.looks {
        shown.close();
    }
    let looked = tokio::spawn(futures::stream::poll_fn(move |cx| shown.poll_recv(cx)).collect());
    let (mut commands, mut seen, mut handles, mut open) = (Some(commands), Vec::new(), 0, 0);
    while let Some(event) = events.recv().await {
        if let Event::Asking { number, .. } = event {
            open = number;
        }
        for act in clerk.hear(&event) {
            // who left says nothing any more
            let Some(line) = commands.clone() else { break };
            let reply = match act {
                Act::Leave => {
                    commands = None;
                    continue;
                }
                Act::Command(command) => {
                    line.send(command).await.unwrap();
                    continue;
                }
                Act::Later(time, command) => {
                    tokio::spawn(async move {
                        tokio::time::sleep(time).await;
                        line.send(command).await.unwrap();
                    });
                    continue;
                }
                Act::Say(Say::Reply(reply)) => reply,
                Act::Say(Say::Passphrase(secret)) => {
                    handles += 1;
                    secrets.send((SecretHandle(handles), secret)).await.unwrap();
                    Reply::Vault { passphrase: SecretHandle(handles) }
                }
                Act::Say(Say::Secret { item, field, secret }) => {
                    handles += 1;
                    secrets.send((SecretHandle(handles), secret)).await.unwrap();
                    Reply::Set { item, field, input: FieldInput::Secret(SecretHandle(handles)) }
                }
            };
            line.send(Command::Answer { question: open, reply }).await.unwrap();
        }
        let last = matches!(event, Event::Stopped { .. });
        seen.push(event);
        if last {
            break;
        }
    }
    // the engine lets go of its end when nobody is there
    drop((commands, secrets));
    (seen, looked.await.unwrap())
}
