//! From a kubeconfig to one frozen connection.

use std::{future::Future, path::PathBuf, sync::Arc, time::Duration};

use http::Request;
use kube::{
    Client, Config,
    config::{ExecInteractiveMode, KubeConfigOptions, Kubeconfig, KubeconfigError},
};
use serde_json::Value;

use super::error::{chain, translate};
use crate::ports::{PortError, PortErrorKind};

/// Longest wait for the answer of one request.
const PATIENCE: Duration = Duration::from_secs(30);

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

/// Reads the kubeconfig as kubectl would: KUBECONFIG, else the home folder's.
fn read() -> Result<Kubeconfig, PortError> {
    Kubeconfig::read()
        .map_err(|error| PortError::new(PortErrorKind::NotFound, "cannot read the kubeconfig", told(&error)))
}

/// Why a kubeconfig cannot be read. The parser quotes what it stumbles over, which may be a token: only the place is told.
fn told(error: &KubeconfigError) -> String {
    let KubeconfigError::Parse(fault) = error else { return chain(error) };
    match fault.location() {
        Some(at) => format!("it is no YAML of a kubeconfig, at line {} column {}", at.line(), at.column()),
        None => "it is no YAML of a kubeconfig".to_owned(),
    }
}

/// The contexts of the kubeconfig.
///
/// # Errors
/// `NotFound` if there is no kubeconfig, with where it was looked for.
pub fn contexts() -> Result<Vec<ContextInfo>, PortError> {
    let kubeconfig = read()?;
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

/// One connection to one cluster, as one user. Frozen: a later change of the kubeconfig changes nothing here.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    /// The kubeconfig reduced to this context, files inlined.
    pub(super) pinned: Arc<Kubeconfig>,
    /// PEM of the CA in use, where the context names one.
    pub(super) ca: Option<String>,
    /// Name of the context.
    pub context: String,
}

impl Cluster {
    /// Connects through a context of the kubeconfig; without a name, its current one. Nothing is contacted yet.
    ///
    /// # Errors
    /// `NotFound` for an unknown context, with the known ones; `Invalid` for a context that cannot be used.
    pub async fn connect(context: Option<&str>) -> Result<Self, PortError> {
        let kubeconfig = read()?;
        let Some(name) = context.map(str::to_owned).or_else(|| kubeconfig.current_context.clone()) else {
            return Err(PortError::new(
                PortErrorKind::NotFound,
                "cannot choose a context",
                "the kubeconfig names no current context; use --context",
            ));
        };
        if !kubeconfig.contexts.iter().any(|c| c.name == name) {
            let known: Vec<&str> = kubeconfig.contexts.iter().map(|c| c.name.as_str()).collect();
            let said = format!("the kubeconfig has no such context; it has {}", known.join(", "));
            return Err(PortError::new(PortErrorKind::NotFound, format!("cannot use context {name}"), said));
        }
        Self::from_kubeconfig(reduce(kubeconfig, &name)?, &name).await
    }

    /// Connects through a kubeconfig with only this context.
    pub(crate) async fn from_kubeconfig(pinned: Kubeconfig, name: &str) -> Result<Self, PortError> {
        let options = KubeConfigOptions { context: Some(name.to_owned()), ..KubeConfigOptions::default() };
        let what = || format!("cannot use context {name}");
        let mut config = Config::from_custom_kubeconfig(pinned.clone(), &options)
            .await
            .map_err(|error| PortError::new(PortErrorKind::Invalid, what(), chain(&error)))?;
        // the library would send again whatever was answered with 429, 503 or 504, changes too, and for minutes: who asks
        // here decides what may be asked twice
        config.default_retry = false;
        let ca = pinned
            .clusters
            .first()
            .and_then(|c| c.cluster.as_ref())
            .and_then(|c| c.certificate_authority_data.clone())
            .and_then(|data| base64::Engine::decode(&base64::engine::general_purpose::STANDARD, data.trim()).ok())
            .and_then(|bytes| String::from_utf8(bytes).ok());
        let client = Client::try_from(config).map_err(|error| translate(&what(), &error))?;
        Ok(Self { client, pinned: Arc::new(pinned), ca, context: name.to_owned() })
    }

    /// Address of the server, as the kubeconfig writes it.
    pub fn server(&self) -> &str {
        let cluster = self.pinned.clusters.first().and_then(|c| c.cluster.as_ref());
        cluster.and_then(|cluster| cluster.server.as_deref()).unwrap_or("an unnamed address")
    }

    /// Connects through the text of a kubeconfig, by its current context.
    ///
    /// # Errors
    /// `Invalid` for a text that is no kubeconfig.
    pub async fn from_text(text: &str) -> Result<Self, PortError> {
        let kubeconfig = Kubeconfig::from_yaml(text)
            .map_err(|error| PortError::new(PortErrorKind::Invalid, "cannot read the kubeconfig", told(&error)))?;
        let name = kubeconfig.current_context.clone().unwrap_or_default();
        Self::from_kubeconfig(reduce(kubeconfig, &name)?, &name).await
    }

    /// A future bounded by the patience for one answer.
    pub(super) async fn bounded<T>(
        &self,
        what: &str,
        call: impl Future<Output = Result<T, kube::Error>>,
    ) -> Result<T, PortError> {
        match tokio::time::timeout(PATIENCE, call).await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) => Err(translate(what, &error)),
            Err(_) => {
                Err(PortError::new(PortErrorKind::Timeout, what, format!("no answer in {} s", PATIENCE.as_secs())))
            }
        }
    }

    /// One request with a JSON answer. The answer is never logged.
    pub(super) async fn json(
        &self,
        what: &str,
        method: &str,
        path: &str,
        body: Option<(&str, &Value)>,
    ) -> Result<Value, PortError> {
        let mut request = Request::builder().method(method).uri(path).header("accept", "application/json");
        if let Some((kind, _)) = body {
            request = request.header("content-type", kind);
        }
        let bytes = body.map_or_else(Vec::new, |(_, value)| value.to_string().into_bytes());
        let request =
            request.body(bytes).map_err(|error| PortError::new(PortErrorKind::Invalid, what, error.to_string()))?;
        let text = self.bounded(what, self.client.request_text(request)).await?;
        serde_json::from_str(&text).map_err(|error| {
            let place = format!("the answer is no JSON at line {} column {}", error.line(), error.column());
            PortError::new(PortErrorKind::Other, what, place)
        })
    }
}

/// The kubeconfig with one context, its cluster and user, every file it names inlined, plugins kept off the terminal.
fn reduce(mut kubeconfig: Kubeconfig, name: &str) -> Result<Kubeconfig, PortError> {
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
    let encode = |bytes: Vec<u8>| base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    for cluster in kubeconfig.clusters.iter_mut().filter_map(|c| c.cluster.as_mut()) {
        if let Some(bytes) = load(&mut cluster.certificate_authority)? {
            cluster.certificate_authority_data = Some(encode(bytes));
        }
    }
    for user in kubeconfig.auth_infos.iter_mut().filter_map(|a| a.auth_info.as_mut()) {
        if let Some(bytes) = load(&mut user.client_certificate)? {
            user.client_certificate_data = Some(encode(bytes));
        }
        if let Some(bytes) = load(&mut user.client_key)? {
            user.client_key_data = Some(encode(bytes).into());
        }
        if let Some(exec) = &mut user.exec {
            exec.interactive_mode = Some(ExecInteractiveMode::Never);
        }
    }
    Ok(kubeconfig)
}
