//! Credential plugins where there is a terminal: `login` gives it to them, and nothing else does.

use portable_pty::CommandBuilder;

use crate::{Place, gives, pty::Pty};

pub fn at_terminal(place: &Place, args: &[&str]) -> Pty {
    let mut command = CommandBuilder::new(crate::pty::PROGRAM);
    command.args(args);
    for name in crate::PROXIES {
        command.env_remove(name);
    }
    command.env("DRYDOCK_STATE_DIR", place.folder.path().join("state"));
    command.env("KUBECONFIG", place.laid());
    command.env("TERM", "xterm-256color");
    Pty::start(command, 100, 30)
}

/// Asks for a code as a person is asked, and gives the token for it.
fn asking() -> String {
    let good = gives("$TOKEN", r#","expirationTimestamp":"2999-01-01T00:00:00Z""#);
    format!(
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > info\nprintf 'code from your phone: ' >&2\nread -r code\n[ \"$code\" = 4711 ] || exit 5\n{good}"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn login_lets_it_ask_at_the_terminal_and_says_who_that_is() {
    for mode in ["IfAvailable", "Always"] {
        let mut place = Place::new().await;
        place.plug(Some(mode), &asking());
        let mut terminal = at_terminal(&place, &["login"]);
        terminal.wait_for("code from your phone:");
        terminal.line("4711");
        terminal.wait_for("You are practice there");
        terminal.wait_for("Logged in until 2999-01-01T00:00:00Z");
        let only_here = terminal.screen().contains("This login ends with this command");
        assert_eq!(only_here, mode == "Always", "{}", terminal.screen());
        assert!(terminal.ends().success());
        assert!(place.noted("info").contains("\"interactive\":true"));
        // asked once, for two requests
        assert_eq!(place.runs(), 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn outside_login_it_has_no_terminal_whatever_it_opens() {
    let mut place = Place::new().await;
    let body = format!(
        "if (printf 'CANARY-TO-TTY' > /dev/tty) 2> /dev/null; then echo has > tty; else echo none > tty; fi\n\
         echo CANARY-TO-STDERR >&2\nread -r code && echo read > tty\n{}",
        gives("$TOKEN", "")
    );
    place.plug(Some("IfAvailable"), &body);
    let mut terminal = at_terminal(&place, &["doctor"]);
    terminal.wait_for("answers in");
    terminal.ends();
    assert_eq!(place.noted("tty").trim(), "none");
    assert!(!String::from_utf8_lossy(&terminal.raw()).contains("CANARY"), "{}", terminal.screen());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_of_a_target_leaves_its_screen_for_a_login_and_comes_back() {
    for mode in ["IfAvailable", "Always"] {
        let mut place = Place::new().await;
        let only_in_front = format!(
            "case $KUBERNETES_EXEC_INFO in *'\"interactive\":true'*) ;; *) echo 'log in first' >&2; exit 4;; esac\n{}",
            asking()
        );
        place.plug(Some(mode), &only_in_front);
        let mut terminal = at_terminal(&place, &["start"]);
        terminal.wait_for("Enter here logs in: plugin-of-plant runs on this terminal");
        terminal.keys("<Enter>");
        terminal.wait_for("code from your phone:");
        assert!(terminal.is_given_back());
        terminal.line("0815");
        // the wrong code: the choice is there again, and says so
        terminal.wait_for("Where does this run work?");
        terminal.wait_for("Enter here logs in");
        terminal.keys("<Enter>");
        terminal.wait_for("code from your phone:");
        terminal.line("4711");
        terminal.wait_for("answers in");
        // what it gave holds for the questions that follow
        terminal.keys("<Enter>plant<Enter>");
        terminal.wait_for("The run will be tied to these, read from the server itself");
        terminal.keys("<Ctrl-C>");
        terminal.ends();
        assert!(terminal.is_given_back());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_choice_of_a_target_keeps_its_screen_when_a_plugin_fails() {
    let mut place = Place::new().await;
    place.plug(Some("IfAvailable"), "(printf CANARY > /dev/tty) 2> /dev/null\necho 'ask your admin' >&2\nexit 1");
    let mut terminal = at_terminal(&place, &["start"]);
    terminal.wait_for("ask your admin");
    assert!(!String::from_utf8_lossy(&terminal.raw()).contains("CANARY"), "{}", terminal.screen());
    terminal.keys("<Ctrl-C>");
    terminal.ends();
    assert!(terminal.is_given_back());
}
