//! Who works here: the one name that records carry, the same over real and simulated machines.

/// Name of the operator (login name), for records.
pub fn operator() -> String {
    // a machine without local accounts has the environment
    let accounts = std::fs::read("/etc/passwd").unwrap_or_default();
    let uid = rustix::process::getuid().as_raw();
    named(uid, &String::from_utf8_lossy(&accounts), |name| std::env::var(name).ok())
}

/// Who works here: the name of `uid` in `passwd` (text of /etc/passwd), else what the environment says, else the number;
/// behind sudo, the human's name with it.
fn named(uid: u32, passwd: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let variable = |name| variable(name).filter(|value| !value.is_empty());
    let listed = passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid.to_string()).then(|| name.to_owned())
    });
    let account =
        listed.or_else(|| variable("LOGNAME")).or_else(|| variable("USER")).unwrap_or_else(|| format!("uid {uid}"));
    match variable("SUDO_USER").filter(|human| uid == 0 && *human != account) {
        Some(human) => format!("{human} (as {account})"),
        None => account,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_is_named_by_what_is_known() {
        const PASSWD: &str = "root:x:0:0::/root:/bin/sh\nanna:x:1000:1000::/home/anna:/bin/sh\n";
        let none = |_: &str| None;
        let set = |name: &str| ["SUDO_USER", "USER"].contains(&name).then(|| "berta".to_owned());
        assert_eq!(named(1000, PASSWD, set), "anna");
        assert_eq!(named(7, PASSWD, set), "berta");
        assert_eq!(named(7, PASSWD, none), "uid 7");
        assert_eq!(named(0, PASSWD, none), "root");
        assert_eq!(named(0, PASSWD, set), "berta (as root)");
    }
}
