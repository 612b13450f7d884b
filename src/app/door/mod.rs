//! Before a run: what there is, where it shall work, with which inputs. Nothing is begun here; `cli` does what was chosen.

mod home;
mod inputs;
mod shelf;
mod target;

use std::collections::BTreeMap;

pub use home::{Entry, HomeScreen};
pub use inputs::{InputAsk, InputsFocus, InputsScreen};
pub use shelf::{Context, Further, Procedure, Shelf, Unfinished};
pub use target::{Contact, Found, Seen, TargetFocus, TargetScreen};

use super::{Cmd, Key, Place, keymap, page::Page};

/// What was chosen for a new run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// What is to be done.
    pub procedure: Procedure,
    /// Context.
    pub context: String,
    /// Namespace.
    pub namespace: String,
    /// Whether it counts as PROD whatever its label says.
    pub prod: bool,
    /// Inputs.
    pub inputs: BTreeMap<String, String>,
}

/// What happens after the door.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Chosen {
    /// Nothing.
    Leave,
    /// This run is taken up again.
    Resume(String),
    /// The practice world.
    Practice,
    /// A new run.
    Begin(Box<Begin>),
    /// A new run that goes on from another one, on that one's target.
    GoOn(Box<Further>),
    /// The credential plugin of this context runs on the terminal; the door is opened again afterwards.
    LogIn(String),
}

/// What the door wants done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DoorEffect {
    /// See whether the server of this context answers, and which namespaces it has.
    Look(String),
    /// Read who a target is.
    Identify { procedure: Procedure, context: String, namespace: String },
    /// Check the inputs of this, on this machine and in the cluster.
    Check(Box<Begin>),
    /// Check this machine, and show what was found.
    Doctor,
    /// The door is left.
    Choose(Chosen),
    /// Paint everything again.
    Repaint,
    /// Put the program to sleep, as Ctrl-Z does.
    Suspend,
}

/// What happens to the door.
#[derive(Debug)]
pub enum DoorMsg {
    /// A key.
    Key(Key),
    /// Pasted text.
    Paste(String),
    /// A server answered, or why it did not.
    Contact { context: String, contact: Result<Contact, String> },
    /// A server does not know who asks, and the context has a plugin that could log in at a terminal.
    Unknown { context: String, why: String },
    /// A target was read, or why it could not be.
    Found { context: String, namespace: String, found: Result<Box<Found>, Vec<String>> },
    /// The inputs of what was asked as they will be used, or the faults by input.
    Checked { asked: Box<Begin>, checked: Result<BTreeMap<String, String>, BTreeMap<String, String>> },
    /// A page to show.
    Page(Page),
}

/// The screen in front.
#[derive(Debug)]
pub enum DoorScreen {
    /// S01.
    Home(HomeScreen),
    /// S02.
    Target(Box<TargetScreen>),
    /// What the runbook asks before its plan.
    Inputs(Box<InputsScreen>),
}

/// The model.
#[derive(Debug)]
pub struct Door {
    /// The screen in front.
    pub screen: DoorScreen,
    /// A page over it.
    pub page: Option<Page>,
    /// Something to tell until the next key.
    pub notice: Option<String>,
    /// What is there.
    pub shelf: Shelf,
    /// The target behind the inputs, as it was left.
    behind: Option<Box<TargetScreen>>,
    /// What was typed into the inputs of each procedure.
    typed: BTreeMap<Procedure, BTreeMap<String, String>>,
}

impl Door {
    /// The home screen.
    pub fn home(shelf: Shelf) -> Self {
        let screen = DoorScreen::Home(HomeScreen::new(&shelf));
        Self { screen, page: None, notice: None, shelf, behind: None, typed: BTreeMap::new() }
    }

    /// The choice of the target for a procedure.
    pub fn target(shelf: Shelf, procedure: Procedure) -> (Self, Vec<DoorEffect>) {
        let screen = TargetScreen::new(procedure, &shelf.contexts);
        let effects = screen.look();
        (Self { screen: DoorScreen::Target(Box::new(screen)), ..Self::home(shelf) }, effects)
    }

    /// What to look at when it is opened again.
    pub fn look(&self) -> Vec<DoorEffect> {
        match &self.screen {
            DoorScreen::Target(screen) => screen.look(),
            DoorScreen::Home(_) | DoorScreen::Inputs(_) => Vec::new(),
        }
    }

    /// Which keys hold now.
    pub fn place(&self) -> Place {
        match (&self.page, self.is_typing()) {
            (Some(_), _) => Place::Page,
            (None, true) => Place::Inputs,
            (None, false) => Place::Choosing,
        }
    }

    /// Whether a text has the focus.
    pub fn is_typing(&self) -> bool {
        self.page.is_none()
            && match &self.screen {
                DoorScreen::Home(_) => false,
                DoorScreen::Target(screen) => screen.is_typing(),
                DoorScreen::Inputs(screen) => screen.is_typing(),
            }
    }

    /// Takes one thing in.
    pub fn update(&mut self, msg: DoorMsg) -> Vec<DoorEffect> {
        match msg {
            DoorMsg::Key(key) => self.key(key),
            DoorMsg::Paste(text) => {
                if self.page.is_none() {
                    match &mut self.screen {
                        DoorScreen::Home(_) => {}
                        DoorScreen::Target(screen) => screen.paste(&text),
                        DoorScreen::Inputs(screen) => screen.paste(&text),
                    }
                }
                Vec::new()
            }
            DoorMsg::Contact { context, contact } => {
                if let DoorScreen::Target(screen) = &mut self.screen {
                    screen.contacted(&context, contact);
                }
                Vec::new()
            }
            DoorMsg::Unknown { context, why } => {
                if let DoorScreen::Target(screen) = &mut self.screen {
                    screen.unknown(&context, why);
                }
                Vec::new()
            }
            DoorMsg::Found { context, namespace, found } => {
                if let DoorScreen::Target(screen) = &mut self.screen {
                    screen.found(&context, &namespace, found);
                }
                Vec::new()
            }
            DoorMsg::Checked { asked, checked } => match &mut self.screen {
                DoorScreen::Inputs(screen) => screen.checked(&asked, checked),
                _ => Vec::new(),
            },
            DoorMsg::Page(page) => {
                self.notice = None;
                self.page = Some(page);
                Vec::new()
            }
        }
    }

    fn key(&mut self, key: Key) -> Vec<DoorEffect> {
        self.notice = None;
        let cmd = keymap::meaning(self.place(), key, self.is_typing());
        match (cmd, &mut self.page) {
            (Some(Cmd::Repaint), _) => return vec![DoorEffect::Repaint],
            (Some(Cmd::Suspend), _) => return vec![DoorEffect::Suspend],
            (Some(Cmd::Leave | Cmd::Drop), _) => return vec![DoorEffect::Choose(Chosen::Leave)],
            (Some(cmd), Some(page)) => {
                match cmd {
                    Cmd::Up => page.from = page.from.saturating_sub(1),
                    Cmd::Down => page.from = (page.from + 1).min(page.lines.len().saturating_sub(1)),
                    Cmd::Back | Cmd::Enter => self.page = None,
                    _ => {}
                }
                return Vec::new();
            }
            (None, Some(_)) => return Vec::new(),
            _ => {}
        }
        if cmd == Some(Cmd::Help) {
            self.page = Some(self.help());
            return Vec::new();
        }
        match (&mut self.screen, cmd) {
            (DoorScreen::Home(screen), Some(cmd)) => {
                let entry = screen.command(cmd, key);
                entry.map_or_else(Vec::new, |entry| self.open(&entry))
            }
            (DoorScreen::Target(screen), Some(Cmd::Back)) => {
                if screen.back() {
                    self.screen = DoorScreen::Home(HomeScreen::new(&self.shelf));
                }
                Vec::new()
            }
            (DoorScreen::Target(screen), Some(cmd)) => match screen.command(cmd, key) {
                target::Next::Stay(effects) => effects,
                target::Next::Tell(text) => {
                    self.notice = Some(text);
                    Vec::new()
                }
                target::Next::LogIn(context) => vec![DoorEffect::Choose(Chosen::LogIn(context))],
                target::Next::Home => {
                    self.screen = DoorScreen::Home(HomeScreen::new(&self.shelf));
                    Vec::new()
                }
                target::Next::Use(begin, environment, inputs) => {
                    let none = BTreeMap::new();
                    let typed = self.typed.get(&begin.procedure).unwrap_or(&none);
                    let inputs = DoorScreen::Inputs(Box::new(InputsScreen::new(*begin, environment, inputs, typed)));
                    if let DoorScreen::Target(target) = std::mem::replace(&mut self.screen, inputs) {
                        self.behind = Some(target);
                    }
                    Vec::new()
                }
            },
            (DoorScreen::Inputs(screen), Some(cmd)) if screen.leaves(cmd) => {
                let procedure = screen.begin.procedure.clone();
                self.typed.insert(procedure.clone(), screen.typed());
                let anew = || Box::new(TargetScreen::new(procedure, &self.shelf.contexts));
                let target = self.behind.take().unwrap_or_else(anew);
                let effects = target.look();
                self.screen = DoorScreen::Target(target);
                effects
            }
            (DoorScreen::Inputs(screen), Some(cmd)) => screen.command(cmd, key),
            (DoorScreen::Target(screen), None) => {
                // with the focus on a button a letter is nobody's
                if screen.is_typing() {
                    screen.edit(key);
                }
                Vec::new()
            }
            (DoorScreen::Inputs(screen), None) => {
                screen.edit(key);
                Vec::new()
            }
            (DoorScreen::Home(_), None) => Vec::new(),
        }
    }

    fn open(&mut self, entry: &Entry) -> Vec<DoorEffect> {
        match entry {
            Entry::Resume(id) => vec![DoorEffect::Choose(Chosen::Resume(id.clone()))],
            Entry::Practice => vec![DoorEffect::Choose(Chosen::Practice)],
            Entry::GoOn(further) => vec![DoorEffect::Choose(Chosen::GoOn(further.clone()))],
            Entry::Procedure { .. } if self.shelf.contexts.is_empty() => {
                self.page = Some(Page::new("There is no cluster to choose from", self.shelf.no_context.clone()));
                Vec::new()
            }
            Entry::Procedure { of, .. } => {
                let screen = TargetScreen::new(of.clone(), &self.shelf.contexts);
                let effects = screen.look();
                self.screen = DoorScreen::Target(Box::new(screen));
                effects
            }
            Entry::Vault => {
                let lines = [
                    &format!("The vault: {}.", self.shelf.vault),
                    "",
                    "Tokens and passwords that a run captures lie in one encrypted file here (age format).",
                    "In a shell:",
                    "  drydock vault list          names, lengths and checks; never a value",
                    "  drydock vault show NAME     one value, on a terminal only",
                    "  drydock vault passphrase    another passphrase",
                    "  drydock vault export FILE   a copy for another machine",
                ];
                let lines = lines.into_iter().map(str::to_owned).chain(self.added());
                self.page = Some(Page::new("The vault", lines.collect()));
                Vec::new()
            }
            Entry::Past => {
                let mut lines = self.shelf.past.clone();
                let shell = "In a shell: drydock show RUN · drydock logs RUN · drydock report RUN";
                lines.extend(["", shell].map(str::to_owned).into_iter().chain(self.added()));
                self.page = Some(Page::new("Runs that are over", lines));
                Vec::new()
            }
            Entry::Host => {
                self.notice = Some("This machine is checked …".to_owned());
                vec![DoorEffect::Doctor]
            }
        }
    }

    /// What belongs behind each command of a page, where that is anything.
    fn added(&self) -> Option<String> {
        let ending = self.shelf.typed.ending();
        (!ending.is_empty()).then(|| format!("Each with {ending}"))
    }

    fn help(&self) -> Page {
        let (title, text): (&str, &[&str]) = match &self.screen {
            DoorScreen::Home(_) => (
                "Home (S01)",
                &[
                    "Choose with the arrows or a number, then Enter. No cluster is changed before you approved a plan.",
                    "",
                    "Practice is the whole upgrade on a simulated cluster inside this program: nothing there is real.",
                ],
            ),
            DoorScreen::Target(_) => (
                "Choose the target (S02)",
                &[
                    "The context says which cluster, and as whom. It is looked at when you choose it; it is only read.",
                    "After two letters of a namespace those that fit are listed; Right takes the first one, Enter reads it.",
                    "The run is tied to three ids that the server itself says. They are read again before every change.",
                    "A namespace counts as PROD unless its label env says otherwise. You can raise it to PROD, never lower it.",
                ],
            ),
            DoorScreen::Inputs(_) => (
                "What the runbook asks",
                &[
                    "These values are part of the plan. A path is looked at here, on this machine.",
                    "The namespace for a rehearsal must be a new one: it is made, and removed again.",
                    "Where there are choices, Space takes the next one.",
                ],
            ),
        };
        let mut lines: Vec<String> = text.iter().map(|line| (*line).to_owned()).collect();
        lines.push(String::new());
        let keys = keymap::of(self.place()).map(|binding| format!("{:<10} {}", binding.shown, binding.label));
        lines.extend(keys);
        lines
            .extend(["Ctrl-L     paint again", "Ctrl-Z     suspend the screen", "Ctrl-C     leave"].map(str::to_owned));
        Page::new(title, lines)
    }
}
