//! The screen before there is anything to show: painted at once, while the place of a run is made ready behind it.

use std::{future::Future, io};

use tokio::signal::unix::{SignalKind, signal};

use super::{
    Theme,
    input::Input,
    keys::Keys,
    screen::Screen,
    views::{Opening, opening_picture},
};
use crate::app::Key;

/// Shows `opening` until `work` is done, and returns what it made; nothing when the operator left before, in which case the
/// work is dropped where it stands.
///
/// # Errors
/// When the terminal cannot be taken or written.
pub async fn while_opening<T>(opening: Opening, theme: Theme, work: impl Future<Output = T>) -> io::Result<Option<T>> {
    let mut screen = Screen::take("drydock", theme)?;
    let paint = |screen: &mut Screen| {
        let size = screen.size()?;
        screen.paint(opening_picture(&opening, size.width, size.height))
    };
    // before the work is polled for the first time: it may keep this thread
    paint(&mut screen)?;
    let (reader, mut keys) = Keys::start();
    let (mut hangup, mut terminate) = (signal(SignalKind::hangup())?, signal(SignalKind::terminate())?);
    tokio::pin!(work);
    let made = loop {
        tokio::select! {
            biased;
            key = keys.recv() => match key {
                None | Some(Input::Key(Key::Char('q') | Key::Esc | Key::Ctrl('c'))) => break None,
                Some(Input::Key(Key::Ctrl('l'))) => {
                    screen.forget()?;
                    paint(&mut screen)?;
                }
                Some(Input::Resized) => paint(&mut screen)?,
                Some(_) => {}
            },
            _ = hangup.recv() => break None,
            _ = terminate.recv() => break None,
            made = &mut work => break Some(made),
        }
    };
    let is_there = screen.leave(reader, keys);
    Ok(made.filter(|_| is_there))
}
