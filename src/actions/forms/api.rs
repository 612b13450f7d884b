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
    text::{Diagnostic, printable},
};

/// Longest reason of a refusal that is told, in characters.
const LONGEST_REASON: usize = 200;

/// How the application answered a PUT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Put {
    /// It took it.
    Accepted,
    /// It did not: how it answered, with its own reason.
    Refused(String),
}

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

    /// PUT of a JSON body. The body may hold secrets, and an answer may quote it: of that only the reason of a refusal is kept,
    /// with the secrets of the run hidden.
    ///
    /// # Errors
    /// A failure where there was no answer: it may have been done.
    pub async fn put(&self, path: &str, body: &Value) -> Result<Put, Halt> {
        let bytes = serde_json::to_vec(body).map_err(|_| Diagnostic::new("cannot write the settings as JSON"))?;
        let (status, answer) = self.send("PUT", path, bytes).await?;
        if (200..300).contains(&status) {
            return Ok(Put::Accepted);
        }
        let reason = reason(&answer, |text| self.cx.driver.hide_secrets(text));
        let colon = if reason.is_empty() { "" } else { ": " };
        Ok(Put::Refused(format!("answered with status {status}{colon}{reason}")))
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

/// What an application says of a refusal: the error in its JSON, else its first line. It is cut only once nothing secret is in
/// it: a part of a secret would not be known for one.
fn reason(answer: &[u8], without_secrets: impl Fn(&str) -> String) -> String {
    let text = String::from_utf8_lossy(answer);
    let json: Option<Value> = serde_json::from_str(&text).ok();
    let members = ["error", "message", "detail"];
    let said = json.as_ref().and_then(|json| members.iter().find_map(|member| json.get(member)?.as_str()));
    let first = said.unwrap_or(&text).lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    let told = printable(&without_secrets(first));
    let cut: String = told.chars().take(LONGEST_REASON).collect();
    if cut == told { told } else { format!("{cut} …") }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_refusal_is_its_first_line_without_secrets_and_short() {
        let plain = |answer: &str| reason(answer.as_bytes(), str::to_owned);
        assert_eq!(plain("{\"error\": \"verify_tls: unknown\"}\n"), "verify_tls: unknown");
        assert_eq!(plain("\n  no \u{1b}[2J such field\nmore"), "no ␛[2J such field");
        assert_eq!(plain(""), "");
        assert_eq!(plain("{\"status\": 4}"), "{\"status\": 4}");
        // a secret that lies across the cut is hidden whole
        let long = format!("{}hunter-of-rows{}", "x".repeat(LONGEST_REASON - 3), "y".repeat(50));
        let told = reason(long.as_bytes(), |text| text.replace("hunter-of-rows", "••••••••"));
        assert!(told.ends_with("xxx••• …") && !told.contains("hun"), "{told}");
    }
}
