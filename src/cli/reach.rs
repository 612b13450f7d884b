//! Why a target is not reached before a run begins, for somebody who has never seen this message.

use std::path::PathBuf;

use super::{Exit, Failure};
use crate::{
    cluster::{Cluster, Route},
    ports::{Acting, PortError, PortErrorKind},
    text::Diagnostic,
};

/// Which way leads to the cluster, and as whom.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct ReachArgs {
    /// Context of the kubeconfig
    #[arg(long)]
    pub context: Option<String>,
    /// A kubeconfig instead of that of KUBECONFIG or the home folder
    #[arg(long, value_name = "FILE")]
    pub kubeconfig: Option<PathBuf>,
    /// Acts as this user, as kubectl's --as does; kept in the run
    #[arg(long = "as", value_name = "USER", value_parser = clap::builder::NonEmptyStringValueParser::new())]
    pub acting_as: Option<String>,
    /// A group of that user
    #[arg(long, value_name = "GROUP", requires = "acting_as")]
    pub as_group: Vec<String>,
}

impl ReachArgs {
    /// The same as a route.
    pub fn route(&self) -> Route {
        let acting = Acting { user: self.acting_as.clone().unwrap_or_default(), groups: self.as_group.clone() };
        Route { kubeconfig: self.kubeconfig.clone(), context: self.context.clone(), acting }
    }

    /// The way of a run that is gone on from, as whom it acted.
    pub fn of(context: &str, acting: &Acting) -> Self {
        Self {
            context: Some(context.to_owned()),
            kubeconfig: None,
            acting_as: (!acting.is_oneself()).then(|| acting.user.clone()),
            as_group: acting.groups.clone(),
        }
    }

    /// Whether more is said than a context, which the full screen would ask for.
    pub fn is_special(&self) -> bool {
        self.kubeconfig.is_some() || self.acting_as.is_some()
    }
}

/// The kubeconfig or one of its contexts cannot be used.
pub fn no_context(error: PortError) -> Failure {
    let problem = Diagnostic::from(error)
        .safe("everything: no cluster was contacted")
        .help("`kubectl config get-contexts` shows what there is; KUBECONFIG or --kubeconfig names the file, --context the context");
    Failure::new(Exit::Environment, problem)
}

/// The place does not answer as it should. Nothing was sent that could change anything.
pub fn no_answer(error: PortError, cluster: &Cluster, namespace: &str) -> Failure {
    let missing = error.kind == PortErrorKind::NotFound;
    let unknown = error.kind == PortErrorKind::Unauthorized;
    let problem = Diagnostic::from(error).cause(cluster.way()).safe("everything: this was only asked for its identity");
    let problem = if missing {
        let hint =
            format!("look at the spelling of {namespace} and at the context: a target's namespace is never made");
        problem.help(hint).help("`kubectl get namespaces` shows which there are")
    } else {
        problem
    };
    let problem = if unknown && cluster.plugin().is_some() { problem.help(log_in(cluster)) } else { problem };
    Failure::new(Exit::Environment, problem)
}

/// How somebody logs in again.
pub fn log_in(cluster: &Cluster) -> String {
    format!("log in again, at a terminal of its own: drydock login --context {}", cluster.context)
}
