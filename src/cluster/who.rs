//! Who the cluster takes us for, and what we show it.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::connect::Cluster;
use crate::ports::{PortError, PortErrorKind};

/// Who the server takes us for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// Name of the user.
    pub user: String,
    /// Their groups.
    pub groups: Vec<String>,
}

/// A credential that a plugin gave on this terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lasting {
    /// When it ends, where the plugin says so.
    pub until: Option<Timestamp>,
    /// Whether the plugin never runs without a terminal, so that only this process has the credential.
    pub here_only: bool,
}

impl Cluster {
    /// Asks the server who we are; nothing of an old server that cannot say.
    ///
    /// # Errors
    /// `Unauthorized` when it does not accept what we show, and its like.
    pub async fn who(&self) -> Result<Option<Known>, PortError> {
        let what = format!("cannot ask context {} who we are", self.context);
        let url = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
        let review = json!({"apiVersion": "authentication.k8s.io/v1", "kind": "SelfSubjectReview"});
        let answer = match self.json(&what, "POST", url, Some(("application/json", &review))).await {
            Ok(answer) => answer,
            // older than Kubernetes 1.28
            Err(error) if error.kind == PortErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let said = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let info = &answer["status"]["userInfo"];
        let groups = info["groups"].as_array().map(|all| all.iter().map(said).collect()).unwrap_or_default();
        Ok(Some(Known { user: said(&info["username"]), groups }))
    }

    /// Name of the context's credential plugin, if it has one.
    pub fn plugin(&self) -> Option<String> {
        self.plugin.as_ref().map(|plugin| plugin.name())
    }

    /// Runs the context's credential plugin on this terminal, where it may ask; nothing without one.
    ///
    /// # Errors
    /// `Unauthorized` when it gives no credential.
    pub async fn log_in(&self) -> Result<Option<Lasting>, PortError> {
        let Some(plugin) = &self.plugin else { return Ok(None) };
        let given = plugin.in_front().await?;
        Ok(Some(Lasting { until: given.expires, here_only: plugin.is_always_interactive() }))
    }

    /// What signs its requests, in words.
    pub fn credentials(&self) -> String {
        if let Some(plugin) = &self.plugin {
            return format!("credential plugin {}", plugin.name());
        }
        let user = self.pinned.auth_infos.first().and_then(|named| named.auth_info.as_ref());
        let Some(user) = user else { return "no credential at all".to_owned() };
        let password = user.username.is_some() && user.password.is_some();
        let certificate = user.client_certificate_data.is_some();
        let kinds = [
            (user.auth_provider.is_some(), "its auth-provider"),
            (password, "a user name with password"),
            (user.token.is_some(), "a token in the kubeconfig"),
            (user.token_file.is_some(), "a token in a file of its own"),
            (certificate, "a client certificate"),
        ];
        let found: Vec<&str> = kinds.iter().filter(|(is, _)| *is).map(|(_, words)| *words).collect();
        if found.is_empty() { "no credential at all".to_owned() } else { found.join(" and ") }
    }
}
