//! The core's HTTP interface, on one connection.

use std::{convert::Infallible, sync::Arc};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::io::DuplexStream;

use super::{Running, settings};

/// Serves a connection to its end.
pub async fn serve(me: Running, stream: DuplexStream) {
    let me = Arc::new(me);
    let service = service_fn(move |request| answer(Arc::clone(&me), request));
    // a client that goes away is no concern of the core
    let _ = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn answer(me: Arc<Running>, request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(http_body_util::Collected::to_bytes).unwrap_or_default();
    let path = head.uri.path().to_owned();
    let given = head.headers.get("authorization").and_then(|value| value.to_str().ok());
    let (status, value) = respond(&me, head.method.as_str(), &path, given, &body);
    if path != "/health" {
        me.say("INFO", "http", &format!("127.0.0.1 \"{} {path} HTTP/1.1\" {status}", head.method));
    }
    let mut response = Response::builder()
        .status(status)
        .header("server", format!("PixelCore/{}", me.var("PIX_VERSION")))
        .header("content-type", "application/json");
    if status == 401 {
        response = response.header("www-authenticate", "Basic realm=\"PixelCore\"");
    }
    let body = Full::new(Bytes::from(format!("{value}\n")));
    Ok(response.body(body).unwrap_or_default())
}

fn allowed(me: &Running, given: Option<&str>) -> bool {
    let user = me.var("PIX_API_USER");
    if user.is_empty() {
        return true;
    }
    let pair = given.and_then(|text| text.strip_prefix("Basic ")).and_then(|text| STANDARD.decode(text).ok());
    pair.as_deref() == Some(format!("{user}:{}", me.var("PIX_API_PASSWORD")).as_bytes())
}

fn shown(me: &Running, app: &Value) -> Value {
    let mut app = app.clone();
    let hidden = app["token"].as_str().is_some_and(|token| !token.is_empty());
    if hidden && me.var("PIX_API_MASK_TOKENS") == "true" {
        app["token"] = json!("********");
    }
    app
}

fn respond(me: &Running, method: &str, path: &str, given: Option<&str>, body: &[u8]) -> (u16, Value) {
    let ready = me.place.shared.look(|state| state.pods.get(&me.place.uid).is_some_and(|pod| pod.serves));
    if method == "GET" && path == "/health" {
        return if ready { (200, json!({"status": "ok"})) } else { (503, json!({"status": "starting"})) };
    }
    if !allowed(me, given) {
        return (401, json!({"error": "authentication required"}));
    }
    if !ready {
        return (503, json!({"error": "starting"}));
    }
    let name = path.strip_prefix("/api/applications/").unwrap_or(path);
    let name = &*percent_encoding::percent_decode_str(name).decode_utf8_lossy();
    match (method, path) {
        ("GET", "/api/version") => version(me),
        ("GET", "/api/applications") => {
            let all = applications(me);
            (
                200,
                all.iter().map(|(name, app)| (name.clone(), shown(me, app))).collect::<serde_json::Map<_, _>>().into(),
            )
        }
        ("GET", _) => match applications(me).get(name) {
            Some(app) => (200, shown(me, app)),
            None => (404, json!({"error": "not found"})),
        },
        ("PUT", _) => put(me, name, body),
        _ => (501, json!({"error": format!("Unsupported method ('{method}')")})),
    }
}

fn applications(me: &Running) -> serde_json::Map<String, Value> {
    me.place
        .shared
        .look(|state| state.pods.get(&me.place.uid).and_then(|pod| pod.applications.clone()))
        .unwrap_or_default()
}

fn version(me: &Running) -> (u16, Value) {
    let schema = me.database().map(|reached| {
        me.place.shared.look(|state| state.volumes.get(&reached.volume).and_then(|db| db.version().map(str::to_owned)))
    });
    match schema {
        Ok(schema) => (
            200,
            json!({"version": me.var("PIX_VERSION"), "schema": schema.unwrap_or_default(), "instance": me.var("PIX_INSTANCE_NAME")}),
        ),
        Err(problem) => (500, json!({"error": problem})),
    }
}

fn put(me: &Running, name: &str, body: &[u8]) -> (u16, Value) {
    let good = (1..=40).contains(&name.len())
        && !name.starts_with('-')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        return (404, json!({"error": "not found"}));
    }
    let Ok(Value::Object(change)) = serde_json::from_slice::<Value>(body) else {
        return (400, json!({"error": "the body is not a JSON object"}));
    };
    let done = me.place.shared.change(|state| {
        let pod = state.pods.get_mut(&me.place.uid).ok_or("stopping")?;
        let all = pod.applications.get_or_insert_default();
        settings::put(all, me.place.env.get("PIX_VERSION").map(String::as_str).unwrap_or_default(), name, &change)
    });
    match done {
        Err(problem) => (400, json!({"error": problem})),
        Ok(new) => {
            let mut keys: Vec<&str> = change.keys().map(String::as_str).collect();
            keys.sort_unstable();
            me.say(
                "INFO",
                "applications",
                &format!("{name}: {} ({})", if new { "deployed" } else { "changed" }, keys.join(", ")),
            );
            (if new { 201 } else { 200 }, shown(me, &applications(me)[name]))
        }
    }
}
