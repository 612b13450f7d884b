//! What the pods of a chart would contact: hosts in their environment and files, as far as the documents tell. Of Secrets only
//! the names of keys are told, and of an address neither login nor path. Pure.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::rendered::Rendered;
use crate::actions::objects::pods::text;

/// Parts of a variable's name that say its value is a host.
const HINTS: [&str; 10] = ["HOST", "ADDR", "SERVER", "URL", "URI", "BROKER", "ENDPOINT", "DOMAIN", "RELAY", "GATEWAY"];
/// Hosts that are the pod itself, beside those that the chart brings.
const ITSELF: [&str; 4] = ["localhost", "127.0.0.1", "0.0.0.0", "::1"];

/// What was found, each once and in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Contacts {
    /// Hosts, with their port where it is told.
    pub hosts: BTreeSet<String>,
    /// Keys of Secrets whose values name a host.
    pub keys: BTreeSet<String>,
}

impl Rendered {
    /// What lies outside of `namespace`, as `documents` of this chart tell.
    pub fn contacts<'a>(&self, documents: impl Iterator<Item = &'a Value>, namespace: &str) -> Contacts {
        let mut found = Contacts::default();
        let outside = |host: &String| !self.is_own_host(without_port(host), namespace);
        for document in documents {
            let name = text(document, "/metadata/name");
            match text(document, "/kind") {
                "ConfigMap" => {
                    for (key, value) in entries(document, "data") {
                        found.hosts.extend(hosts_in(key, value).into_iter().filter(outside));
                    }
                }
                "Secret" => {
                    let coded = entries(document, "data")
                        .filter_map(|(key, value)| Some((key, String::from_utf8(STANDARD.decode(value).ok()?).ok()?)));
                    let plain = entries(document, "stringData").map(|(key, value)| (key, value.to_owned()));
                    let named = coded.chain(plain).filter(|(key, value)| hosts_in(key, value).iter().any(outside));
                    found.keys.extend(named.map(|(key, _)| format!("{key} of Secret {name}")));
                }
                _ => of_containers(document, &mut |key, value| {
                    found.hosts.extend(hosts_in(key, value).into_iter().filter(outside));
                }),
            }
        }
        found
    }
}

fn entries<'a>(document: &'a Value, part: &str) -> impl Iterator<Item = (&'a str, &'a str)> {
    let all = document.get(part).and_then(Value::as_object).into_iter().flatten();
    all.filter_map(|(key, value)| Some((key.as_str(), value.as_str()?)))
}

/// Every variable and argument of every container.
fn of_containers(value: &Value, see: &mut impl FnMut(&str, &str)) {
    match value {
        Value::Object(fields) => {
            if fields.contains_key("image") {
                let list = |key: &str| fields.get(key).and_then(Value::as_array).into_iter().flatten();
                list("env").for_each(|entry| see(text(entry, "/name"), text(entry, "/value")));
                list("command").chain(list("args")).filter_map(Value::as_str).for_each(|word| see("", word));
            }
            fields.values().for_each(|value| of_containers(value, see));
        }
        Value::Array(items) => items.iter().for_each(|value| of_containers(value, see)),
        _ => {}
    }
}

/// The hosts that a value names: of every address in it, and the whole of it where it is one and its `key` says so.
pub fn hosts_in(key: &str, value: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (at, _) in value.match_indices("://") {
        let rest = &value[at + 3..];
        let word = rest.split(|c: char| c.is_whitespace() || "\"'`<>,|\\".contains(c)).next().unwrap_or_default();
        // what stands before the last @ may be a login, whatever is in it
        let after = word.rsplit('@').next().unwrap_or_default();
        let host = after.split(|c: char| "/?#;)}".contains(c)).next().unwrap_or_default();
        found.extend(Some(host.trim_end_matches(['.', ':'])).filter(|host| is_host(host)).map(str::to_owned));
    }
    if found.is_empty() {
        let key = key.to_uppercase();
        let hinted = HINTS.iter().any(|hint| key.contains(hint));
        let is_named = |host: &str| hinted && (key.contains("HOST") || host.contains(['.', ':'])) && is_host(host);
        let parts = value.split(',').map(str::trim);
        found.extend(parts.filter(|host| is_address(host) || is_named(host)).map(str::to_owned));
    }
    found.retain(|host| !ITSELF.contains(&without_port(host)));
    found
}

fn is_host(host: &str) -> bool {
    let name = without_port(host);
    let plain = name.len() <= 253 && name.chars().all(|c| c.is_ascii_alphanumeric() || ".-_".contains(c));
    (plain && name.contains(|c: char| c.is_ascii_alphabetic())) || is_address(host)
}

fn is_address(host: &str) -> bool {
    without_port(host).trim_matches(['[', ']']).parse::<std::net::IpAddr>().is_ok()
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port))
            if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) && !name.contains(':') =>
        {
            name
        }
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: &str = "---
apiVersion: v1
kind: Service
metadata: {name: pix-core}
spec: {selector: {app: pix-core}}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: env}
data:
  PIX_MQTT_HOST: broker.example.net:8883
  PIX_CORE_URL: http://pix-core:8080
  PIX_HOOK: 'https://robot:hunter-of-rows@hooks.example.net/t/s3cret?key=hunter-of-rows'
  PIX_ODD: 'https://robot:hunter/of-rows@odd.example.net/'
  PIX_MODE: eu.west
  PIX_SERVERS: 'true'
  PIX_VERSION: 5.0.0
  pix.py: |
    get('http://licence.example.net:8080/x')
    at(10.0.0.9)
---
apiVersion: v1
kind: Secret
metadata: {name: hidden}
data: {SMTP: c210cHM6Ly9wb3N0Omh1bnRlci1vZi1yb3dzQG1haWwuZXhhbXBsZS5uZXQ=, PIX_DB_PASSWORD: aHVudGVyLW9mLXJvd3M=}
stringData: {UPLINK_ADDR: 192.0.2.9}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pix-core}
spec: {template: {spec: {containers: [{name: a, image: 'i:1', args: ['--to=tcp://sink.example.net:9'], env: [{name: PEER, value: 192.0.2.4}, {name: SELF_URL, value: 'http://localhost:1'}]}]}}}
";

    #[test]
    fn hosts_are_told_and_no_secret_is() {
        let rendered = Rendered::parse(CHART).unwrap();
        let found = rendered.contacts(rendered.documents().iter(), "copy");
        let hosts: Vec<&str> = found.hosts.iter().map(String::as_str).collect();
        let wanted = [
            "192.0.2.4",
            "broker.example.net:8883",
            "hooks.example.net",
            "licence.example.net:8080",
            "odd.example.net",
            "sink.example.net:9",
        ];
        assert_eq!(hosts, wanted);
        let keys: Vec<&str> = found.keys.iter().map(String::as_str).collect();
        assert_eq!(keys, ["SMTP of Secret hidden", "UPLINK_ADDR of Secret hidden"]);
        assert!(!format!("{found:?}").contains("hunter"), "{found:?}");
    }
}
