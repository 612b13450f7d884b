//! One request, from its door to its answer.

use std::sync::Arc;

use axum::{
    Json,
    body::Bytes,
    extract::{FromRequestParts, Request, State, ws::WebSocketUpgrade},
    http::{HeaderMap, Method},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Shared, access, discovery, exec, forward, logs,
    merge::PatchKind,
    protobuf,
    query::Query,
    read::{self, Form},
    route::{Place, Route},
    status::{Answer, Refused},
    watch, write,
};

/// Longest body of a request: as a real server.
const LONGEST: usize = 3 << 20;

/// Answers a request.
pub async fn handle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    answer(&shared, request).await.unwrap_or_else(IntoResponse::into_response)
}

/// Equal, in the same time whatever differs.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |sum, (a, b)| sum | (a ^ b)) == 0
}

/// What a real server tells anybody. kubectl 1.32 asks `get --raw /readyz` in a way that is otherwise refused; 1.36 does not.
const OPEN: [&str; 3] = ["/healthz", "/livez", "/readyz"];

/// The path behind the door, for who has the token or knows the door.
fn admitted<'a>(shared: &Shared, headers: &HeaderMap, path: &'a str) -> Result<&'a str, Refused> {
    let (first, _) = path.trim_start_matches('/').split_once('/').unwrap_or((path.trim_start_matches('/'), ""));
    if same(first, &shared.door) {
        return Ok(&path[1 + first.len()..]);
    }
    if OPEN.contains(&path) {
        return Ok(path);
    }
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    if token.is_some_and(|token| same(token, &shared.token)) { Ok(path) } else { Err(Refused::unauthorized()) }
}

async fn answer(shared: &Arc<Shared>, request: Request) -> Answer {
    let (mut parts, body) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &()).await.ok();
    let path = admitted(shared, &parts.headers, parts.uri.path())?;
    let query = Query::of(&parts.uri)?;
    let body = axum::body::to_bytes(body, LONGEST).await;
    let body = body.map_err(|_| Refused::bad_request("the body cannot be read, or is longer than 3 MiB"))?;
    let route = Route::of(path)?;
    if let Route::Objects(place) = route {
        let asked = Asked { shared, query, headers: &parts.headers, body };
        return asked.objects(&parts.method, place, upgrade);
    }
    if let Route::Review(kind) = route {
        return match parts.method {
            Method::POST => Ok(access::review(shared, kind, &document(&parts.headers, &body)?)),
            _ => Err(Refused::method_not_allowed()),
        };
    }
    if parts.method != Method::GET {
        return Err(Refused::method_not_allowed());
    }
    let document = match route {
        Route::Health => return Ok("ok".into_response()),
        Route::Version => discovery::version(),
        Route::Core => discovery::core(&shared.address.to_string()),
        Route::Groups => discovery::all_groups(),
        Route::Group(group) => discovery::one_group(&group)?,
        Route::Kinds(group, version) => discovery::kinds(&group, &version)?,
        Route::Schemas => discovery::schemas(),
        Route::Schema(group, version) => discovery::schema(&group, &version)?,
        Route::Review(_) | Route::Objects(_) => return Err(Refused::no_such_path()),
    };
    Ok(Json(document).into_response())
}

fn media(headers: &HeaderMap) -> &str {
    headers.get("content-type").and_then(|value| value.to_str().ok()).unwrap_or("application/json")
}

/// The document in a body: JSON, or YAML.
fn document(headers: &HeaderMap, body: &Bytes) -> Result<Value, Refused> {
    if body.is_empty() {
        return Ok(json!({}));
    }
    let media = media(headers);
    let wrong = |error: &dyn std::fmt::Display| Refused::bad_request(format!("the document cannot be read: {error}"));
    if media.contains("protobuf") {
        return protobuf::read(body).map_err(|fault| Refused::unsupported_media(&format!("{media}: {fault}")));
    }
    if media.contains("cbor") {
        return Err(Refused::unsupported_media(media));
    }
    if !media.contains("yaml") {
        return serde_json::from_slice(body).map_err(|error| wrong(&error));
    }
    // what clients call YAML is mostly JSON
    if let Ok(value) = serde_json::from_slice(body) {
        return Ok(value);
    }
    let text = std::str::from_utf8(body).map_err(|error| wrong(&error))?;
    serde_saphyr::from_str(text).map_err(|error| wrong(&error))
}

struct Asked<'a> {
    shared: &'a Arc<Shared>,
    query: Query,
    headers: &'a HeaderMap,
    body: Bytes,
}

impl Asked<'_> {
    fn document(&self) -> Result<Value, Refused> {
        document(self.headers, &self.body)
    }

    fn objects(self, method: &Method, place: Place, upgrade: Option<WebSocketUpgrade>) -> Answer {
        access::allowed(self.shared, access::verb(method, &place, self.query.flag("watch")), &place)?;
        match place.part.as_str() {
            "exec" => exec::exec(self.shared, &place, self.query, upgrade),
            "portforward" => forward::forward(self.shared, &place, &self.query, upgrade),
            "attach" => Err(Refused::bad_request("the practice server attaches to no container; use exec or logs")),
            "log" if method == Method::GET => logs::log(self.shared, &place, &self.query),
            "eviction" if method == Method::POST => {
                let options = self.document()?["deleteOptions"].take();
                write::delete(self.shared, &place, &self.query, &options)
            }
            "log" | "eviction" => Err(Refused::method_not_allowed()),
            "scale" => self.scale(method, &place),
            _ if place.name.is_empty() => self.collection(method, place),
            _ => self.object(method, place),
        }
    }

    fn scale(&self, method: &Method, place: &Place) -> Answer {
        match *method {
            Method::GET => write::read_scale(self.shared, place),
            Method::PUT => write::write_scale(self.shared, place, &self.query, None, &self.document()?),
            Method::PATCH => {
                let kind = PatchKind::of(media(self.headers))?;
                write::write_scale(self.shared, place, &self.query, Some(kind), &self.document()?)
            }
            _ => Err(Refused::method_not_allowed()),
        }
    }

    fn collection(&self, method: &Method, place: Place) -> Answer {
        match *method {
            Method::GET if self.query.flag("watch") => {
                watch::watch(self.shared, &place, &self.query, Form::of(self.headers, &self.query))
            }
            Method::GET => read::list(self.shared, &place, &self.query, Form::of(self.headers, &self.query)),
            Method::POST => write::create(self.shared, place, &self.query, self.document()?),
            Method::DELETE => write::delete_all(self.shared, &place, &self.query, &self.document()?),
            _ => Err(Refused::method_not_allowed()),
        }
    }

    fn object(&self, method: &Method, place: Place) -> Answer {
        match *method {
            Method::GET => read::get(self.shared, &place, Form::of(self.headers, &self.query)),
            Method::PUT => write::replace(self.shared, &place, &self.query, &self.document()?),
            Method::PATCH => {
                let kind = PatchKind::of(media(self.headers))?;
                write::patch(self.shared, place, &self.query, kind, self.document()?)
            }
            Method::DELETE => write::delete(self.shared, &place, &self.query, &self.document()?),
            _ => Err(Refused::method_not_allowed()),
        }
    }
}
