//! Where the pods of a rendered chart reach their database: the values of one environment variable, and whether a host is a
//! service that the chart itself brings. Pure.

use std::collections::BTreeSet;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::rendered::Rendered;
use crate::actions::objects::pods::text;

/// Names of the pod itself.
const ITSELF: [&str; 4] = ["", "localhost", "127.0.0.1", "::1"];

impl Rendered {
    /// Every value that a container of the chart has for a variable, as far as the chart's documents tell.
    pub fn values_of(&self, variable: &str) -> BTreeSet<String> {
        let mut found = BTreeSet::new();
        self.documents().iter().for_each(|document| self.gather(document, variable, &mut found));
        found
    }

    fn gather(&self, value: &Value, variable: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(fields) => {
                if fields.contains_key("image") {
                    found.extend(self.value_in(value, variable));
                }
                fields.values().for_each(|value| self.gather(value, variable, found));
            }
            Value::Array(items) => items.iter().for_each(|value| self.gather(value, variable, found)),
            _ => {}
        }
    }

    /// What a container has: its own entry first, then the last of its sources that has one.
    fn value_in(&self, container: &Value, variable: &str) -> Option<String> {
        let list = |name: &str| container.get(name).and_then(Value::as_array).into_iter().flatten();
        if let Some(own) = list("env").rfind(|entry| text(entry, "/name") == variable) {
            if let Some(value) = own.get("value").and_then(Value::as_str) {
                return Some(value.to_owned());
            }
            let from = |kind: &str, key: &str| {
                let of = own.pointer(&format!("/valueFrom/{key}"))?;
                self.entry(kind, text(of, "/name"), text(of, "/key"))
            };
            return from("ConfigMap", "configMapKeyRef").or_else(|| from("Secret", "secretKeyRef"));
        }
        let from = |source: &Value| {
            let key = variable.strip_prefix(text(source, "/prefix"))?;
            let of = |kind: &str, name: &str| self.entry(kind, text(source.get(name)?, "/name"), key);
            of("ConfigMap", "configMapRef").or_else(|| of("Secret", "secretRef"))
        };
        list("envFrom").filter_map(from).next_back()
    }

    fn entry(&self, kind: &str, name: &str, key: &str) -> Option<String> {
        let is = |document: &&Value| text(document, "/kind") == kind && text(document, "/metadata/name") == name;
        let document = self.documents().iter().find(is)?;
        let of = |part: &str| document.get(part)?.get(key)?.as_str();
        match (of("stringData"), of("data")) {
            (Some(plain), _) => Some(plain.to_owned()),
            (None, Some(coded)) if kind == "Secret" => String::from_utf8(STANDARD.decode(coded).ok()?).ok(),
            (None, plain) => plain.map(str::to_owned),
        }
    }

    /// Whether every host of a list as libpq takes it is the pod itself, or a service of the chart that leads to its own pods
    /// in `namespace`.
    pub fn is_own_host(&self, hosts: &str, namespace: &str) -> bool {
        hosts.split(',').map(str::trim).all(|host| {
            // a socket's folder
            if ITSELF.contains(&host) || host.starts_with('/') {
                return true;
            }
            let host = host.strip_suffix('.').unwrap_or(host);
            let mut parts = host.split('.');
            let (service, rest) = (parts.next().unwrap_or_default(), parts.collect::<Vec<_>>());
            self.leads_to_pods(service, namespace) && is_inside(&rest, namespace)
                // one pod of a headless service
                || rest.split_first().is_some_and(|(service, rest)| {
                    self.leads_to_pods(service, namespace) && is_inside(rest, namespace)
                })
        })
    }

    fn leads_to_pods(&self, name: &str, namespace: &str) -> bool {
        self.documents().iter().any(|document| {
            let place = text(document, "/metadata/namespace");
            text(document, "/kind") == "Service"
                && text(document, "/metadata/name") == name
                && (place.is_empty() || place == namespace)
                && text(document, "/spec/type") != "ExternalName"
                // without a selector its addresses are written by hand
                && document.pointer("/spec/selector").and_then(Value::as_object).is_some_and(|all| !all.is_empty())
        })
    }
}

/// Whether what follows a service's name stays in `namespace`: nothing, or the namespace, `svc` and the cluster's domain.
fn is_inside(rest: &[&str], namespace: &str) -> bool {
    match rest {
        [] => true,
        [place] => *place == namespace,
        [place, svc, ..] => *place == namespace && *svc == "svc",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHART: &str = "---
apiVersion: v1
kind: Service
metadata: {name: pix-db}
spec: {clusterIP: None, selector: {app: pix-db}}
---
apiVersion: v1
kind: Service
metadata: {name: away}
spec: {type: ExternalName, externalName: db.example.net}
---
apiVersion: v1
kind: Service
metadata: {name: by-hand}
spec: {ports: [{port: 5432}]}
---
apiVersion: v1
kind: Secret
metadata: {name: env}
data: {HOST: ZGIuZXhhbXBsZS5uZXQ=}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: pix-core}
spec:
  template:
    spec:
      containers:
        - {name: a, image: 'i:1', env: [{name: HOST, value: pix-db}], envFrom: [{secretRef: {name: env}}]}
        - {name: b, image: 'i:1', envFrom: [{configMapRef: {name: none}}, {secretRef: {name: env}}]}
        - {name: c, image: 'i:1', env: [{name: HOST, valueFrom: {secretKeyRef: {name: env, key: HOST}}}]}
        - {name: d, image: 'i:1'}
";

    #[test]
    fn values_come_from_where_the_kubelet_takes_them() {
        let rendered = Rendered::parse(CHART).unwrap();
        let found: Vec<String> = rendered.values_of("HOST").into_iter().collect();
        assert_eq!(found, ["db.example.net", "pix-db"]);
        assert!(rendered.values_of("OTHER").is_empty());
    }

    #[test]
    fn only_a_service_of_the_charts_own_pods_is_its_own() {
        let rendered = Rendered::parse(CHART).unwrap();
        let own = |host: &str| rendered.is_own_host(host, "plant-rehearsal");
        for host in [
            "pix-db",
            "pix-db.plant-rehearsal",
            "pix-db.plant-rehearsal.svc.cluster.local",
            "localhost",
            "/run/pg",
            "pix-db-0.pix-db",
            "pix-db-0.pix-db.plant-rehearsal.svc",
            "",
            "pix-db,localhost",
        ] {
            assert!(own(host), "{host}");
        }
        for host in [
            "db.example.net",
            "pix-db.plant",
            "pix-db.plant.svc.cluster.local",
            "away",
            "by-hand",
            "10.0.0.7",
            "other",
            "pix-db,db.example.net",
            "pix-db.plant-rehearsal.example.net",
            "pix-db-0.pix-db.plant",
        ] {
            assert!(!own(host), "{host}");
        }
    }
}
