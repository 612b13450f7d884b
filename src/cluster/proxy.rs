//! Which proxy leads to a server: the context's own, else the environment's, chosen as kubectl chooses. The library would
//! compare NO_PROXY with the proxy's address instead of the server's, and take HTTPS_PROXY for plain HTTP, too.

use std::net::IpAddr;

use http::Uri;
use hyper_util::client::proxy::matcher::Matcher;

/// Schemes that a proxy may have.
const SCHEMES: [&str; 3] = ["http", "https", "socks5"];
/// Port of a SOCKS proxy that names none.
const SOCKS: u16 = 1080;

/// The proxy to a server, if any: `own` is the context's proxy-url, `variable` the environment.
pub(super) fn proxy(
    server: &Uri,
    own: Option<&str>,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Option<Uri>, String> {
    if let Some(own) = own.filter(|own| !own.is_empty()) {
        return address("proxy-url", own).map(Some);
    }
    let either = |upper: &'static str, lower: &'static str| {
        let set = |name: &'static str| variable(name).filter(|value| !value.is_empty()).map(|value| (name, value));
        set(upper).or_else(|| set(lower))
    };
    let named = if server.scheme_str() == Some("http") {
        either("HTTP_PROXY", "http_proxy")
    } else {
        either("HTTPS_PROXY", "https_proxy")
    };
    let Some((name, text)) = named.filter(|_| !is_loopback(server)) else { return Ok(None) };
    let address = address(name, &text)?;
    let except = either("NO_PROXY", "no_proxy").map(|(_, except)| except).unwrap_or_default();
    let any = "http://proxy.invalid";
    let matcher = Matcher::builder().http(any).https(any).no(except).build();
    Ok(matcher.intercept(server).map(|_| address))
}

/// This machine is never behind a proxy of the environment.
fn is_loopback(server: &Uri) -> bool {
    let host = server.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
}

/// The address of a proxy. What cannot be used is told without the login that may stand in it.
fn address(name: &str, text: &str) -> Result<Uri, String> {
    let whole = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
    // client-go knows both words, and resolves names behind the proxy in either case
    let whole = whole.replacen("socks5h://", "socks5://", 1);
    let uri: Uri = whole.parse().map_err(|_| format!("{name} is no address of a proxy"))?;
    let scheme = uri.scheme_str().unwrap_or_default();
    let Some(authority) = uri.authority().filter(|_| SCHEMES.contains(&scheme)) else {
        return Err(format!("{name} names a proxy of the kind {scheme}; there are http, https and socks5"));
    };
    if scheme != "socks5" {
        return Ok(uri);
    }
    if authority.as_str().contains('@') {
        return Err(format!("{name} names a SOCKS proxy with a login, and one with a login cannot be used"));
    }
    let port = authority.port_u16().unwrap_or(SOCKS);
    format!("socks5://{}:{port}", authority.host()).parse().map_err(|_| format!("{name} is no address of a proxy"))
}

/// As it may be shown: without a login.
pub(super) fn shown(proxy: &Uri) -> String {
    let authority = proxy.authority().map_or("", http::uri::Authority::as_str);
    let place = authority.rsplit_once('@').map_or(authority, |(_, place)| place);
    format!("{}://{place}", proxy.scheme_str().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(server: &str, own: Option<&str>, set: &[(&str, &str)]) -> Result<Option<Uri>, String> {
        let variable = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        proxy(&server.parse().unwrap(), own, variable)
    }

    fn through(server: &str, own: Option<&str>, set: &[(&str, &str)]) -> String {
        asked(server, own, set).unwrap().map_or_else(|| "none".to_owned(), |uri| uri.to_string())
    }

    #[test]
    fn the_variable_is_chosen_by_the_servers_scheme() {
        let set = [("HTTPS_PROXY", "http://a:1"), ("https_proxy", "http://b:2"), ("http_proxy", "c:3")];
        assert_eq!(through("https://k8s.plant:6443", None, &set), "http://a:1/");
        assert_eq!(through("https://k8s.plant:6443", None, &set[1..]), "http://b:2/");
        assert_eq!(through("http://k8s.plant", None, &set), "http://c:3/");
        assert_eq!(through("http://k8s.plant", None, &set[..2]), "none");
        assert_eq!(through("https://k8s.plant", None, &[("HTTPS_PROXY", "")]), "none");
    }

    #[test]
    fn the_environments_proxy_is_not_for_this_machine_nor_for_what_is_excepted() {
        let set = |except| [("HTTPS_PROXY", "http://proxy.plant:3128"), ("NO_PROXY", except)];
        let used = "http://proxy.plant:3128/";
        for server in ["https://127.0.0.1:6443", "https://localhost:6443", "https://[::1]:6443"] {
            assert_eq!(through(server, None, &set("")), "none", "{server}");
        }
        assert_eq!(through("https://10.1.2.3:6443", None, &set("192.168.0.0/16, 10.0.0.0/8")), "none");
        assert_eq!(through("https://10.1.2.3:6443", None, &set("10.2.0.0/16")), used);
        assert_eq!(through("https://k8s.in.plant:6443", None, &set("other,.in.plant")), "none");
        assert_eq!(through("https://k8s.out.plant:6443", None, &set(".in.plant")), used);
        assert_eq!(through("https://k8s.out.plant:6443", None, &set("*")), "none");
        // an exception is about the server: the proxy's own name says nothing
        assert_eq!(through("https://k8s.out.plant:6443", None, &set("proxy.plant")), used);
        // an empty one between two commas is none
        assert_eq!(through("https://k8s.out.plant:6443", None, &set("a,,b")), used);
    }

    #[test]
    fn the_contexts_own_proxy_is_always_used() {
        let set = [("HTTPS_PROXY", "http://a:1"), ("NO_PROXY", "*")];
        assert_eq!(through("https://127.0.0.1:6443", Some("https://own:3129"), &set), "https://own:3129/");
        assert_eq!(through("https://k", Some("socks5h://own"), &[]), "socks5://own:1080/");
        assert_eq!(through("https://k", Some("socks5://own:9"), &[]), "socks5://own:9/");
        assert_eq!(through("https://k", Some(""), &[("HTTPS_PROXY", "a:1")]), "http://a:1/");
    }

    #[test]
    fn what_cannot_be_used_is_refused_without_its_login() {
        for own in ["ftp://anna:canary@own", "socks5://anna:canary@own", "http://anna:canary@ow n"] {
            let said = asked("https://k", Some(own), &[]).unwrap_err();
            assert!(said.starts_with("proxy-url ") && !said.contains("canary"), "{said}");
        }
        let said = asked("https://k", None, &[("https_proxy", "ftp://own")]).unwrap_err();
        assert_eq!(said, "https_proxy names a proxy of the kind ftp; there are http, https and socks5");
        assert_eq!(shown(&"http://anna:can%40ary@own:3128".parse().unwrap()), "http://own:3128");
        assert_eq!(shown(&"socks5://own:1080".parse().unwrap()), "socks5://own:1080");
    }
}
