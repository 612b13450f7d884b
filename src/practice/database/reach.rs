//! Reaching a database over the simulated network: names, endpoints, passwords, and the words libpq has for their faults.

use serde_json::Value;

use super::{
    super::{network, objects::Key, state::Shared},
    Database,
};
use crate::practice::shell::Place;

/// Where to connect to.
#[derive(Debug, Clone, Default)]
pub struct Target {
    /// Name of the host; none means the socket of this container.
    pub host: Option<String>,
    /// User.
    pub user: Option<String>,
    /// Name of the database.
    pub database: Option<String>,
}

/// A connection.
#[derive(Debug, Clone)]
pub struct Reached {
    /// The volume on which the database lies.
    pub volume: String,
    /// Uid of the pod that serves it.
    pub server: String,
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    value.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The volume of a pod's first claim.
pub fn volume_of(shared: &Shared, namespace: &str, pod: &Value) -> Option<String> {
    let volumes = pod.pointer("/spec/volumes")?.as_array()?;
    let claim = volumes.iter().find_map(|volume| volume.pointer("/persistentVolumeClaim/claimName"))?.as_str()?;
    let claim = shared.objects.get(&Key::new("", "persistentvolumeclaims", Some(namespace), claim))?;
    Some(text(&claim, "/spec/volumeName").to_owned()).filter(|name| !name.is_empty())
}

/// Uid, name and address of the ready pod behind a Service.
fn endpoint(shared: &Shared, namespace: &str, host: &str) -> Option<(String, String, String)> {
    let mut parts = host.split('.');
    let service = parts.next()?;
    let namespace = parts.next().unwrap_or(namespace);
    let endpoints = shared.objects.get(&Key::new("", "endpoints", Some(namespace), service))?;
    let address = endpoints.pointer("/subsets/0/addresses/0")?;
    let found = |pointer| text(address, pointer).to_owned();
    Some((found("/targetRef/uid"), found("/targetRef/name"), found("/ip")))
}

/// Whether the database behind `host` accepts connections.
pub fn is_ready(place: &Place, host: &str) -> bool {
    endpoint(&place.shared, &place.namespace, host).is_some()
}

/// Connects; the error is what libpq says.
pub fn connect(place: &Place, target: &Target) -> Result<Reached, String> {
    let shared = &place.shared;
    let local =
        target.host.as_deref().is_none_or(|host| host.is_empty() || host == "localhost" || host.starts_with('/'));
    let (server, pod, address) = if local {
        (place.uid.clone(), place.pod.clone(), String::new())
    } else {
        let host = target.host.as_deref().unwrap_or_default();
        let elsewhere = host.split('.').nth(1).is_some_and(|namespace| namespace != place.namespace);
        if elsewhere && !network::leaves(shared, &place.namespace) {
            return Err(format!("connection to server at \"{host}\", port 5432 failed: timeout expired"));
        }
        endpoint(shared, &place.namespace, host).ok_or_else(|| {
            format!("could not translate host name \"{host}\" to address: Temporary failure in name resolution")
        })?
    };
    let at = if local {
        "connection to server on socket \"/var/run/postgresql/.s.PGSQL.5432\" failed".to_owned()
    } else {
        format!(
            "connection to server at \"{}\" ({address}), port 5432 failed",
            target.host.as_deref().unwrap_or_default()
        )
    };
    let found = shared.objects.get(&Key::new("", "pods", Some(&place.namespace), &pod));
    let volume = found.and_then(|pod| volume_of(shared, &place.namespace, &pod));
    let serves = shared.look(|state| state.pods.get(&server).is_some_and(|pod| pod.serves));
    let Some(volume) = volume.filter(|_| serves) else {
        return Err(if local {
            format!(
                "{at}: No such file or directory\n\tIs the server running locally and accepting connections on that socket?"
            )
        } else {
            format!("{at}: Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?")
        });
    };
    let password = place.env.get("PGPASSWORD").cloned().unwrap_or_default();
    shared.look(|state| match state.volumes.get(&volume) {
        Some(database) => admit(database, target, &password, local).map_err(|reason| format!("{at}: {reason}")),
        None => Err(format!("{at}: FATAL:  the database system is starting up")),
    })?;
    Ok(Reached { volume, server })
}

fn admit(database: &Database, target: &Target, password: &str, local: bool) -> Result<(), String> {
    let user = target.user.as_deref().unwrap_or("root");
    if !local && password.is_empty() {
        return Err("fe_sendauth: no password supplied".to_owned());
    }
    if user != database.user && local {
        return Err(format!("FATAL:  role \"{user}\" does not exist"));
    }
    if !local && (user != database.user || password != database.password) {
        return Err(format!("FATAL:  password authentication failed for user \"{user}\""));
    }
    let name = target.database.as_deref().unwrap_or(user);
    if name == database.name { Ok(()) } else { Err(format!("FATAL:  database \"{name}\" does not exist")) }
}
