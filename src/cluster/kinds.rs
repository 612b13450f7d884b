//! Which kinds the server has. A list of what goes must never be short because of a moment's overload: only a group that another
//! server behind the API server serves may be left out, and only while that one is away.

use super::connect::Cluster;
use crate::ports::{Kind, PortError, PortErrorKind};

const WHAT: &str = "cannot read which kinds the server has";

/// Whether a group of kinds is served by somebody else than the API server itself, or may be.
fn is_extension(group: &str) -> bool {
    group.ends_with("metrics.k8s.io") || (group.contains('.') && !group.ends_with(".k8s.io"))
}

impl Cluster {
    /// Every listable and deletable kind, preferred versions only.
    pub(super) async fn read_kinds(&self) -> Result<Vec<Kind>, PortError> {
        let mut found = Vec::new();
        let mut groups = vec![(String::new(), "v1".to_owned())];
        let listed = self.json(WHAT, "GET", "/apis", None).await?;
        for group in listed["groups"].as_array().into_iter().flatten() {
            let name = group["name"].as_str().unwrap_or_default().to_owned();
            groups.push((name, group["preferredVersion"]["version"].as_str().unwrap_or_default().to_owned()));
        }
        for (group, version) in groups {
            let root = if group.is_empty() { "/api/v1".to_owned() } else { format!("/apis/{group}/{version}") };
            // objects of an extension whose server is away are not Helm's or ours, and nobody could delete them now
            let resources = match self.json(WHAT, "GET", &root, None).await {
                Ok(resources) => resources,
                Err(error)
                    if is_extension(&group)
                        && error.kind == PortErrorKind::Unreachable
                        && self.is_away(&group, &version).await =>
                {
                    tracing::warn!(%error, group, version, "the server of these kinds is away; they are left out");
                    continue;
                }
                Err(error) => return Err(PortError { what: format!("{WHAT} in {root}"), ..error }),
            };
            for resource in resources["resources"].as_array().into_iter().flatten() {
                let verbs: Vec<&str> =
                    resource["verbs"].as_array().into_iter().flatten().filter_map(|verb| verb.as_str()).collect();
                let plural = resource["name"].as_str().unwrap_or_default();
                if plural.contains('/') || !verbs.contains(&"list") || !verbs.contains(&"delete") {
                    continue;
                }
                let kind = resource["kind"].as_str().unwrap_or_default();
                let namespaced = resource["namespaced"].as_bool().unwrap_or(false);
                found.push(Kind::new(&group, &version, kind, plural, namespaced));
            }
        }
        Ok(found)
    }

    /// Whether the API server itself says that it cannot reach who serves this group. Of what it serves itself, as custom
    /// resources, it never does. Metrics are always another server's, also where the API server is too old to say so.
    async fn is_away(&self, group: &str, version: &str) -> bool {
        if group.ends_with("metrics.k8s.io") {
            return true;
        }
        let Ok(all) = self.bounded(WHAT, self.client.list_api_groups_aggregated()).await else { return false };
        let is_it = |name: Option<&String>, wanted: &str| name.is_some_and(|name| name == wanted);
        let groups = all
            .items
            .iter()
            .filter(|item| is_it(item.metadata.as_ref().and_then(|metadata| metadata.name.as_ref()), group));
        let mut versions = groups.flat_map(|item| &item.versions).filter(|one| is_it(one.version.as_ref(), version));
        versions.any(|one| one.freshness.as_deref() == Some("Stale"))
    }
}

#[cfg(test)]
mod tests {
    use std::{
        io::{BufRead, BufReader, Write},
        net::{TcpListener, TcpStream},
    };

    use serde_json::{Value, json};

    use super::*;

    /// A server with one group of its own kinds and one of another server; the second, and both where `busy`, answer 503.
    fn serve(busy: bool) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let answer = move |path: &str, accept: &str| -> Option<Value> {
            let kind = |plural: &str, kind: &str| {
                let of = json!({"name": plural, "kind": kind, "namespaced": true, "verbs": ["list", "delete"]});
                Some(json!({ "resources": [of] }))
            };
            let group = |name: &str| json!({"name": name, "preferredVersion": {"version": "v1"}});
            let freshness = |name: &str, word: &str| json!({"metadata": {"name": name}, "versions": [{"version": "v1", "freshness": word}]});
            match path {
                "/apis" if accept.contains("APIGroupDiscoveryList") => Some(json!({"items": [
                    freshness("crd.example.com", "Current"), freshness("away.example.com", "Stale")]})),
                "/apis" => Some(json!({"groups": [group("crd.example.com"), group("away.example.com")]})),
                "/api/v1" => kind("pods", "Pod"),
                "/apis/crd.example.com/v1" if !busy => kind("widgets", "Widget"),
                _ => None,
            }
        };
        std::thread::spawn(move || {
            let one = move |mut stream: TcpStream| {
                let mut lines = BufReader::new(stream.try_clone().unwrap()).lines();
                // a connection that its client did not need after all
                let Some(Ok(first)) = lines.next() else { return };
                let rest: Vec<String> = lines.map_while(Result::ok).take_while(|line| !line.is_empty()).collect();
                let accept = rest.iter().find(|line| line.to_lowercase().starts_with("accept:"));
                let path = first.split(' ').nth(1).unwrap();
                let (status, body) = match answer(path, accept.map_or("", String::as_str)) {
                    Some(body) => ("200 OK", body),
                    None => (
                        "503 Service Unavailable",
                        json!({"kind": "Status", "apiVersion": "v1", "metadata": {},
                        "status": "Failure", "message": "service unavailable", "reason": "ServiceUnavailable", "code": 503}),
                    ),
                };
                let body = body.to_string();
                let length = body.len();
                let head = format!(
                    "HTTP/1.1 {status}\r\ncontent-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
                );
                let _ = stream.write_all((head + &body).as_bytes());
            };
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                std::thread::spawn(move || one(stream));
            }
        });
        json!({"apiVersion": "v1", "kind": "Config", "current-context": "c",
            "clusters": [{"name": "c", "cluster": {"server": format!("http://{address}")}}],
            "users": [{"name": "c", "user": {}}],
            "contexts": [{"name": "c", "context": {"cluster": "c", "user": "c"}}]})
        .to_string()
    }

    #[tokio::test]
    async fn only_kinds_whose_own_server_is_away_are_left_out() {
        let cluster = Cluster::from_text(&serve(false)).unwrap();
        let names: Vec<String> = cluster.read_kinds().await.unwrap().into_iter().map(|kind| kind.kind).collect();
        assert_eq!(names, ["Pod", "Widget"]);
        let cluster = Cluster::from_text(&serve(true)).unwrap();
        let error = cluster.read_kinds().await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unreachable, "{error:?}");
        assert!(error.what.contains("/apis/crd.example.com/v1"), "{error:?}");
    }
}
