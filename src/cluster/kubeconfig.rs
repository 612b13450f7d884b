//! Kubeconfigs: read as kubectl reads them, and reduced to one context.

use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use kube::config::{AuthInfo, Cluster, Kubeconfig, KubeconfigError, NamedAuthInfo};

use super::error::chain;
use crate::ports::{Acting, PortError, PortErrorKind};

/// Which way leads to a cluster, and as whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Route {
    /// A kubeconfig instead of that of KUBECONFIG or the home folder.
    pub kubeconfig: Option<PathBuf>,
    /// Name of a context; the current one without.
    pub context: Option<String>,
    /// Who is impersonated instead of whom the context names, if anybody.
    pub acting: Acting,
}

impl Route {
    /// By a context of the kubeconfig, as oneself.
    pub fn context(name: &str) -> Self {
        Self { context: Some(name.to_owned()), ..Self::default() }
    }
}

/// A context of the kubeconfig, without having contacted anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextInfo {
    /// Its name.
    pub name: String,
    /// Address of its server.
    pub server: String,
    /// Its default namespace.
    pub namespace: String,
    /// Whether the kubeconfig names it as the current one.
    pub current: bool,
}

/// Reads the kubeconfig as kubectl would: the file that was named, KUBECONFIG, else the home folder's.
pub(super) fn read(file: Option<&Path>) -> Result<Kubeconfig, PortError> {
    file.map_or_else(Kubeconfig::read, Kubeconfig::read_from)
        .map_err(|error| PortError::new(PortErrorKind::NotFound, "cannot read the kubeconfig", told(&error)))
}

/// Reads the text of a kubeconfig.
pub(super) fn parse(text: &str) -> Result<Kubeconfig, PortError> {
    Kubeconfig::from_yaml(text)
        .map_err(|error| PortError::new(PortErrorKind::Invalid, "cannot read the kubeconfig", told(&error)))
}

/// Why a kubeconfig cannot be read. The parser quotes what it stumbles over, which may be a token: only the place is told.
fn told(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(fault) = error else { return chain(error) };
    match fault.location() {
        Some(at) => format!("it is no YAML of a kubeconfig, at line {} column {}", at.line(), at.column()),
        None => "it is no YAML of a kubeconfig".to_owned(),
    }
}

/// The contexts of the kubeconfig: of this file, or of the usual place.
///
/// # Errors
/// `NotFound` if there is no kubeconfig, with where it was looked for.
pub fn contexts(file: Option<&Path>) -> Result<Vec<ContextInfo>, PortError> {
    let kubeconfig = read(file)?;
    let current = kubeconfig.current_context.clone().unwrap_or_default();
    let server = |cluster: &str| {
        let found = kubeconfig.clusters.iter().find(|c| c.name == cluster).and_then(|c| c.cluster.as_ref());
        found.and_then(|c| c.server.clone()).unwrap_or_default()
    };
    let info = |named: &kube::config::NamedContext| {
        let context = named.context.as_ref()?;
        Some(ContextInfo {
            name: named.name.clone(),
            server: server(&context.cluster),
            namespace: context.namespace.clone().unwrap_or_else(|| "default".to_owned()),
            current: named.name == current,
        })
    };
    Ok(kubeconfig.contexts.iter().filter_map(info).collect())
}

/// The kubeconfig with one context, its cluster and user, every file it names inlined, and whom it acts as.
pub(super) fn reduce(mut kubeconfig: Kubeconfig, name: &str, acting: &Acting) -> Result<Kubeconfig, PortError> {
    kubeconfig.contexts.retain(|c| c.name == name);
    let what = format!("cannot use context {name}");
    let Some(context) = kubeconfig.contexts.first().and_then(|c| c.context.clone()) else {
        return Err(PortError::new(PortErrorKind::NotFound, what, "the kubeconfig has no such context"));
    };
    kubeconfig.clusters.retain(|c| c.name == context.cluster);
    kubeconfig.auth_infos.retain(|a| Some(&a.name) == context.user.as_ref());
    kubeconfig.current_context = Some(name.to_owned());
    kubeconfig.extensions = None;
    kubeconfig.preferences = None;
    let load = |path: &mut Option<String>| -> Result<Option<Vec<u8>>, PortError> {
        let Some(path) = path.take() else { return Ok(None) };
        let read = std::fs::read(PathBuf::from(&path));
        read.map(Some).map_err(|error| PortError::new(PortErrorKind::Io, what.clone(), format!("{path}: {error}")))
    };
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|c| c.cluster.as_mut()) {
        if let Some(bytes) = load(&mut cluster.certificate_authority)? {
            cluster.certificate_authority_data = Some(STANDARD.encode(bytes));
        }
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|a| a.auth_info.as_mut()) {
        if let Some(bytes) = load(&mut user.client_certificate)? {
            user.client_certificate_data = Some(STANDARD.encode(bytes));
        }
        if let Some(bytes) = load(&mut user.client_key)? {
            user.client_key_data = Some(STANDARD.encode(bytes).into());
        }
        if user.auth_provider.as_ref().is_some_and(|provider| provider.config.contains_key("cmd-path")) {
            let detail = "its user's auth-provider starts a program, which Kubernetes gave up in 1.26; an exec plugin is the way now";
            return Err(PortError::new(PortErrorKind::Unsupported, what.clone(), detail));
        }
    }
    if acting.is_oneself() || *acting == self::acting(&kubeconfig) {
        return Ok(kubeconfig);
    }
    let user = user_of(&mut kubeconfig);
    user.impersonate = Some(acting.user.clone());
    user.impersonate_groups = (!acting.groups.is_empty()).then(|| acting.groups.clone());
    (user.impersonate_uid, user.impersonate_user_extra) = (None, None);
    Ok(kubeconfig)
}

/// The user of a reduced kubeconfig; a context may name none.
fn user_of(kubeconfig: &mut Kubeconfig) -> &mut AuthInfo {
    if kubeconfig.auth_infos.is_empty() {
        let named = NamedAuthInfo { name: "nobody".to_owned(), ..NamedAuthInfo::default() };
        for context in kubeconfig.contexts.iter_mut().filter_map(|c| c.context.as_mut()) {
            context.user = Some(named.name.clone());
        }
        kubeconfig.auth_infos.push(named);
    }
    kubeconfig.auth_infos[0].auth_info.get_or_insert_default()
}

/// The cluster of a reduced kubeconfig.
pub(super) fn cluster(kubeconfig: &Kubeconfig) -> Option<&Cluster> {
    kubeconfig.clusters.first().and_then(|c| c.cluster.as_ref())
}

/// Whom a reduced kubeconfig acts as.
pub(super) fn acting(kubeconfig: &Kubeconfig) -> Acting {
    let user = kubeconfig.auth_infos.first().and_then(|a| a.auth_info.as_ref());
    let Some((user, name)) = user.and_then(|user| Some((user, user.impersonate.clone()?))) else {
        return Acting::default();
    };
    Acting { user: name, groups: user.impersonate_groups.clone().unwrap_or_default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"{"apiVersion": "v1", "kind": "Config", "current-context": "a",
        "contexts": [{"name": "a", "context": {"cluster": "k", "user": "u"}}, {"name": "b", "context": {"cluster": "k", "user": null}}],
        "clusters": [{"name": "k", "cluster": {"server": "https://k"}}],
        "users": [{"name": "u", "user": {"token": "t", "as": "anna", "as-groups": ["ops"], "as-uid": "7"}}]}"#;

    #[test]
    fn whom_a_context_acts_as_is_its_own_word_or_the_callers() {
        let reduced = |context, acting: &Acting| reduce(parse(TEXT).unwrap(), context, acting).unwrap();
        let bob = Acting { user: "bob".into(), groups: vec!["dba".into()] };
        let own = reduced("a", &Acting::default());
        assert_eq!(acting(&own).to_string(), "anna (group ops)");
        assert_eq!(acting(&reduced("b", &Acting::default())), Acting::default());
        for context in ["a", "b"] {
            assert_eq!(acting(&reduced(context, &bob)), bob);
        }
        let uid =
            |kubeconfig: &Kubeconfig| kubeconfig.auth_infos[0].auth_info.as_ref().unwrap().impersonate_uid.clone();
        // another user has another uid; for the same one it stays
        assert_eq!(uid(&reduced("a", &bob)), None);
        assert_eq!(uid(&reduced("a", &acting(&own))), Some("7".to_owned()));
    }
}
