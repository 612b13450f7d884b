//! drydock's own adapter over a line that is cut, and in a container that is not as it should be. The scripts are real.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod line;
mod tiny;

use std::sync::atomic::Ordering;

use drydock::{
    cluster::Cluster,
    ports::{Exec, PodRef, PortErrorKind},
    practice::ServerOptions,
};
use line::{Fate, Line};
use tiny::World;
use tokio_util::sync::CancellationToken;

fn pod() -> PodRef {
    PodRef { namespace: "plant".into(), pod: "box".into(), container: "main".into(), uid: String::new() }
}

/// Sends a file of so many bytes over a line of this fate; the same arrives.
async fn sent(fate: Fate, bytes: usize) -> Line {
    let world = World::begin(&[], ServerOptions::default()).await;
    let line = Line::to(world.server.address(), fate);
    let server = world.server.address().to_string();
    let cluster = Cluster::from_text(&world.kubeconfig().replace(&server, &line.address.to_string())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    let content: Vec<u8> = (0..bytes).map(|at| u8::try_from(at / 1000 % 251).unwrap()).collect();
    std::fs::write(&here, &content).unwrap();
    let never = CancellationToken::new();
    let done = cluster.upload(&pod(), &here, there.to_str().unwrap(), &|_| {}, &never).await.unwrap();
    assert_eq!(done.bytes, bytes as u64);
    assert!(std::fs::read(&there).unwrap() == content);
    line
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_is_cut_again_and_again_goes_on_where_it_was() {
    let line = sent(Fate::Cut(512 * 1024), 3_500_000).await;
    // more often than an upload is tried that brings nothing new
    assert!(line.cuts.load(Ordering::SeqCst) >= 6);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_cut_connection_brings_late_is_found_and_kept() {
    let line = sent(Fate::Late(512 * 1024), 3_500_000).await;
    assert_eq!(line.cuts.load(Ordering::SeqCst), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_without_room_for_temporary_files_says_so() {
    let world = World::begin(&[], ServerOptions::default()).await;
    let cluster = Cluster::from_text(&world.kubeconfig()).unwrap();
    world.tiny.has_no_temporary.store(true, Ordering::SeqCst);
    let error = cluster.probe(&pod(), &["sh"], "/").await.unwrap_err();
    assert_eq!(error.kind, PortErrorKind::Unsupported, "{error:?}");
    assert!(error.detail.contains("no writable folder") && error.detail.contains("mktemp"), "{error:?}");
}
