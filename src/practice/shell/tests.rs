//! Tests of the simulated shell.

use super::words::parse;

#[test]
fn what_is_no_simple_command_is_refused() {
    for text in ["for x in 1; do echo; done", "echo $(date)", "(echo)", "echo `x`", "sleep 1 &", "echo 'x"] {
        assert!(parse(text).is_err(), "{text}");
    }
    assert_eq!(parse("A=1 psql -c \"\\\\copy x\" < /in 2>&1 | head -1; echo $? && true").unwrap().len(), 3);
}
