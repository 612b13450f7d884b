//! The loop before a run: keys and answers in, the door's effects out.

use std::{future::Future, io, pin::Pin, sync::Arc};

use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};

use super::{
    Theme,
    input::{Input, batch},
    keys::Keys,
    runtime::SAME_READ,
    screen::Screen,
    views::door_picture,
};
use crate::app::door::{Chosen, Door, DoorEffect, DoorMsg};

/// Title of the terminal's window.
const TITLE: &str = "drydock";

/// Does what the door wants from outside, and says what came of it.
pub type Errand = Arc<dyn Fn(DoorEffect) -> Pin<Box<dyn Future<Output = Option<DoorMsg>> + Send>> + Send + Sync>;

/// Shows the door until something is chosen. It stays as it was left, to be opened again.
///
/// # Errors
/// When the terminal cannot be taken or written.
pub async fn run_door(door: &mut Door, first: Vec<DoorEffect>, theme: Theme, errand: Errand) -> io::Result<Chosen> {
    let mut screen = Screen::take(TITLE, theme)?;
    let (reader, mut keys) = Keys::start();
    let (mut hangup, mut terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    let mut errands = JoinSet::new();
    let mut effects = first;
    let chosen = loop {
        let mut chosen = None;
        for effect in std::mem::take(&mut effects) {
            match effect {
                DoorEffect::Choose(what) => chosen = Some(what),
                DoorEffect::Repaint => screen.forget()?,
                DoorEffect::Suspend => screen.suspend()?,
                outside => {
                    errands.spawn(errand(outside));
                }
            }
        }
        if let Some(chosen) = chosen {
            break chosen;
        }
        let size = screen.size()?;
        screen.paint(door_picture(door, size.width, size.height))?;
        tokio::select! {
            biased;
            key = keys.recv() => {
                let Some(first) = key else { break Chosen::Leave };
                let mut inputs = vec![first];
                if door.is_typing() {
                    // what came in the same read follows at once
                    tokio::time::sleep(SAME_READ).await;
                }
                while let Ok(next) = keys.try_recv() {
                    inputs.push(next);
                }
                for input in batch(inputs, door.is_typing()) {
                    match input {
                        Input::Key(key) => effects.extend(door.update(DoorMsg::Key(key))),
                        Input::Paste(text) => effects.extend(door.update(DoorMsg::Paste(text))),
                        Input::Resized => {}
                    }
                }
            }
            _ = hangup.recv() => break Chosen::Leave,
            _ = terminate.recv() => break Chosen::Leave,
            Some(answer) = errands.join_next(), if !errands.is_empty() => {
                if let Ok(Some(msg)) = answer {
                    effects = door.update(msg);
                }
            }
        }
    };
    // where the terminal is gone there is nobody to go on for
    let is_there = screen.leave(reader, keys);
    Ok(if is_there { chosen } else { Chosen::Leave })
}
