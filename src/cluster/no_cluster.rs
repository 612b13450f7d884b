//! The cluster of a runbook that has none: every call says so.

use std::path::Path;

use async_trait::async_trait;
use futures::stream::BoxStream;
use jiff::Timestamp;
use serde_json::Value;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::ports::{
    Access, Deleted, Exec, ExitStatus, Identity, JobState, Kind, LogLine, Logs, ObjectRef, Objects, OutputSink, PodRef,
    PodTools, PortError, PortErrorKind, Right, SecretBytes, Transferred,
};

/// No cluster at all.
pub struct NoCluster;

fn none<T>() -> Result<T, PortError> {
    Err(PortError::new(
        PortErrorKind::Unsupported,
        "cannot reach a cluster",
        "this runbook has no deployment and no target cluster",
    ))
}

#[async_trait]
impl Objects for NoCluster {
    async fn get(&self, _: &ObjectRef) -> Result<Option<Value>, PortError> {
        none()
    }
    async fn list(&self, _: &Kind, _: Option<&str>, _: &str) -> Result<Vec<Value>, PortError> {
        none()
    }
    async fn kinds(&self) -> Result<Vec<Kind>, PortError> {
        none()
    }
    async fn create(&self, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn would_create(&self, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn merge(&self, _: &ObjectRef, _: &str, _: &str, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn apply(&self, _: &ObjectRef, _: &str, _: &Value) -> Result<Value, PortError> {
        none()
    }
    async fn scale(&self, _: &ObjectRef, _: &str, _: u32) -> Result<(), PortError> {
        none()
    }
    async fn delete(&self, _: &ObjectRef, _: &str) -> Result<Deleted, PortError> {
        none()
    }
    async fn watch(
        &self,
        _: &Kind,
        _: Option<&str>,
        _: &str,
    ) -> Result<BoxStream<'static, Result<Vec<Value>, PortError>>, PortError> {
        none()
    }
    async fn access(&self, _: &[Right]) -> Result<Vec<Access>, PortError> {
        none()
    }
    async fn identity(&self, _: &str) -> Result<Identity, PortError> {
        none()
    }
    async fn private_kubeconfig(&self, _: &Identity) -> Result<SecretBytes, PortError> {
        none()
    }
    async fn http(&self, _: &PodRef, _: u16, _: http::Request<Vec<u8>>) -> Result<(u16, Vec<u8>), PortError> {
        none()
    }
}

#[async_trait]
impl Exec for NoCluster {
    async fn run(
        &self,
        _: &PodRef,
        _: &[String],
        _: &[u8],
        _: &mut dyn OutputSink,
        _: &CancellationToken,
    ) -> Result<ExitStatus, PortError> {
        none()
    }
    async fn probe(&self, _: &PodRef, _: &[&str], _: &str) -> Result<PodTools, PortError> {
        none()
    }
    async fn start(&self, _: &PodRef, _: &str, _: &str, _: &[String]) -> Result<(), PortError> {
        none()
    }
    async fn poll(&self, _: &PodRef, _: &str, _: &str) -> Result<JobState, PortError> {
        none()
    }
    async fn stop(&self, _: &PodRef, _: &str, _: &str) -> Result<(), PortError> {
        none()
    }
    async fn digest(&self, _: &PodRef, _: &str) -> Result<Option<Transferred>, PortError> {
        none()
    }
    async fn download(
        &self,
        _: &PodRef,
        _: &str,
        _: &Path,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        none()
    }
    async fn upload(
        &self,
        _: &PodRef,
        _: &Path,
        _: &str,
        _: &(dyn Fn(u64) + Send + Sync),
        _: &CancellationToken,
    ) -> Result<Transferred, PortError> {
        none()
    }
}

#[async_trait]
impl Logs for NoCluster {
    async fn follow(&self, _: &str, _: &str, _: Timestamp, _: mpsc::Sender<LogLine>, cancel: CancellationToken) {
        cancel.cancelled().await;
    }
}
