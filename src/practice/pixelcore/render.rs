//! What PixelCore's chart renders, made by our own code: the same names, labels and annotations.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::dotenv;
use crate::text::hex;

/// Repository of the image; its tag is the version.
pub const IMAGE: &str = "registry.example.net/pixelcore";

/// The chart's own values.
pub fn defaults() -> Value {
    json!({
        "version": "4.2.0", "dotenv": "", "image": "", "imagePullPolicy": "IfNotPresent",
        "storage": {"size": "5Gi", "className": ""},
        "core": {"startSeconds": 6, "linesPerSecond": 5, "resources": {}},
        "worker": {"replicas": 1, "ingest": false},
    })
}

fn text(values: &Value, pointer: &str) -> String {
    match values.pointer(pointer) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::new(),
        Some(other) => other.to_string(),
    }
}

/// The objects of a release in the order in which Helm installs them; the error is Helm's.
pub fn objects(values: &Value, release: &str, namespace: &str) -> Result<Vec<Value>, String> {
    let env = dotenv::read(&text(values, "/dotenv"));
    if let Some(key) =
        ["PIX_DB_NAME", "PIX_DB_USER", "PIX_DB_PASSWORD"].iter().find(|key| env.get(**key).is_none_or(String::is_empty))
    {
        return Err(format!(
            "execution error at (pixelcore/templates/env.yaml:3:36): {key} is missing: pass the environment with --set-file dotenv=.env"
        ));
    }
    let version = text(values, "/version");
    let image = match text(values, "/image") {
        image if image.is_empty() => format!("{IMAGE}:{version}"),
        image => image,
    };
    let labels = json!({"app.kubernetes.io/name": "pixelcore", "app.kubernetes.io/instance": release,
        "app.kubernetes.io/version": version, "app.kubernetes.io/managed-by": "Helm"});
    let checksum = hex(&Sha256::digest(json!(env).to_string().as_bytes()));
    let chart = Chart { values, release, namespace, labels, image, checksum };
    let plain: Map<String, Value> =
        env.iter().filter(|(key, _)| !dotenv::is_secret(key)).map(|(key, value)| (key.clone(), json!(value))).collect();
    let secret: Map<String, Value> = env
        .iter()
        .filter(|(key, _)| dotenv::is_secret(key))
        .map(|(key, value)| (key.clone(), json!(STANDARD.encode(value))))
        .collect();
    let mut code: Map<String, Value> = crate::practice::database::SCHEMAS
        .iter()
        .map(|(version, text)| (format!("schema-{version}.sql"), json!(text)))
        .collect();
    code.insert("pix.py".to_owned(), json!("# played by drydock practice: src/practice/pixelcore\n"));
    Ok(vec![
        chart.object("v1", "Secret", "pix-secrets", &json!({"type": "Opaque", "data": secret})),
        chart.object("v1", "ConfigMap", "pix-env", &json!({"data": plain})),
        chart.object("v1", "ConfigMap", "pix-code", &json!({"data": code})),
        chart.object(
            "v1",
            "Service",
            "pix-db",
            &json!({"spec": {"clusterIP": "None", "selector": {"app": "pix-db"},
            "ports": [{"name": "postgres", "port": 5432, "protocol": "TCP", "targetPort": 5432}]}}),
        ),
        chart.object(
            "v1",
            "Service",
            "pix-core",
            &json!({"spec": {"selector": {"app": "pix-core"},
            "ports": [{"name": "http", "port": 8080, "protocol": "TCP", "targetPort": 8080}]}}),
        ),
        chart.core(),
        chart.worker(),
        chart.database(),
    ])
}

struct Chart<'a> {
    values: &'a Value,
    release: &'a str,
    namespace: &'a str,
    labels: Value,
    image: String,
    checksum: String,
}

impl Chart<'_> {
    fn object(&self, api: &str, kind: &str, name: &str, rest: &Value) -> Value {
        let mut object = json!({"apiVersion": api, "kind": kind, "metadata": {"name": name, "namespace": self.namespace,
            "labels": self.labels, "annotations": {"meta.helm.sh/release-name": self.release, "meta.helm.sh/release-namespace": self.namespace}}});
        for (key, value) in rest.as_object().into_iter().flatten() {
            object[key] = value.clone();
        }
        object
    }

    fn template(&self, app: &str, checked: bool, spec: &Value) -> Value {
        let mut labels = json!({"app": app});
        for (key, value) in self.labels.as_object().into_iter().flatten() {
            labels[key] = value.clone();
        }
        let mut meta = json!({"labels": labels});
        if checked {
            meta["annotations"] = json!({"checksum/env": self.checksum});
        }
        json!({"metadata": meta, "spec": spec})
    }

    fn container(&self, name: &str, rest: &Value) -> Value {
        let mut container =
            json!({"name": name, "image": self.image, "imagePullPolicy": text(self.values, "/imagePullPolicy")});
        for (key, value) in rest.as_object().into_iter().flatten() {
            container[key] = value.clone();
        }
        container
    }

    fn core(&self) -> Value {
        let container = self.container("pix-core", &json!({
            "command": ["python3", "-u", "/app/pix.py", "core"],
            "env": [{"name": "PIX_VERSION", "value": text(self.values, "/version")}, {"name": "PIX_DB_HOST", "value": "pix-db"},
                {"name": "PIX_START_SECONDS", "value": text(self.values, "/core/startSeconds")},
                {"name": "PIX_LINES_PER_SECOND", "value": text(self.values, "/core/linesPerSecond")}],
            "envFrom": [{"configMapRef": {"name": "pix-env"}}, {"secretRef": {"name": "pix-secrets"}}],
            "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
            "readinessProbe": {"httpGet": {"path": "/health", "port": "http", "scheme": "HTTP"}, "periodSeconds": 2, "timeoutSeconds": 3},
            "resources": self.values.pointer("/core/resources").cloned().unwrap_or_else(|| json!({})),
            "volumeMounts": [{"name": "code", "mountPath": "/app"}],
        }));
        let spec = json!({"terminationGracePeriodSeconds": 10, "containers": [container], "restartPolicy": "Always",
            "volumes": [{"name": "code", "configMap": {"name": "pix-code", "defaultMode": 420}}]});
        self.object(
            "apps/v1",
            "Deployment",
            "pix-core",
            &json!({"spec": {"replicas": 1, "strategy": {"type": "Recreate"},
            "selector": {"matchLabels": {"app": "pix-core"}}, "template": self.template("pix-core", true, &spec)}}),
        )
    }

    fn worker(&self) -> Value {
        let container = self.container("pix-worker", &json!({
            "command": ["python3", "-u", "/app/pix.py", "worker"],
            "env": [{"name": "PIX_VERSION", "value": text(self.values, "/version")}, {"name": "PIX_DB_HOST", "value": "pix-db"},
                {"name": "PIX_CORE_URL", "value": "http://pix-core:8080"}, {"name": "PIX_INGEST", "value": text(self.values, "/worker/ingest")}],
            "envFrom": [{"configMapRef": {"name": "pix-env"}}, {"secretRef": {"name": "pix-secrets"}}],
            "volumeMounts": [{"name": "code", "mountPath": "/app"}],
        }));
        let spec = json!({"terminationGracePeriodSeconds": 10, "containers": [container], "restartPolicy": "Always",
            "volumes": [{"name": "code", "configMap": {"name": "pix-code", "defaultMode": 420}}]});
        let replicas = self.values.pointer("/worker/replicas").cloned().unwrap_or_else(|| json!(1));
        self.object(
            "apps/v1",
            "Deployment",
            "pix-worker",
            &json!({"spec": {"replicas": replicas,
            "strategy": {"type": "RollingUpdate"}, "selector": {"matchLabels": {"app": "pix-worker"}},
            "template": self.template("pix-worker", true, &spec)}}),
        )
    }

    fn database(&self) -> Value {
        let from = |name: &str, kind: &str, source: &str, key: &str| json!({"name": name, "valueFrom": {kind: {"name": source, "key": key}}});
        let container = self.container("postgres", &json!({
            "args": ["postgres", "-c", "shared_buffers=256MB", "-c", "max_wal_size=4GB", "-c", "log_min_duration_statement=5s"],
            "env": [{"name": "PGDATA", "value": "/var/lib/postgresql/data/pgdata"},
                from("POSTGRES_DB", "configMapKeyRef", "pix-env", "PIX_DB_NAME"),
                from("POSTGRES_USER", "configMapKeyRef", "pix-env", "PIX_DB_USER"),
                from("POSTGRES_PASSWORD", "secretKeyRef", "pix-secrets", "PIX_DB_PASSWORD")],
            "ports": [{"name": "postgres", "containerPort": 5432, "protocol": "TCP"}],
            "readinessProbe": {"tcpSocket": {"port": "postgres"}, "periodSeconds": 3},
            "volumeMounts": [{"name": "data", "mountPath": "/var/lib/postgresql/data"}],
        }));
        let mut claim = json!({"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": text(self.values, "/storage/size")}}});
        let class = text(self.values, "/storage/className");
        if !class.is_empty() {
            claim["storageClassName"] = json!(class);
        }
        let spec = json!({"terminationGracePeriodSeconds": 30, "containers": [container], "restartPolicy": "Always"});
        self.object("apps/v1", "StatefulSet", "pix-db", &json!({"spec": {"serviceName": "pix-db", "replicas": 1,
            "selector": {"matchLabels": {"app": "pix-db"}}, "template": self.template("pix-db", false, &spec),
            "volumeClaimTemplates": [{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": claim}]}}))
    }
}
