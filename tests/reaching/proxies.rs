//! Proxies: requests and websockets go through them, chosen by the kubeconfig or the environment, and whom one acts as goes along.

use drydock::{
    cluster::{Cluster, Route},
    ports::{Acting, Exec, Objects, PortErrorKind},
};
use tokio_util::sync::CancellationToken;

use crate::{Place, gateway::Gateway, pod, say};

/// A server that only the proxy finds, and what came by when a file was sent into a pod.
async fn upload_through(scheme: &str, acting: Acting) -> (String, crate::gateway::Seen) {
    let mut place = Place::new().await;
    let gateway = Gateway::to(place.world.server.address(), None).await;
    let hidden = place.hide();
    place.cluster()["proxy-url"] = format!("{scheme}://{}", gateway.address).into();
    let route = Route { kubeconfig: Some(place.laid()), context: None, acting };
    let cluster = Cluster::connect(&route).unwrap();
    let (here, there) = (place.folder.path().join("here"), place.folder.path().join("there"));
    let content: Vec<u8> = (0..300_000u32).map(|at| u8::try_from(at % 251).unwrap()).collect();
    std::fs::write(&here, &content).unwrap();
    let never = CancellationToken::new();
    let done = cluster.upload(&pod(), &here, there.to_str().unwrap(), &|_| {}, &never).await.unwrap();
    assert_eq!(done.bytes, 300_000);
    assert!(std::fs::read(&there).unwrap() == content);
    // a child program gets the same way, and it was asked through that very file
    let identity = cluster.identity("plant").await.unwrap();
    let private = cluster.private_kubeconfig(&identity).await.unwrap();
    let private: serde_json::Value = serde_json::from_slice(private.expose_secret()).unwrap();
    assert_eq!(private["clusters"][0]["cluster"]["proxy-url"], format!("{scheme}://{}", gateway.address));
    let expected = &route.acting;
    assert_eq!(private["users"][0]["user"]["as"].as_str().unwrap_or_default(), expected.user);
    let groups = private["users"][0]["user"]["as-groups"].as_array().map_or(0, Vec::len);
    assert_eq!(groups, expected.groups.len());
    (hidden, gateway.seen())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connect_proxy_carries_requests_and_websockets_and_whom_they_act_as() {
    let acting = Acting { user: "bob".into(), groups: vec!["ops".into(), "dba".into()] };
    let (hidden, seen) = upload_through("http", acting).await;
    assert!(seen.asked.iter().all(|asked| asked.starts_with(&format!("CONNECT {hidden} "))), "{:?}", seen.asked);
    let heads = seen.sent.join("\n").to_lowercase();
    let websockets = heads.matches("upgrade: websocket").count();
    assert!(websockets >= 2, "{websockets} websockets");
    let requests = heads.matches(" http/1.1\r\n").count();
    for header in ["impersonate-user: bob", "impersonate-group: ops", "impersonate-group: dba"] {
        assert_eq!(heads.matches(header).count(), requests, "{header}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socks_proxy_carries_them_too_and_resolves_the_name() {
    let (hidden, seen) = upload_through("socks5", Acting::default()).await;
    assert!(seen.asked.iter().all(|asked| *asked == format!("SOCKS {hidden}")), "{:?}", seen.asked);
    let heads = seen.sent.join("\n").to_lowercase();
    assert!(heads.contains("upgrade: websocket") && !heads.contains("impersonate-"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_with_a_login_gets_it_and_nobody_else_sees_it() {
    let mut place = Place::new().await;
    // anna:canary@77
    let gateway = Gateway::to(place.world.server.address(), Some("YW5uYTpjYW5hcnlANzc=")).await;
    place.hide();
    place.cluster()["proxy-url"] = format!("http://anna:canary%4077@{}", gateway.address).into();
    let said = say(&place.laid(), &["login"], &[]);
    said.holds(0, &[&format!("through the proxy http://{}", gateway.address), "You are practice there"]);
    assert!(!format!("{}{}", said.out, said.notes).contains("canary"), "{}{}", said.out, said.notes);

    place.cluster()["proxy-url"] = format!("http://anna:wrong-canary@{}", gateway.address).into();
    let said = say(&place.laid(), &["login"], &[]);
    said.holds(
        4,
        &["the proxy", "does not let", &format!("through the proxy http://{}", gateway.address), "Still safe"],
    );
    assert!(!said.notes.contains("canary"), "{}", said.notes);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_environments_proxy_is_used_but_for_what_it_excepts() {
    let mut place = Place::new().await;
    let gateway = Gateway::to(place.world.server.address(), None).await;
    place.hide();
    let (config, proxy) = (place.laid(), format!("http://{}", gateway.address));
    say(&config, &["login"], &[("HTTP_PROXY", &proxy)]).holds(0, &["through the proxy", "You are practice there"]);
    let used = gateway.seen().asked.len();
    assert!(used > 0);
    let except = [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", ".invalid,10.0.0.0/8")];
    say(&config, &["login"], &except).holds(4, &["the server's name cannot be resolved"]);
    // the proxy's own address among the exceptions says nothing about the server
    let own = [("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "127.0.0.1")];
    say(&config, &["doctor"], &own).holds(0, &["through the proxy", "answers in"]);
    assert!(gateway.seen().asked.len() > used);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_proxy_that_cannot_be_used_is_named() {
    let mut place = Place::new().await;
    place.cluster()["proxy-url"] = "ftp://anna:canary@proxy".into();
    let said = say(&place.laid(), &["login"], &[]);
    said.holds(4, &["cannot use context practice", "proxy of the kind ftp", "http, https and socks5"]);
    assert!(!said.notes.contains("canary"), "{}", said.notes);
    let route = Route { kubeconfig: Some(place.laid()), ..Route::default() };
    assert_eq!(Cluster::connect(&route).err().unwrap().kind, PortErrorKind::Invalid);
    place.cluster()["proxy-url"] = "http://127.0.0.1:1".into();
    say(&place.laid(), &["login"], &[]).holds(4, &["nothing answers at the proxy's address", "through the proxy"]);
}
