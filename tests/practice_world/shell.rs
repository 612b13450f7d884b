//! The simulated shell beside a real one, and what a container answers that has no such program.

use std::sync::atomic::Ordering;

use drydock::{
    cluster::Cluster,
    ports::{Collect, Exec},
};
use tokio_util::sync::CancellationToken;

use crate::{
    desk::Desk,
    line::{Fate, Line},
};

/// Commands that mean the same everywhere.
const SAME: [&str; 13] = [
    "echo one; echo two | cat; false || echo three",
    "echo \"a  b\"   c",
    "echo a b | wc -c",
    "true && false; echo $?",
    "echo 'it'\"'\"'s' \"$NOT_THERE\"x",
    "cat /not/there 2>/dev/null; echo $?",
    "echo hidden >/dev/null; echo shown",
    "echo told >&2 2>/dev/null; echo $?",
    "A='x  y' env | head -c 0; echo \\$A '$A'",
    "echo a; false",
    "exec echo replaced",
    "echo 1 | cat | cat | tail -n 1",
    "no-such-program 2>/dev/null; echo $?",
];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn simple_commands_do_what_a_real_shell_does() {
    let desk = Desk::new(&[], 1).await;
    let pod = desk.pod("pix-core", "pix-core").await;
    for text in SAME {
        let real = std::process::Command::new("sh").args(["-c", text]).env_remove("NOT_THERE").output().unwrap();
        let mut out = Collect::new(1 << 16);
        let command = ["sh", "-c", text].map(str::to_owned);
        let end = desk.cluster.run(&pod, &command, b"", &mut out, &CancellationToken::new()).await.unwrap();
        assert_eq!(out.text(), String::from_utf8(real.stdout).unwrap(), "{text}");
        assert_eq!(Some(i32::from(end.code)), real.status.code(), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_played_says_so() {
    let desk = Desk::new(&[], 1).await;
    let pod = desk.pod("pix-db", "postgres").await;
    for (command, code, words) in [
        (&["sh", "-c", "for x in 1 2; do echo $x; done"][..], 2, "drydock practice"),
        (&["psql", "-U", "pix", "pixelcore", "-c", "DROP TABLE users"], 1, "simulated by drydock practice"),
        (&["psql", "-U", "pix", "pixelcore", "-c", "SELECT * FROM nothing"], 1, "relation \"nothing\" does not exist"),
        (&["pg_dump", "-U", "pix", "-Fc", "pixelcore"], 1, "pg_dump: "),
        (&["psql", "-U", "nobody", "-h", "127.0.0.1", "pixelcore", "-c", "SELECT 1"], 2, "psql: error: "),
        (&["vim"], 127, "No such file or directory"),
    ] {
        let words_of = |list: &[&str]| list.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        let mut out = Collect::new(1 << 16);
        let end = desk.cluster.run(&pod, &words_of(command), b"", &mut out, &CancellationToken::new()).await.unwrap();
        assert_eq!(end.code, code, "{command:?}: {}{}", out.text(), out.errors());
        assert!(out.errors().contains(words), "{command:?}: {}", out.errors());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_came_of_an_upload_that_was_cut_is_there() {
    let desk = Desk::new(&[], 1).await;
    let pod = desk.pod("pix-core", "pix-core").await;
    let text = String::from_utf8(desk.server.kubeconfig().expose_secret().to_vec()).unwrap();
    let server = desk.cluster.server().trim_start_matches("http://").to_owned();
    let line = Line::to(server.parse().unwrap(), Fate::Cut(512 * 1024));
    let cut = Cluster::from_text(&text.replace(&server, &line.address.to_string())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().join("here");
    std::fs::write(&here, vec![7; 3_500_000]).unwrap();
    let up = cut.upload(&pod, &here, "/tmp/there", &|_| {}, &CancellationToken::new()).await.unwrap();
    assert_eq!(up.bytes, 3_500_000);
    // more often than an upload is tried that brings nothing new
    assert!(line.cuts.load(Ordering::SeqCst) >= 6);
}
