//! The applications of a core: their defaults, and what a change may hold.

use serde_json::{Map, Value, json};

/// The applications of a new container.
pub fn defaults(version: &str) -> Map<String, Value> {
    let lns = json!({"kind": "lns", "api_url": "", "owner": "", "token": ""});
    let all = json!({
        "lns-main": lns, "lns-backup": lns,
        "decoder": {"kind": "worker", "active": true, "source": "builtin:decoder", "settings": {"batch": 100}},
        "alarm-mailer": {"kind": "worker", "active": false, "source": "builtin:alarm-mailer", "settings": {}},
        "geo-fence": {"kind": "worker", "active": true, "source": "builtin:geo-fence", "settings": {"interval_s": 30}},
    });
    let mut all = all.as_object().cloned().unwrap_or_default();
    if version.starts_with("5.") {
        for name in ["lns-main", "lns-backup"] {
            all[name]["verify_tls"] = json!(true);
        }
        all.insert(
            "edge-sync".to_owned(),
            json!({"kind": "worker", "active": false, "source": "builtin:edge-sync", "settings": {}}),
        );
    }
    all
}

/// What a practice plant has configured: two connections, custom workers, a changed default.
pub fn of_a_plant() -> Value {
    json!({
        "lns-main": {"api_url": "https://lns.example.net:8443/api/v3", "owner": "plant-7 \"north\"", "token": "eyJhbGciOiJIUzI1NiJ9.c2VlZA.p$%&'x"},
        "lns-backup": {"api_url": "https://lns-b.example.net/api", "owner": "plant-7", "token": "b4ck-up_token"},
        "geo-fence": {"active": false, "settings": {"interval_s": 120, "zones": ["yard", "gate 3"]}},
        "valve-guard": {"active": true, "source": "git+https://git.example.net/plant/valve-guard#v1.4", "settings": {"threshold": 0.75, "notify": {"mail": "ops@example.net", "smtp_pass": "v4lve-mail-77"}}},
        "meter-import": {"active": false, "source": "upload:meter-import-2.1.zip", "settings": {"cron": "*/15 * * * *"}},
    })
}

/// Changes one application; an unknown name deploys a worker. True when it is new; the error is the API's.
pub fn put(
    all: &mut Map<String, Value>,
    version: &str,
    name: &str,
    change: &Map<String, Value>,
) -> Result<bool, String> {
    let new = !all.contains_key(name);
    let mut app = all
        .get(name)
        .cloned()
        .unwrap_or_else(|| json!({"kind": "worker", "active": false, "source": "", "settings": {}}));
    let kind = app["kind"].as_str().unwrap_or_default().to_owned();
    for (key, value) in change {
        let right = match (kind.as_str(), key.as_str()) {
            (_, "kind") => value.as_str() == Some(&kind),
            ("lns", "api_url" | "owner" | "token") | ("worker", "source") => value.is_string(),
            ("lns", "verify_tls") => version.starts_with("5.") && value.is_boolean(),
            ("worker", "active") => value.is_boolean(),
            ("worker", "settings") => value.is_object(),
            _ => false,
        };
        if !right {
            return Err(format!("{key}: unknown or not of the right type"));
        }
        app[key] = value.clone();
    }
    all.insert(name.to_owned(), app);
    Ok(new)
}
