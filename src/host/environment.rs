//! The environment of a child program: what it needs to work and nothing that could lead it elsewhere.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;

use crate::ports::{PortError, PortErrorKind};

/// What is handed on from the caller as it is. Everything else, HELM_*, KUBE* and PG* above all, could point the child
/// at another target than the pinned one. The two of TLS name the certificates this machine trusts.
/// Proxies and the profile of a cloud decide how the pinned place is reached and who asks there, not which it is.
const HANDED_ON: [&str; 23] = [
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TZ",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "NO_PROXY",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "AWS_PROFILE",
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "CLOUDSDK_CONFIG",
    "CLOUDSDK_ACTIVE_CONFIG_NAME",
    "CLOUDSDK_CORE_ACCOUNT",
    "GOOGLE_APPLICATION_CREDENTIALS",
    "AZURE_CONFIG_DIR",
];

/// Set whatever the caller has: answers are read by us, so they have to be in plain English without colours; and `~/.kube/kuberc`
/// may not give kubectl other defaults or aliases, a namespace or a context among them.
const FIXED: [(&str, &str); 4] =
    [("KUBECTL_KUBERC", "false"), ("KUBERC", "off"), ("LANG", "C.UTF-8"), ("TERM", "dumb")];

/// No kubeconfig at all. Without it kubectl and helm would follow the current context of `~/.kube/config`.
const NO_CLUSTER: &str = "/dev/null";

/// The whole environment of a child: `caller` filtered, then the fixed part, then `added`, then the kubeconfig. A pinned
/// kubeconfig wins over one in `added`.
pub(super) fn build(
    caller: impl Fn(&str) -> Option<OsString>,
    added: &[(String, String)],
    kubeconfig: Option<&Path>,
) -> Result<BTreeMap<OsString, OsString>, PortError> {
    let mut all = BTreeMap::new();
    for name in HANDED_ON {
        if let Some(value) = caller(name) {
            all.insert(name.into(), value);
        }
    }
    for (name, value) in FIXED {
        all.insert(name.into(), value.into());
    }
    all.insert("KUBECONFIG".into(), NO_CLUSTER.into());
    for (name, value) in added {
        if name.is_empty() || name.contains(['=', '\0']) || value.contains('\0') {
            return Err(PortError::new(
                PortErrorKind::Invalid,
                "cannot build the environment of a program",
                format!("{name:?} cannot be a variable"),
            ));
        }
        all.insert(name.into(), value.into());
    }
    if let Some(path) = kubeconfig {
        all.insert("KUBECONFIG".into(), path.into());
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn caller(name: &str) -> Option<OsString> {
        ["PATH", "HOME", "LANG", "HELM_NAMESPACE", "KUBECONFIG", "PGPASSWORD"]
            .contains(&name)
            .then(|| format!("caller's {name}").into())
    }

    fn text(all: &BTreeMap<OsString, OsString>) -> Vec<String> {
        all.iter().map(|(k, v)| format!("{}={}", k.display(), v.display())).collect()
    }

    #[test]
    fn only_the_short_list_is_handed_on() {
        let all = build(caller, &[], None).unwrap();
        let expected = [
            "HOME=caller's HOME",
            "KUBECONFIG=/dev/null",
            "KUBECTL_KUBERC=false",
            "KUBERC=off",
            "LANG=C.UTF-8",
            "PATH=caller's PATH",
            "TERM=dumb",
        ];
        assert_eq!(text(&all), expected);
    }

    #[test]
    fn what_is_given_is_added_and_the_pinned_kubeconfig_wins() {
        let added = [("HELM_NAMESPACE".into(), "plant".into()), ("KUBECONFIG".into(), "/elsewhere".into())];
        let all = build(|_| None, &added, Some(Path::new("/private/kubeconfig"))).unwrap();
        let expected = [
            "HELM_NAMESPACE=plant",
            "KUBECONFIG=/private/kubeconfig",
            "KUBECTL_KUBERC=false",
            "KUBERC=off",
            "LANG=C.UTF-8",
            "TERM=dumb",
        ];
        assert_eq!(text(&all), expected);
        let all = build(|_| None, &added, None).unwrap();
        assert_eq!(all[&OsString::from("KUBECONFIG")], "/elsewhere");
    }

    #[test]
    fn impossible_variables_are_refused() {
        for (name, value) in [("", "x"), ("A=B", "x"), ("A\0", "x"), ("A", "x\0")] {
            let error = build(|_| None, &[(name.into(), value.into())], None).unwrap_err();
            assert_eq!(error.kind, PortErrorKind::Invalid, "{name:?}");
        }
    }
}
