//! How the cluster is reached: through proxies, with credential plugins, as somebody else. The server is the practice world's.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod acting;
#[path = "../gateway/mod.rs"]
mod gateway;
mod plugins;
mod proxies;
#[path = "../pty/mod.rs"]
mod pty;
mod terminals;
#[path = "../tiny/mod.rs"]
mod tiny;

use std::{
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use drydock::{ports::PodRef, practice::ServerOptions};
use serde_json::{Value, json};
use tiny::World;

/// A server, a folder, and a kubeconfig that leads to one from the other.
struct Place {
    world: World,
    folder: tempfile::TempDir,
    config: Value,
}

impl Place {
    async fn new() -> Self {
        let world = World::begin(&[], ServerOptions::default()).await;
        let config = serde_json::from_str(&world.kubeconfig()).unwrap();
        Self { world, folder: tempfile::tempdir().unwrap(), config }
    }

    fn cluster(&mut self) -> &mut Value {
        &mut self.config["clusters"][0]["cluster"]
    }

    fn user(&mut self) -> &mut Value {
        &mut self.config["users"][0]["user"]
    }

    /// The token that the server accepts.
    fn token(&self) -> String {
        self.config["users"][0]["user"]["token"].as_str().unwrap().to_owned()
    }

    /// A name of the server that only a proxy knows.
    fn hide(&mut self) -> String {
        let name = format!("plant.invalid:{}", self.world.server.address().port());
        self.cluster()["server"] = format!("http://{name}").into();
        name
    }

    /// Lays the kubeconfig.
    fn laid(&self) -> PathBuf {
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(&path, self.config.to_string()).unwrap();
        path
    }

    /// Lets a script, `body`, be the user's credential plugin. It runs in the folder's place, with the token in `TOKEN`.
    fn plug(&mut self, mode: Option<&str>, body: &str) {
        let script = self.folder.path().join("plugin-of-plant");
        let folder = self.folder.path().display().to_string();
        std::fs::write(&script, format!("#!/bin/sh\ncd '{folder}' || exit 9\necho run >> runs\n{body}\n")).unwrap();
        std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
        let token = self.token();
        let mut exec = json!({"apiVersion": "client.authentication.k8s.io/v1", "command": script, "args": ["canary-argument"],
            "env": [{"name": "TOKEN", "value": token}]});
        if let Some(mode) = mode {
            exec["interactiveMode"] = mode.into();
        }
        self.config["users"][0]["user"] = json!({"exec": exec});
    }

    /// How often the plugin ran.
    fn runs(&self) -> usize {
        std::fs::read_to_string(self.folder.path().join("runs")).map_or(0, |text| text.lines().count())
    }

    /// What the plugin wrote down.
    fn noted(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }
}

/// A line of a script that gives the token, and whatever else the status holds.
fn gives(token: &str, more: &str) -> String {
    format!(
        r#"printf '{{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","status":{{"token":"%s"{more}}}}}' "{token}""#
    )
}

fn pod() -> PodRef {
    PodRef { namespace: "plant".into(), pod: "box".into(), container: "main".into(), uid: String::new() }
}

/// Variables of the environment that would lead elsewhere.
const PROXIES: [&str; 6] = ["HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy"];

struct Said {
    code: Option<i32>,
    out: String,
    notes: String,
}

/// The real program without a terminal.
fn say(kubeconfig: &Path, args: &[&str], set: &[(&str, &str)]) -> Said {
    let state = kubeconfig.with_file_name("state");
    let mut command = Command::new(env!("CARGO_BIN_EXE_drydock"));
    for name in PROXIES {
        command.env_remove(name);
    }
    command.args(args).env("DRYDOCK_STATE_DIR", state).env("KUBECONFIG", kubeconfig).envs(set.iter().copied());
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Said { code: output.status.code(), out: text(output.stdout), notes: text(output.stderr) }
}

impl Said {
    fn holds(&self, code: i32, parts: &[&str]) {
        let all = format!("{}{}", self.out, self.notes);
        assert_eq!(self.code, Some(code), "{all}");
        for part in parts {
            assert!(all.contains(part), "no {part:?} in: {all}");
        }
    }
}
