//! What the footer says of Enter while a button has the focus, and how much of a running step is said to be done.

use drydock::run::Progress;

use crate::{
    scenes::scene,
    telling,
    wizard::{COLOUR, Wizard},
};

#[test]
fn the_footer_says_what_enter_does_on_a_button() {
    for name in
        ["s04-vault-create", "s04-vault-unlock", "s05-environment", "s05-lns-list", "s09-gate-ready", "s09-gate-shut"]
    {
        let mut wizard = scene(name);
        let mut seen = 0;
        for _ in 0..12 {
            let frame = wizard.frame(80, 24, COLOUR);
            if frame.contains("[› ") {
                seen += 1;
                assert!(frame.contains("Enter do it"), "{name}: {frame}");
            }
            wizard.keys("<Tab>");
        }
        assert!(seen > 1, "{name}: no button had the focus");
    }
}

#[test]
fn a_running_step_is_never_said_to_be_done() {
    let mut wizard = Wizard::within("dump");
    wizard.progress(Progress { bar: Some((10, 10)), ..telling::dumping() });
    for (columns, rows) in [(80, 24), (120, 40)] {
        let frame = wizard.frame(columns, rows, COLOUR);
        assert!(frame.contains(" 99 %") && !frame.contains("100 %"), "{frame}");
    }
}
