//! A client whose credential comes from a plugin: got before the first request, again when it ends, and once more when the
//! server does not accept it. A client certificate belongs to a connection, so each new credential gets a client of its own.

use std::sync::{Arc, Mutex, PoisonError};

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{Request, Response, StatusCode};
use kube::{Client, Config, client::Body, config::AuthInfo};
use secrecy::{ExposeSecret, SecretString};
use tower::BoxError;

use super::plugin::{Credential, Plugin};

struct Authorized {
    plugin: Arc<Plugin>,
    /// The connection without a credential.
    config: Config,
    /// The last client, and the number of its credential.
    last: Mutex<Option<(u64, Client)>>,
}

/// A client of `config` with the credentials of `plugin`.
pub(super) fn client(config: Config, plugin: Arc<Plugin>) -> Client {
    let namespace = config.default_namespace.clone();
    let authorized = Arc::new(Authorized { plugin, config, last: Mutex::default() });
    Client::new(
        tower::service_fn(move |request| {
            let authorized = Arc::clone(&authorized);
            async move { authorized.send(request).await }
        }),
        namespace,
    )
}

/// The user's settings with a credential instead of the plugin.
pub(super) fn filled(user: &AuthInfo, credential: &Credential) -> AuthInfo {
    let mut user = AuthInfo { exec: None, ..user.clone() };
    user.token.clone_from(&credential.token);
    if let Some((certificate, key)) = &credential.certificate {
        user.client_certificate_data = Some(STANDARD.encode(certificate));
        user.client_key_data = Some(SecretString::from(STANDARD.encode(key.expose_secret())));
    }
    user
}

impl Authorized {
    async fn send(&self, request: Request<Body>) -> Result<Response<Body>, BoxError> {
        let credential = self.plugin.credential(None).await?;
        let (parts, body) = request.into_parts();
        let again = body.try_clone().map(|body| Request::from_parts(parts.clone(), body));
        let answer = self.client(&credential)?.send(Request::from_parts(parts, body)).await?;
        // who is not known is asked for a new credential before anything is looked at: nothing was done yet
        match again.filter(|_| answer.status() == StatusCode::UNAUTHORIZED) {
            Some(again) => {
                let fresh = self.plugin.credential(Some(credential.number)).await?;
                Ok(self.client(&fresh)?.send(again).await?)
            }
            None => Ok(answer),
        }
    }

    fn client(&self, credential: &Credential) -> Result<Client, kube::Error> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, client)) = last.as_ref().filter(|(number, _)| *number == credential.number) {
            return Ok(client.clone());
        }
        let mut config = self.config.clone();
        config.auth_info = filled(&config.auth_info, credential);
        let client = Client::try_from(config)?;
        *last = Some((credential.number, client.clone()));
        Ok(client)
    }
}
