//! Why a target is not reached before a run begins, for somebody who has never seen this message.

use super::{Exit, Failure};
use crate::{
    cluster::Cluster,
    ports::{PortError, PortErrorKind},
    text::Diagnostic,
};

/// The kubeconfig or one of its contexts cannot be used.
pub fn no_context(error: PortError) -> Failure {
    let problem = Diagnostic::from(error)
        .safe("everything: no cluster was contacted")
        .help("`kubectl config get-contexts` shows what there is; KUBECONFIG names the file, --context the context");
    Failure::new(Exit::Environment, problem)
}

/// The place does not answer as it should. Nothing was sent that could change anything.
pub fn no_answer(error: PortError, cluster: &Cluster, namespace: &str) -> Failure {
    let missing = error.kind == PortErrorKind::NotFound;
    let problem = Diagnostic::from(error)
        .cause(format!("context {} at {}", cluster.context, cluster.server()))
        .safe("everything: this was only asked for its identity");
    let problem = if missing {
        let hint =
            format!("look at the spelling of {namespace} and at the context: a target's namespace is never made");
        problem.help(hint).help("`kubectl get namespaces` shows which there are")
    } else {
        problem
    };
    Failure::new(Exit::Environment, problem)
}
