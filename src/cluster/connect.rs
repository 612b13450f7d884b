//! From a kubeconfig to one frozen connection.

use std::{future::Future, sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, Uri};
use kube::{
    Client, Config,
    config::{AuthInfo, Kubeconfig},
};
use serde_json::Value;

use super::{
    authorized,
    error::translate,
    kubeconfig::{self, Route},
    plugin::Plugin,
    proxy,
};
use crate::ports::{Acting, PortError, PortErrorKind};

/// Longest wait for the answer of one request.
const PATIENCE: Duration = Duration::from_secs(30);

/// One connection to one cluster, as one user. Frozen: a later change of the kubeconfig changes nothing here.
#[derive(Clone)]
pub struct Cluster {
    pub(super) client: Client,
    /// The kubeconfig reduced to this context, files inlined.
    pub(super) pinned: Arc<Kubeconfig>,
    /// PEM of the CA in use, where the context names one.
    pub(super) ca: Option<String>,
    /// What signs requests, where a plugin does.
    pub(super) plugin: Option<Arc<Plugin>>,
    /// The proxy that leads there, as it may be shown.
    pub(super) proxy: Option<String>,
    /// Name of the context.
    pub context: String,
}

impl Cluster {
    /// Connects by a route. Nothing is contacted yet, and no plugin runs.
    ///
    /// # Errors
    /// `NotFound` for an unknown context, with the known ones; `Invalid` for a context that cannot be used.
    pub fn connect(route: &Route) -> Result<Self, PortError> {
        let kubeconfig = kubeconfig::read(route.kubeconfig.as_deref())?;
        let Some(name) = route.context.clone().or_else(|| kubeconfig.current_context.clone()) else {
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
        Self::through(kubeconfig::reduce(kubeconfig, &name, &route.acting)?, &name)
    }

    /// Connects through a kubeconfig with only this context.
    fn through(pinned: Kubeconfig, name: &str) -> Result<Self, PortError> {
        let what = format!("cannot use context {name}");
        let invalid = |detail: String| PortError::new(PortErrorKind::Invalid, what.clone(), detail);
        let Some(cluster) = kubeconfig::cluster(&pinned) else {
            return Err(invalid("the kubeconfig has no cluster for it".to_owned()));
        };
        let user = pinned.auth_infos.first().and_then(|a| a.auth_info.clone()).unwrap_or_default();
        let plugin = Plugin::of(&user, cluster, name).map_err(invalid)?.map(Arc::new);
        let ca = authority(cluster).map_err(invalid)?;
        let config = config(cluster, ca.as_deref(), user).map_err(invalid)?;
        let proxy = config.proxy_url.as_ref().map(proxy::shown);
        let client = match &plugin {
            Some(plugin) => authorized::client(config, Arc::clone(plugin)),
            None => Client::try_from(config).map_err(|error| translate(&what, &error))?,
        };
        Ok(Self { client, pinned: Arc::new(pinned), ca, plugin, proxy, context: name.to_owned() })
    }

    /// Address of the server, as the kubeconfig writes it.
    pub fn server(&self) -> &str {
        kubeconfig::cluster(&self.pinned).and_then(|cluster| cluster.server.as_deref()).unwrap_or("an unnamed address")
    }

    /// Where it is and which way leads there, in words.
    pub fn way(&self) -> String {
        let through = self.proxy.as_ref().map(|proxy| format!(", through the proxy {proxy}")).unwrap_or_default();
        format!("context {} at {}{through}", self.context, self.server())
    }

    /// The proxy that leads there, without a login.
    pub fn proxy(&self) -> Option<&str> {
        self.proxy.as_deref()
    }

    /// Whom its requests act as.
    pub fn acting(&self) -> Acting {
        kubeconfig::acting(&self.pinned)
    }

    /// Connects through the text of a kubeconfig, by its current context.
    ///
    /// # Errors
    /// `Invalid` for a text that is no kubeconfig.
    pub fn from_text(text: &str) -> Result<Self, PortError> {
        let read = kubeconfig::parse(text)?;
        let name = read.current_context.clone().unwrap_or_default();
        Self::through(kubeconfig::reduce(read, &name, &Acting::default())?, &name)
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

/// PEM of the CA that a context names.
fn authority(cluster: &kube::config::Cluster) -> Result<Option<String>, String> {
    let Some(data) = cluster.certificate_authority_data.as_deref().map(str::trim).filter(|data| !data.is_empty())
    else {
        return Ok(None);
    };
    let bytes = STANDARD.decode(data).map_err(|_| "certificate-authority-data is no base64".to_owned())?;
    String::from_utf8(bytes).map(Some).map_err(|_| "certificate-authority-data holds no PEM".to_owned())
}

/// What the library connects by. Its own reading of a kubeconfig would choose proxies otherwise than kubectl does.
fn config(cluster: &kube::config::Cluster, ca: Option<&str>, user: AuthInfo) -> Result<Config, String> {
    let server = cluster.server.as_deref().unwrap_or_default();
    let server: Uri = server.parse().map_err(|_| format!("{server:?} is no address of a server"))?;
    let mut config = Config::new(server);
    if let Some(ca) = ca {
        let found = pem::parse_many(ca).map_err(|error| format!("certificate-authority-data: {error}"))?;
        let certificates = found.into_iter().filter(|block| block.tag() == "CERTIFICATE");
        config.root_cert = Some(certificates.map(pem::Pem::into_contents).collect());
    }
    config.accept_invalid_certs = cluster.insecure_skip_tls_verify.unwrap_or(false);
    config.disable_compression = cluster.disable_compression.unwrap_or(false);
    config.tls_server_name = cluster.tls_server_name.clone().filter(|name| !name.is_empty());
    config.proxy_url =
        proxy::proxy(&config.cluster_url, cluster.proxy_url.as_deref(), |name| std::env::var(name).ok())?;
    let over_tls = config.proxy_url.as_ref().is_some_and(|proxy| proxy.scheme_str() == Some("https"));
    if over_tls && config.tls_server_name.is_some() {
        // the library would expect that very name of the proxy, too
        return Err("a proxy of the kind https cannot be used together with tls-server-name".to_owned());
    }
    // the library would send again whatever was answered with 429, 503 or 504, changes too, and for minutes: who asks
    // here decides what may be asked twice
    config.default_retry = false;
    config.auth_info = user;
    Ok(config)
}
