//! `login`: the context's credential plugin runs on this terminal, where it may ask, and the server says who that is.

use std::io::{Write, stderr, stdout};

use jiff::Timestamp;
use serde::Serialize;
use tokio::signal::unix::{SignalKind, signal};

use super::{
    Exit, Failure, Global, Outcome,
    inspect::object,
    reach::{self, ReachArgs},
};
use crate::{
    cluster::{Cluster, Known, Lasting, Route},
    ports::{Acting, PortErrorKind},
    text::{Diagnostic, printable, units},
};

/// `login`
#[derive(Debug, clap::Args)]
pub struct LoginArgs {
    #[command(flatten)]
    reach: ReachArgs,
}

/// What a login found.
#[derive(Debug, Serialize)]
struct Found {
    context: String,
    server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    proxy: Option<String>,
    credentials: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    until: Option<Timestamp>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<String>,
    groups: Vec<String>,
    #[serde(skip_serializing_if = "Acting::is_oneself")]
    acting: Acting,
    version: String,
}

/// `drydock login`
pub async fn login(global: &Global, args: &LoginArgs) -> Outcome {
    let cluster = Cluster::connect(&args.reach.route()).map_err(reach::no_context)?;
    if let (Some(plugin), false) = (cluster.plugin(), global.json) {
        let line = format!("drydock. Credential plugin {plugin} of {}: what follows is its own.", cluster.way());
        writeln!(stderr(), "{}", printable(&line))?;
    }
    let given = cluster.log_in().await.map_err(|error| {
        let help = format!("run it by itself to see more: kubectl --context {} get namespaces", cluster.context);
        Failure::new(Exit::Environment, Diagnostic::from(error).safe("everything: no cluster was asked").help(help))
    })?;
    let who = async { Ok((cluster.who().await?, cluster.version().await?)) };
    let (known, version) = who.await.map_err(|error| refused(error, &cluster))?;
    if global.json {
        object(&mut stdout(), "login", &found(&cluster, given.as_ref(), known, version))?;
        return Ok(Exit::Done);
    }
    let mut out = stdout();
    for line in lines(&cluster, given.as_ref(), known.as_ref(), &version) {
        writeln!(out, "{}", printable(&line))?;
    }
    Ok(Exit::Done)
}

/// Runs the credential plugin of a context on this terminal, which nobody else has meanwhile; what came of it, in a line.
pub async fn in_front(context: &str) -> String {
    // Ctrl-C is for the plugin: the door comes back
    let _heard = signal(SignalKind::interrupt());
    let given = match Cluster::connect(&Route::context(context)) {
        Ok(cluster) => cluster.log_in().await,
        Err(error) => Err(error),
    };
    match given {
        Ok(_) => format!("Logged in to {context}; its server is asked."),
        Err(error) => printable(&error.detail),
    }
}

fn refused(error: crate::ports::PortError, cluster: &Cluster) -> Failure {
    let unknown = error.kind == PortErrorKind::Unauthorized;
    let problem = Diagnostic::from(error)
        .cause(cluster.way())
        .cause(format!("credentials: {}", cluster.credentials()))
        .safe("everything: it was only asked who you are");
    let problem = match (unknown, cluster.plugin()) {
        (true, Some(_)) => problem.help("look at the settings of the plugin: it may log in to another cluster"),
        (true, None) => problem.help("get a new kubeconfig from whoever runs the cluster: there is no plugin to ask"),
        (false, _) => problem.help("look at network, VPN, proxy and the address of the context"),
    };
    Failure::new(Exit::Environment, problem)
}

fn found(cluster: &Cluster, given: Option<&Lasting>, known: Option<Known>, version: String) -> Found {
    let (user, groups) = known.map_or((None, Vec::new()), |known| (Some(known.user), known.groups));
    Found {
        context: cluster.context.clone(),
        server: cluster.server().to_owned(),
        proxy: cluster.proxy().map(str::to_owned),
        credentials: cluster.credentials(),
        until: given.and_then(|given| given.until),
        user,
        groups,
        acting: cluster.acting(),
        version,
    }
}

fn lines(cluster: &Cluster, given: Option<&Lasting>, known: Option<&Known>, version: &str) -> Vec<String> {
    let mut lines = vec![format!("{}, Kubernetes {version}, answers.", cluster.way())];
    lines.push(match known {
        Some(Known { user, groups }) if groups.is_empty() => format!("You are {user} there."),
        Some(Known { user, groups }) => format!("You are {user} there, in {}.", groups.join(", ")),
        None => "It is too old to say who you are (before Kubernetes 1.28).".to_owned(),
    });
    if !cluster.acting().is_oneself() {
        lines.push(format!("You act as {}: that is whom it names.", cluster.acting()));
    }
    let Some(given) = given else {
        lines.push(format!("There is no credential plugin to log in with: it uses {}.", cluster.credentials()));
        return lines;
    };
    lines.push(match given.until {
        Some(until) => {
            let left = u64::try_from((until - Timestamp::now()).get_seconds()).unwrap_or(0);
            format!("Logged in until {until:.0}, {}; after that the plugin is asked again.", units::about(left))
        }
        None => "Logged in; the plugin does not say for how long.".to_owned(),
    });
    if given.here_only {
        lines.push(
            "This login ends with this command: the plugin wants a terminal each time (interactiveMode: Always). Where it keeps what it got, IfAvailable lets drydock use it."
                .to_owned(),
        );
    }
    lines
}
