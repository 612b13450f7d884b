//! The one table of keys: footer, help and palette are made from it.

use super::Key;

/// Where keys mean something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Plan,
    PlanButtons,
    Vault,
    VaultButtons,
    FormList,
    FormButtons,
    FormField,
    Checks,
    Running,
    Waiting,
    GateShut,
    GateTyping,
    GateButtons,
    Choices,
    Reapply,
    Finish,
    Leave,
    Unlock,
    Secret,
    Help,
    Page,
    Log,
    Palette,
    Choosing,
    Inputs,
    Everywhere,
}

/// What a key means. The screen in front decides what that does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cmd {
    Back,
    Enter,
    Next,
    Previous,
    Left,
    Right,
    Up,
    Down,
    PageUp,
    PageDown,
    First,
    Last,
    Number,
    Space,
    Help,
    Palette,
    Why,
    Evidence,
    Log,
    Overview,
    Again,
    Pause,
    Leave,
    Search,
    SearchNext,
    SearchPrevious,
    ShowAll,
    ShowSecret,
    Add,
    None,
    Take,
    TakeLive,
    Repaint,
    Suspend,
    Drop,
    Plain,
    Save,
    Report,
}

/// A key in a place.
pub struct Binding {
    /// The place.
    pub place: Place,
    /// The keys.
    pub keys: &'static [Key],
    /// How the keys are written.
    pub shown: &'static str,
    /// What it does, in the footer and in help; in the palette with the place's title.
    pub label: &'static str,
    /// Its meaning.
    pub cmd: Cmd,
    /// Whether the footer names it.
    pub footer: bool,
}

const fn bind(
    place: Place,
    keys: &'static [Key],
    shown: &'static str,
    label: &'static str,
    cmd: Cmd,
    footer: bool,
) -> Binding {
    Binding { place, keys, shown, label, cmd, footer }
}

const UP: &[Key] = &[Key::Up];
const ENTER: &[Key] = &[Key::Enter];
const HELP: &[Key] = &[Key::Char('?'), Key::F(1)];
const DIGITS: &[Key] = &[
    Key::Char('1'),
    Key::Char('2'),
    Key::Char('3'),
    Key::Char('4'),
    Key::Char('5'),
    Key::Char('6'),
    Key::Char('7'),
    Key::Char('8'),
    Key::Char('9'),
];

/// The table. The first that fits wins; a place's own come before those of everywhere.
pub const BINDINGS: &[Binding] = &[
    bind(Place::Choosing, UP, "↑↓", "choose", Cmd::Up, true),
    bind(Place::Choosing, DIGITS, "1-9", "choose", Cmd::Number, false),
    bind(Place::Choosing, ENTER, "Enter", "use it", Cmd::Enter, true),
    bind(Place::Choosing, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Choosing, &[Key::Char('q')], "q", "leave", Cmd::Leave, true),
    bind(Place::Inputs, ENTER, "Enter", "go on", Cmd::Enter, true),
    bind(Place::Inputs, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::Inputs, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::Plan, UP, "↑↓", "phase", Cmd::Up, true),
    bind(Place::Plan, ENTER, "Enter", "its steps", Cmd::Enter, true),
    bind(Place::Plan, &[Key::Tab], "Tab", "to the buttons", Cmd::Next, true),
    bind(Place::Plan, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::Plan, HELP, "?", "help", Cmd::Help, true),
    bind(Place::PlanButtons, &[Key::Left], "←", "button", Cmd::Left, false),
    bind(Place::PlanButtons, &[Key::Right], "→", "button", Cmd::Right, false),
    bind(Place::PlanButtons, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::PlanButtons, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::PlanButtons, UP, "↑↓", "phases", Cmd::Up, true),
    bind(Place::PlanButtons, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::PlanButtons, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Vault, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::Vault, &[Key::Ctrl('r')], "Ctrl-R", "show 10 s", Cmd::ShowSecret, true),
    bind(Place::Vault, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::Vault, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::Vault, ENTER, "Enter", "next, or the button", Cmd::Enter, false),
    bind(Place::VaultButtons, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::VaultButtons, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::VaultButtons, &[Key::Ctrl('r')], "Ctrl-R", "show 10 s", Cmd::ShowSecret, true),
    bind(Place::VaultButtons, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::VaultButtons, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::FormList, UP, "↑↓", "list", Cmd::Up, true),
    bind(Place::FormList, ENTER, "Enter", "edit, confirm", Cmd::Enter, true),
    bind(Place::FormList, &[Key::Char('t')], "t", "take over", Cmd::TakeLive, true),
    bind(Place::FormList, &[Key::Char('a')], "a", "add one by hand", Cmd::Add, true),
    bind(Place::FormList, &[Key::Char('n')], "n", "none, because…", Cmd::None, false),
    bind(Place::FormList, &[Key::Char('x')], "x", "take out of the list", Cmd::Take, false),
    bind(Place::FormList, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::FormList, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::FormList, HELP, "?", "help", Cmd::Help, true),
    bind(Place::FormButtons, UP, "↑↓", "list", Cmd::Up, true),
    bind(Place::FormButtons, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::FormButtons, &[Key::Char('t')], "t", "take over", Cmd::TakeLive, true),
    bind(Place::FormButtons, &[Key::Char('a')], "a", "add one by hand", Cmd::Add, true),
    bind(Place::FormButtons, &[Key::Char('n')], "n", "none, because…", Cmd::None, false),
    bind(Place::FormButtons, &[Key::Char('x')], "x", "take out of the list", Cmd::Take, false),
    bind(Place::FormButtons, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::FormButtons, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::FormButtons, HELP, "?", "help", Cmd::Help, true),
    bind(Place::FormField, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::FormField, UP, "↑", "list", Cmd::Up, true),
    bind(Place::FormField, ENTER, "Enter", "next", Cmd::Enter, false),
    bind(Place::FormField, &[Key::Ctrl('r')], "Ctrl-R", "show 10 s", Cmd::ShowSecret, true),
    bind(Place::FormField, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::FormField, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::Checks, UP, "↑↓", "check", Cmd::Up, true),
    bind(Place::Checks, ENTER, "Enter", "details", Cmd::Enter, true),
    bind(Place::Checks, &[Key::Char(' ')], "Space", "seen", Cmd::Space, true),
    bind(Place::Checks, &[Key::Char('r')], "r", "run again", Cmd::Again, true),
    bind(Place::Checks, &[Key::Char('a')], "a", "all", Cmd::ShowAll, true),
    bind(Place::Checks, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Running, &[Key::Char('p')], "p", "pause after this", Cmd::Pause, true),
    bind(Place::Running, &[Key::Char('l')], "l", "log", Cmd::Log, true),
    bind(Place::Running, &[Key::Char('/')], "/", "search", Cmd::Search, true),
    bind(Place::Running, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::Running, &[Key::Char('e')], "e", "command", Cmd::Evidence, true),
    bind(Place::Running, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Running, &[Key::Char(' ')], "Space", "stop or follow the log", Cmd::Space, false),
    bind(Place::Running, UP, "↑", "into the log", Cmd::Up, false),
    bind(Place::Waiting, DIGITS, "1-9", "choose", Cmd::Number, true),
    bind(Place::Waiting, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::Waiting, &[Key::Char('p')], "p", "pause after this", Cmd::Pause, true),
    bind(Place::Waiting, &[Key::Char('l')], "l", "log", Cmd::Log, true),
    bind(Place::Waiting, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::Waiting, &[Key::Char('e')], "e", "command", Cmd::Evidence, false),
    bind(Place::Waiting, &[Key::Char('/')], "/", "search the log", Cmd::Search, false),
    bind(Place::Waiting, HELP, "?", "help", Cmd::Help, true),
    bind(Place::GateShut, UP, "↑↓", "lock", Cmd::Up, true),
    bind(Place::GateShut, &[Key::Char('r')], "r", "look again", Cmd::Again, true),
    bind(Place::GateShut, ENTER, "Enter", "details", Cmd::Enter, true),
    bind(Place::GateShut, &[Key::Char('e')], "e", "evidence", Cmd::Evidence, true),
    bind(Place::GateShut, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::GateShut, HELP, "?", "help", Cmd::Help, true),
    bind(Place::GateTyping, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    // not Ctrl-A: that is the begin of the line, and the key of tmux and screen
    bind(Place::GateTyping, &[Key::Ctrl('o')], "Ctrl-O", "all objects", Cmd::ShowAll, true),
    bind(Place::GateTyping, &[Key::Char('a')], "a", "all objects", Cmd::ShowAll, false),
    bind(Place::GateTyping, &[Key::Char('e')], "e", "commands", Cmd::Evidence, true),
    bind(Place::GateTyping, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::GateTyping, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::GateTyping, ENTER, "Enter", "next, or the button", Cmd::Enter, false),
    bind(Place::GateButtons, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::GateButtons, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::GateButtons, &[Key::Ctrl('o')], "Ctrl-O", "all objects", Cmd::ShowAll, true),
    bind(Place::GateButtons, &[Key::Char('a')], "a", "all objects", Cmd::ShowAll, false),
    bind(Place::GateButtons, &[Key::Char('e')], "e", "commands", Cmd::Evidence, true),
    bind(Place::GateButtons, &[Key::F(1)], "F1", "help", Cmd::Help, true),
    bind(Place::GateButtons, &[Key::Esc], "Esc", "back", Cmd::Back, true),
    bind(Place::Choices, DIGITS, "1-9", "choose", Cmd::Number, true),
    bind(Place::Choices, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::Choices, &[Key::Char('e')], "e", "evidence", Cmd::Evidence, true),
    bind(Place::Choices, &[Key::Char('l')], "l", "log", Cmd::Log, true),
    bind(Place::Choices, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::Choices, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Reapply, UP, "↑↓", "item", Cmd::Up, true),
    bind(Place::Reapply, ENTER, "Enter", "the button", Cmd::Enter, true),
    bind(Place::Reapply, &[Key::Tab], "Tab", "buttons", Cmd::Next, true),
    bind(Place::Reapply, &[Key::Ctrl('r')], "Ctrl-R", "show 10 s", Cmd::ShowSecret, true),
    bind(Place::Reapply, &[Key::Char('w')], "w", "why", Cmd::Why, true),
    bind(Place::Reapply, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Finish, DIGITS, "1-9", "choose", Cmd::Number, true),
    bind(Place::Finish, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::Finish, &[Key::Char('e')], "e", "evidence", Cmd::Evidence, true),
    bind(Place::Finish, &[Key::Char('o')], "o", "all timings", Cmd::Overview, true),
    bind(Place::Finish, HELP, "?", "help", Cmd::Help, true),
    bind(Place::Finish, &[Key::Char('q')], "q", "leave", Cmd::Leave, true),
    bind(Place::Leave, DIGITS, "1-9", "choose", Cmd::Number, true),
    bind(Place::Leave, ENTER, "Enter", "do it", Cmd::Enter, true),
    bind(Place::Leave, &[Key::Esc], "Esc", "stay", Cmd::Back, true),
    bind(Place::Unlock, &[Key::Tab], "Tab", "next", Cmd::Next, true),
    bind(Place::Unlock, ENTER, "Enter", "unlock, or the button", Cmd::Enter, true),
    bind(Place::Unlock, &[Key::Esc], "Esc", "stay locked", Cmd::Back, true),
    bind(Place::Secret, &[Key::Ctrl('r')], "Ctrl-R", "the rest", Cmd::ShowSecret, true),
    bind(Place::Secret, &[Key::Esc], "Esc", "or any key hides it", Cmd::Back, true),
    bind(Place::Help, UP, "↑↓", "scroll", Cmd::Up, true),
    bind(Place::Help, &[Key::Esc], "Esc", "close", Cmd::Back, true),
    bind(Place::Help, ENTER, "Enter", "close", Cmd::Back, false),
    bind(Place::Page, UP, "↑↓", "scroll", Cmd::Up, true),
    bind(Place::Page, &[Key::Char('s')], "s", "save to a file", Cmd::Save, true),
    bind(Place::Page, &[Key::Esc], "Esc", "close", Cmd::Back, true),
    bind(Place::Page, ENTER, "Enter", "close", Cmd::Back, false),
    bind(Place::Log, UP, "↑↓", "scroll", Cmd::Up, true),
    bind(Place::Log, &[Key::Char('/')], "/", "search", Cmd::Search, true),
    bind(Place::Log, &[Key::Char('n')], "n", "older match", Cmd::SearchNext, true),
    bind(Place::Log, &[Key::Char('N')], "N", "newer match", Cmd::SearchPrevious, false),
    bind(Place::Log, &[Key::Char(' ')], "Space", "stop or follow", Cmd::Space, true),
    bind(Place::Log, &[Key::Char('s')], "s", "save to a file", Cmd::Save, true),
    bind(Place::Log, &[Key::Esc], "Esc", "close", Cmd::Back, true),
    bind(Place::Palette, UP, "↑↓", "choose", Cmd::Up, true),
    bind(Place::Palette, ENTER, "Enter", "go", Cmd::Enter, true),
    bind(Place::Palette, &[Key::Esc], "Esc", "close", Cmd::Back, true),
    bind(Place::Everywhere, &[Key::Esc], "Esc", "back one level, keeps what is typed", Cmd::Back, false),
    bind(Place::Everywhere, ENTER, "Enter", "do the focused thing", Cmd::Enter, false),
    bind(Place::Everywhere, &[Key::Tab], "Tab", "next", Cmd::Next, false),
    bind(Place::Everywhere, &[Key::BackTab], "Shift-Tab", "previous", Cmd::Previous, false),
    bind(Place::Everywhere, &[Key::Up, Key::Char('k')], "↑ k", "up", Cmd::Up, false),
    bind(Place::Everywhere, &[Key::Down, Key::Char('j')], "↓ j", "down", Cmd::Down, false),
    bind(Place::Everywhere, &[Key::PageUp], "PgUp", "a page up", Cmd::PageUp, false),
    bind(Place::Everywhere, &[Key::PageDown], "PgDn", "a page down", Cmd::PageDown, false),
    bind(Place::Everywhere, &[Key::Home], "Home", "to the first", Cmd::First, false),
    bind(Place::Everywhere, &[Key::End], "End", "to the last", Cmd::Last, false),
    bind(Place::Everywhere, DIGITS, "1-9", "select that option; Enter acts", Cmd::Number, false),
    bind(Place::Everywhere, &[Key::Char(' ')], "Space", "tick", Cmd::Space, false),
    bind(Place::Everywhere, HELP, "? F1", "help for this screen", Cmd::Help, false),
    bind(Place::Everywhere, &[Key::Char(':'), Key::Ctrl('p')], ": Ctrl-P", "all commands by name", Cmd::Palette, false),
    bind(Place::Everywhere, &[Key::Char('w')], "w", "why, risk and undo of this step", Cmd::Why, false),
    bind(Place::Everywhere, &[Key::Char('e')], "e", "exact commands and evidence", Cmd::Evidence, false),
    bind(Place::Everywhere, &[Key::Char('l')], "l", "log, full screen", Cmd::Log, false),
    bind(Place::Everywhere, &[Key::Char('o')], "o", "overview of the plan", Cmd::Overview, false),
    bind(Place::Everywhere, &[Key::Char('r')], "r", "check again, read again", Cmd::Again, false),
    bind(Place::Everywhere, &[Key::Char('p')], "p", "pause at the next safe point", Cmd::Pause, false),
    bind(Place::Everywhere, &[Key::Char('q'), Key::Ctrl('c')], "q Ctrl-C", "leave", Cmd::Leave, false),
    bind(Place::Everywhere, &[Key::Ctrl('l')], "Ctrl-L", "paint again", Cmd::Repaint, false),
    bind(Place::Everywhere, &[Key::Ctrl('t')], "Ctrl-T", "plain text mode", Cmd::Plain, false),
    bind(Place::Everywhere, &[Key::Ctrl('z')], "Ctrl-Z", "suspend the screen", Cmd::Suspend, false),
    bind(Place::Everywhere, &[Key::Ctrl('\\')], "Ctrl-\\", "drop the screen now", Cmd::Drop, false),
];

/// The meaning of a key in a place. While a text has the focus, characters are text.
pub fn meaning(place: Place, key: Key, typing: bool) -> Option<Cmd> {
    if typing && matches!(key, Key::Char(_)) {
        return None;
    }
    let fits = |wanted: Place| BINDINGS.iter().find(|binding| binding.place == wanted && binding.keys.contains(&key));
    fits(place).or_else(|| fits(Place::Everywhere)).map(|binding| binding.cmd)
}

/// The keys of a place, for its footer.
pub fn footer(place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.place == place && binding.footer)
}

/// The keys of a place, for its help.
pub fn of(place: Place) -> impl Iterator<Item = &'static Binding> {
    BINDINGS.iter().filter(move |binding| binding.place == place)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACES: [Place; 25] = [
        Place::Plan,
        Place::PlanButtons,
        Place::Vault,
        Place::VaultButtons,
        Place::FormList,
        Place::FormButtons,
        Place::FormField,
        Place::Checks,
        Place::Running,
        Place::Waiting,
        Place::GateShut,
        Place::GateTyping,
        Place::GateButtons,
        Place::Choices,
        Place::Reapply,
        Place::Finish,
        Place::Leave,
        Place::Unlock,
        Place::Secret,
        Place::Help,
        Place::Page,
        Place::Log,
        Place::Palette,
        Place::Choosing,
        Place::Inputs,
    ];

    #[test]
    fn footers_are_short_and_their_keys_mean_what_they_say() {
        for place in PLACES {
            let bindings: Vec<_> = footer(place).collect();
            assert!((2..=7).contains(&bindings.len()), "{place:?}");
            for binding in bindings {
                assert_eq!(meaning(place, binding.keys[0], false), Some(binding.cmd), "{place:?} {}", binding.shown);
            }
        }
    }

    #[test]
    fn no_key_needs_alt_and_typing_keeps_characters() {
        assert_eq!(meaning(Place::GateTyping, Key::Char('q'), true), None);
        assert_eq!(meaning(Place::GateTyping, Key::Ctrl('c'), true), Some(Cmd::Leave));
        assert_eq!(meaning(Place::Running, Key::Char('q'), false), Some(Cmd::Leave));
    }
}
