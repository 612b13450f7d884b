//! kube's errors as the one error of all ports, in words an administrator can act on.

use crate::{
    ports::{PortError, PortErrorKind},
    text::printable,
};

/// Translates an error of a call that was to do `what`.
pub fn translate(what: &str, error: &kube::Error) -> PortError {
    if let kube::Error::Api(status) = error {
        let kind = match status.code {
            401 => PortErrorKind::Unauthorized,
            403 => PortErrorKind::Forbidden,
            404 => PortErrorKind::NotFound,
            409 | 412 => PortErrorKind::Conflict,
            400 | 405 | 415 | 422 => PortErrorKind::Invalid,
            408 | 504 => PortErrorKind::Timeout,
            429 | 500 | 502 | 503 => PortErrorKind::Unreachable,
            _ => PortErrorKind::Other,
        };
        return PortError::new(kind, what, printable(&status.message));
    }
    // a credential plugin that gave nothing: no request was made
    if let kube::Error::Service(cause) = error
        && let Some(cause) = cause.downcast_ref::<PortError>()
    {
        return PortError::new(cause.kind, what, printable(&cause.to_string()));
    }
    let said = chain(error);
    let kind = match error {
        kube::Error::Auth(_) => PortErrorKind::Unauthorized,
        kube::Error::Service(_)
        | kube::Error::HyperError(_)
        | kube::Error::UpgradeConnection(_)
        | kube::Error::ReadEvents(_) => PortErrorKind::Unreachable,
        _ => PortErrorKind::Other,
    };
    let words = if said.contains("certificate has expired") || said.contains("CertExpired") || said.contains("Expired")
    {
        "a certificate has expired: it must be renewed, or the clock of this machine is wrong".to_owned()
    } else if said.contains("UnknownIssuer") {
        "the server's certificate is not signed by the CA of this context: it is another cluster, or somebody in between"
            .to_owned()
    } else if said.contains("failed to create underlying connection") {
        "nothing answers at the proxy's address".to_owned()
    } else if said.contains("tunnel error") || said.to_lowercase().contains("socks error") {
        format!("the proxy does not let this connection through: {}", printable(&said))
    } else if said.contains("Connection refused") {
        "nothing answers at the server's address (connection refused)".to_owned()
    } else if said.contains("dns error") || said.contains("failed to lookup") {
        "the server's name cannot be resolved".to_owned()
    } else {
        printable(&said)
    };
    PortError::new(kind, what, words)
}

/// An error with its causes, each once.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut said = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let text = cause.to_string();
        if !said.contains(&text) {
            said = format!("{said}: {text}");
        }
        source = cause.source();
    }
    said
}
