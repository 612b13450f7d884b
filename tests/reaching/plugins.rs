//! Credential plugins behind drydock: no terminal, no input, one run for many requests, and words where one fails.

use drydock::{
    cluster::{Cluster, Route},
    ports::{Exec, Objects, PortErrorKind},
};

use crate::{Place, gives, pod, say};

fn connected(place: &Place) -> Cluster {
    Cluster::connect(&Route { kubeconfig: Some(place.laid()), ..Route::default() }).unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_run_serves_every_request_and_connection_until_its_credential_ends() {
    let mut place = Place::new().await;
    place.plug(Some("IfAvailable"), &gives("$TOKEN", r#","expirationTimestamp":"2999-01-01T00:00:00Z""#));
    let cluster = connected(&place);
    assert_eq!(place.runs(), 0, "nothing is asked before a request is made");
    assert_eq!(cluster.who().await.unwrap().unwrap().user, "practice");
    cluster.probe(&pod(), &["sh"], "/").await.unwrap();
    let identity = cluster.identity("plant").await.unwrap();
    let private = cluster.private_kubeconfig(&identity).await.unwrap();
    connected(&place).version().await.unwrap();
    assert_eq!(place.runs(), 1);
    // a program of its own may have to ask again, later, and never a person
    let private: serde_json::Value = serde_json::from_slice(private.expose_secret()).unwrap();
    assert_eq!(private["users"][0]["user"]["exec"]["interactiveMode"], "Never");
    assert!(private["users"][0]["user"].get("token").is_none(), "{private}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_has_ended_is_got_again_before_it_is_shown() {
    let mut place = Place::new().await;
    place.plug(Some("Never"), &gives("$TOKEN", r#","expirationTimestamp":"2001-01-01T00:00:00Z""#));
    let cluster = connected(&place);
    for _ in 0..3 {
        cluster.version().await.unwrap();
    }
    assert_eq!(place.runs(), 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_credential_that_the_server_does_not_accept_is_got_again_once() {
    let mut place = Place::new().await;
    let first = gives("old", "");
    place.plug(None, &format!("if [ -e given ]; then {}; else touch given; {first}; fi", gives("$TOKEN", "")));
    let cluster = connected(&place);
    // a request with a body, and a websocket
    assert_eq!(cluster.who().await.unwrap().unwrap().user, "practice");
    assert_eq!(place.runs(), 2);
    let mut place = Place::new().await;
    place.plug(None, &format!("if [ -e given ]; then {}; else touch given; {first}; fi", gives("$TOKEN", "")));
    connected(&place).probe(&pod(), &["sh"], "/").await.unwrap();
    assert_eq!(place.runs(), 2);

    let mut place = Place::new().await;
    place.plug(None, &gives("never-good", ""));
    let error = connected(&place).version().await.unwrap_err();
    assert_eq!((error.kind, place.runs()), (PortErrorKind::Unauthorized, 2), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn it_has_no_input_and_is_told_so() {
    let mut place = Place::new().await;
    let body = format!(
        "printf '%s' \"$KUBERNETES_EXEC_INFO\" > info\nwc -c > input\nps -o sid= -p $$ | tr -d ' ' > session\necho $$ > own\n{}",
        gives("$TOKEN", "")
    );
    place.plug(Some("IfAvailable"), &body);
    place.config["users"][0]["user"]["exec"]["provideClusterInfo"] = true.into();
    connected(&place).version().await.unwrap();
    let info: serde_json::Value = serde_json::from_str(&place.noted("info")).unwrap();
    assert_eq!(info["kind"], "ExecCredential");
    assert_eq!(info["spec"]["interactive"], false);
    assert_eq!(info["spec"]["cluster"]["server"], place.config["clusters"][0]["cluster"]["server"]);
    assert_eq!(place.noted("input").trim(), "0");
    // a session of its own has no terminal, whatever it opens
    assert_eq!(place.noted("session").trim(), place.noted("own").trim());
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_fails_tells_why_in_its_own_words_and_what_helps() {
    let mut place = Place::new().await;
    place.plug(Some("IfAvailable"), "echo canary-out; printf '\\033[2Jthe refresh token has expired\\n' >&2; exit 3");
    let said = say(&place.laid(), &["check", "-n", "plant", "--set", "chart=."], &[]);
    said.holds(
        4,
        &[
            "credential plugin plugin-of-plant ended with exit status: 3",
            "the refresh token has expired",
            "Still safe",
            "drydock login --context practice",
        ],
    );
    assert!(!said.notes.contains('\u{1b}'), "{}", said.notes);
    assert!(!said.notes.contains("canary"), "{}", said.notes);
    say(&place.laid(), &["doctor"], &[])
        .holds(4, &["the refresh token has expired", "drydock login --context practice"]);
    let said = say(&place.laid(), &["login"], &[]);
    said.holds(4, &["ended with exit status: 3", "Still safe", "kubectl --context practice"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_it_gives_is_never_quoted() {
    for (body, words) in [
        ("echo canary: [canary", "is no ExecCredential"),
        ("echo '{\"kind\": \"Canary\", \"status\": {\"token\": \"canary\"}}'", "is no ExecCredential"),
        ("echo '{\"kind\": \"ExecCredential\"}'", "holds no status"),
        ("echo '{\"kind\": \"ExecCredential\", \"status\": {}}'", "holds neither a token nor a certificate"),
        ("echo '{\"kind\": \"ExecCredential\", \"status\": {\"clientKeyData\": \"canary\"}}'", "a key alone"),
        (
            "echo '{\"kind\": \"ExecCredential\", \"status\": {\"token\": \"canary\", \"expirationTimestamp\": \"canary\"}}'",
            "a time that cannot be read",
        ),
    ] {
        let mut place = Place::new().await;
        place.plug(None, body);
        let error = connected(&place).version().await.unwrap_err();
        assert_eq!(error.kind, PortErrorKind::Unauthorized);
        assert!(error.detail.contains(words) && !error.detail.to_lowercase().contains("canary"), "{body}: {error}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_always_wants_a_terminal_gets_none_outside_login() {
    let mut place = Place::new().await;
    place.plug(Some("Always"), &gives("$TOKEN", ""));
    let said = say(&place.laid(), &["check", "-n", "plant", "--set", "chart=."], &[]);
    said.holds(4, &["wants a terminal each time (interactiveMode: Always)", "drydock login --context practice"]);
    say(&place.laid(), &["login"], &[]).holds(4, &["wants a terminal", "there is none here"]);
    assert_eq!(place.runs(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_that_is_not_there_is_named_with_its_makers_hint() {
    let mut place = Place::new().await;
    place.plug(None, "");
    let exec = &mut place.user()["exec"];
    (exec["command"], exec["installHint"]) =
        ("drydock-no-such-plugin".into(), "get it from https://plugins.invalid".into());
    let said = say(&place.laid(), &["login"], &[]);
    said.holds(
        4,
        &["there is no credential plugin drydock-no-such-plugin in the PATH", "get it from https://plugins.invalid"],
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_without_one_says_what_it_uses() {
    let place = Place::new().await;
    let config = place.laid();
    let said = say(&config, &["login", "--as", "bob", "--as-group", "ops"], &[]);
    said.holds(
        0,
        &[
            "Kubernetes v1.36.0+practice, answers",
            "You are practice there, in system:authenticated.",
            "You act as bob (group ops)",
            "There is no credential plugin to log in with: it uses a token in the kubeconfig.",
        ],
    );
    let said =
        say(std::path::Path::new("/dev/null"), &["login", "--json", "--kubeconfig", config.to_str().unwrap()], &[]);
    let found: serde_json::Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(
        (&found["type"], &found["user"], &found["context"]),
        (&"login".into(), &"practice".into(), &"practice".into())
    );
    say(&config, &["login", "--as-group", "ops"], &[]).holds(2, &["--as"]);
    say(&config, &["login", "--context", "other"], &[])
        .holds(4, &["the kubeconfig has no such context; it has practice"]);
    let mut place = place;
    place.user()["token"] = "0000".into();
    say(&place.laid(), &["login"], &[])
        .holds(4, &["a token in the kubeconfig", "there is no plugin to ask", "Still safe"]);
}
