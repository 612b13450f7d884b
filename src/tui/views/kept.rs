//! A kept secret that is shown: in rows under its field, or on a page of its own where those have no room.

use unicode_width::UnicodeWidthChar;

use super::{Room, form, reapply};
use crate::{
    app::{App, Front},
    text::printable,
    tui::{Ink, Line},
};

/// A secret in rows of at most `cells`. Nothing of it is left out, blanks at a break neither: it is compared by eye.
pub fn rows(secret: &str, cells: usize) -> Vec<String> {
    let (mut rows, mut row, mut used) = (Vec::new(), String::new(), 0);
    for c in printable(secret).chars() {
        let wide = c.width().unwrap_or(0);
        if used + wide > cells.max(2) {
            // behind a blank where one is near
            let at = row.rfind(' ').map(|at| at + 1).filter(|at| *at > row.len() / 2).unwrap_or(row.len());
            let rest = row.split_off(at);
            used = crate::tui::picture::width(&rest);
            rows.push(std::mem::replace(&mut row, rest));
        }
        row.push(c);
        used += wide;
    }
    rows.push(row);
    rows
}

/// The same as lines from a column on.
pub fn lines(secret: &str, column: usize, room: Room) -> Vec<Line> {
    let rows = rows(secret, room.width.saturating_sub(column + 1));
    rows.iter().map(|row| Line::blank().at(column, row, Ink::Accent)).collect()
}

/// The page of the secret that is shown, and the last row it goes on to; nothing where it fits in under its field.
pub fn page(app: &App, room: Room) -> Option<(Vec<Line>, usize)> {
    let (name, secret, from) = app.shown()?;
    let fits = match &app.front {
        Front::Form(screen) => form::has_room(app, screen, room, secret),
        Front::Reapply(screen) => reapply::has_room(app, screen, room, secret),
        _ => return None,
    };
    if fits {
        return None;
    }
    let text = lines(secret, 2, room);
    let space = room.height.saturating_sub(2);
    let last = text.len().saturating_sub(space);
    let title = if name.item == "1" { name.field.clone() } else { format!("{}: {}", name.item, name.field) };
    let more = text.len().saturating_sub(from.min(last) + space);
    let right =
        if more > 0 { format!("{more} more rows below · gone after 10 s") } else { "gone after 10 s".to_owned() };
    let mut page = vec![Line::text(&title).right(&right, Ink::Plain), Line::blank()];
    page.extend(text.into_iter().skip(from.min(last)).take(space));
    Some((page, last))
}

#[cfg(test)]
mod tests {
    use super::rows;

    #[test]
    fn a_secret_loses_nothing_where_it_is_broken() {
        for (secret, cells) in [("{\"a\": 1,  \"bb\":   [1, 2, 3]} ", 9), ("ab日本語日本語cd", 5), ("x y", 40), ("", 7)]
        {
            let rows = rows(secret, cells);
            assert_eq!(rows.concat(), secret);
            assert!(rows.iter().all(|row| crate::tui::picture::width(row) <= cells), "{rows:?}");
        }
        assert_eq!(rows("{\"port\": 8080}", 9), ["{\"port\": ", "8080}"]);
        assert_eq!(rows("a\u{1b}[2Jb", 40), ["a␛[2Jb"]);
    }
}
