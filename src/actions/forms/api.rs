//! The application's HTTP interface, through port-forward, with the credentials its own container was given.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::pods::{environment, ready_pod},
    },
    ports::PodRef,
    text::Diagnostic,
};

/// The interface of the deployment in one namespace.
pub struct Api<'a> {
    cx: &'a StepCx,
    pod: PodRef,
    port: u16,
    authorization: Option<Zeroizing<String>>,
}

impl<'a> Api<'a> {
    /// Finds the core pod and its credentials.
    pub async fn open(cx: &'a StepCx, namespace: &str) -> Result<Self, Halt> {
        let deployment = cx.deployment()?;
        let (pod, json) = ready_pod(cx, namespace, &deployment.core).await?;
        let environment = environment(cx, namespace, &json, &deployment.core.container).await?;
        let authorization = environment.get(&deployment.api.user).map(|user| {
            let password =
                environment.get(&deployment.api.password).map(|p| p.expose_secret().to_vec()).unwrap_or_default();
            let pair = Zeroizing::new([user.expose_secret(), b":", &password].concat());
            Zeroizing::new(format!("Basic {}", STANDARD.encode(&*pair)))
        });
        Ok(Self { cx, pod, port: deployment.api.port, authorization })
    }

    /// GET: status and body as JSON.
    pub async fn get(&self, path: &str) -> Result<Value, Halt> {
        let (status, body) = self.send("GET", path, Vec::new()).await?;
        if status != 200 {
            return Err(refusal("GET", path, status));
        }
        serde_json::from_slice(&body)
            .map_err(|error| Diagnostic::new(format!("GET {path} answers no JSON")).cause(error.to_string()).into())
    }

    /// The status of a GET, whatever it is.
    pub async fn status(&self, path: &str) -> Result<u16, Halt> {
        Ok(self.send("GET", path, Vec::new()).await?.0)
    }

    /// PUT of a JSON body. The body may hold secrets; neither it nor the answer is ever part of an error.
    pub async fn put(&self, path: &str, body: &Value) -> Result<(), Halt> {
        let bytes = serde_json::to_vec(body).map_err(|_| Diagnostic::new("cannot write the settings as JSON"))?;
        let (status, _) = self.send("PUT", path, bytes).await?;
        if (200..300).contains(&status) { Ok(()) } else { Err(refusal("PUT", path, status)) }
    }

    async fn send(&self, method: &str, path: &str, body: Vec<u8>) -> Result<(u16, Vec<u8>), Halt> {
        let mut request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1")
            .header("connection", "close")
            .header("content-length", body.len());
        if !body.is_empty() {
            request = request.header("content-type", "application/json");
        }
        if let Some(authorization) = &self.authorization {
            request = request.header("authorization", authorization.as_str());
        }
        let request = request.body(body).map_err(|error| {
            Diagnostic::new(format!("cannot build the request {method} {path}")).cause(error.to_string())
        })?;
        Ok(self.cx.world.objects.http(&self.pod, self.port, request).await?)
    }
}

fn refusal(method: &str, path: &str, status: u16) -> Halt {
    let problem = Diagnostic::new(format!("{method} {path} was answered with status {status}"));
    match status {
        401 | 403 => problem.proves("the application does not accept the credentials of its own environment").into(),
        404 => problem.proves("the application knows nothing of this name").into(),
        503 => problem.proves("the application is not ready yet").into(),
        _ => problem.into(),
    }
}
