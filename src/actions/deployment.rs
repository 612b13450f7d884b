//! The deployment that a runbook is about: how it is installed, where its parts are, how its database is reached. Several
//! kinds of action read it; a rehearsal installs the same thing elsewhere.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    postgres::QualifiedName,
    text::{Diagnostic, Template},
};

/// How the deployment is installed by Helm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct HelmInstall {
    /// Name of the release.
    pub release: Template,
    /// Folder, archive or reference of the chart, on this machine.
    pub chart: Template,
    /// The `capture` step whose values it is installed with.
    pub captured: String,
    /// Single values that change with the upgrade, always text, as `version: "{{ inputs.to_version }}"`.
    #[serde(default)]
    pub set: BTreeMap<String, Template>,
    /// Chart values that take a captured file, byte for byte: value name to item, as `dotenv: environment/dotenv`.
    #[serde(default)]
    pub set_file: BTreeMap<String, String>,
}

impl HelmInstall {
    /// Steps whose captures an installation takes, each with the key that names it.
    pub fn references(&self) -> Vec<(&'static str, &str)> {
        let files = self.set_file.values().map(|item| ("set_file", item.split('/').next().unwrap_or_default()));
        [("helm.captured", self.captured.as_str())].into_iter().chain(files).collect()
    }

    /// Its templates, each with where it stands in it.
    pub fn templates(&self) -> Vec<(String, &Template)> {
        let set = self.set.iter().map(|(name, value)| (format!("set/{name}"), value));
        [("release".to_owned(), &self.release), ("chart".to_owned(), &self.chart)].into_iter().chain(set).collect()
    }
}

/// One container of the deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ContainerAt {
    /// Label selector of its pod.
    pub selector: String,
    /// Name of the container.
    pub container: String,
}

/// Names of the environment variables, in the core container, that say how the database is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Connection {
    /// Variable that holds the host.
    pub host: String,
    /// Variable that holds the user.
    pub user: String,
    /// Variable that holds the password.
    pub password: String,
    /// Variable that holds the database's name.
    pub database: String,
}

impl Connection {
    /// As pairs of libpq variable and container variable, for the `env` script.
    pub fn pairs(&self) -> Vec<(String, String)> {
        [("PGHOST", &self.host), ("PGUSER", &self.user), ("PGPASSWORD", &self.password), ("PGDATABASE", &self.database)]
            .map(|(libpq, variable)| (libpq.to_owned(), variable.clone()))
            .to_vec()
    }
}

/// The application's HTTP interface.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Api {
    /// Port in the core container.
    pub port: u16,
    /// Variable of the core container with the user of basic authentication; not there means none.
    pub user: String,
    /// Variable with its password.
    pub password: String,
    /// Path that answers 200 when the application is ready.
    pub health: String,
    /// Path whose JSON answer has a member `version`.
    pub version: String,
}

/// What a dump consists of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DumpLayout {
    /// Patterns of tables that the plain dump leaves out (`pg_dump -T`).
    pub exclude: Vec<String>,
    /// The large table that goes into a CSV file of its own.
    pub csv_table: String,
    /// Its serial column.
    pub csv_serial: String,
    /// File name of the plain dump; `{namespace}` is replaced.
    pub dump_file: String,
    /// File name of the CSV file; `{namespace}` is replaced.
    pub csv_file: String,
    /// Tables that belong to the version and are not compared.
    pub not_compared: Vec<String>,
}

impl DumpLayout {
    /// The large table with its schema, `public` where the runbook names none.
    pub fn large(&self) -> Result<QualifiedName, Diagnostic> {
        QualifiedName::parse_in("public", &self.csv_table).ok_or_else(|| {
            Diagnostic::new(format!("the runbook's csv_table {:?} is no name of a table", self.csv_table))
        })
    }

    /// Whether a table or sequence counts when two databases are compared.
    pub fn is_compared(&self, name: &QualifiedName) -> bool {
        !self.not_compared.iter().any(|left_out| QualifiedName::parse_in("public", left_out).as_ref() == Some(name))
    }
}

/// The deployment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Deployment {
    /// How it is installed.
    pub helm: HelmInstall,
    /// The application's main container: its API, its environment, its client programs.
    pub core: ContainerAt,
    /// The database server's container.
    pub database: ContainerAt,
    /// How the core reaches the database.
    pub connection: Connection,
    /// The HTTP interface.
    pub api: Api,
    /// Deployments that write to the database by themselves.
    pub writers: Vec<String>,
    /// Workloads that must be ready, as `StatefulSet/pix-db`.
    pub parts: Vec<String>,
    /// What a dump consists of.
    pub dump: DumpLayout,
}
