//! Namespaces that this run makes: the scratch place of a rehearsal, and the new place of a deployment. Each carries the run's
//! mark from the request that makes it, and only one that does is ever removed.

use std::time::Duration;

use serde_json::{Map, Value, json};

use super::{pods::text, reasons};
use crate::{
    actions::context::{Halt, StepCx},
    ports::{Identity, ObjectRef, kinds},
    run::{Row, Sign},
    text::Diagnostic,
};

/// Longest wait for a namespace to go.
const PATIENCE: Duration = Duration::from_secs(240);

/// What a namespace of ours is for; each has a mark of its own, so that one is never taken for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Room {
    /// The scratch place of a rehearsal: gone at its end.
    Scratch,
    /// The place of a new deployment: it stays.
    New,
}

impl Room {
    /// Label that holds the short id of the run.
    fn mark(self) -> &'static str {
        match self {
            Self::Scratch => "drydock.run",
            Self::New => "drydock.place",
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Scratch => "scratch namespace",
            Self::New => "new namespace",
        }
    }

    /// Whether this run made a namespace for this.
    pub fn is_ours(self, cx: &StepCx, found: &Value) -> bool {
        label(found, self.mark()) == Some(cx.short().as_str())
    }

    /// A namespace of ours as it is made, with these labels beside its mark.
    pub fn manifest(self, cx: &StepCx, name: &str, mut labels: Map<String, Value>) -> Value {
        labels.insert(self.mark().to_owned(), json!(cx.short()));
        if self == Self::Scratch {
            labels.insert("app.kubernetes.io/managed-by".to_owned(), json!("drydock"));
        }
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
    }

    /// Makes a namespace, with these labels beside its mark; who it is.
    ///
    /// # Errors
    /// It is there already, may not be made, or is no other place of the same cluster.
    pub async fn make(self, cx: &StepCx, name: &str, labels: Map<String, Value>) -> Result<Identity, Halt> {
        let effect = creation(name);
        cx.effect(&effect).await?;
        let made = match cx.world.objects.create(&self.manifest(cx, name, labels)).await {
            Ok(made) => made,
            Err(error) => return Err(cx.not_made(&effect, error).await),
        };
        let uid = text(&made, "/metadata/uid").to_owned();
        cx.effected(&effect, &uid).await?;
        self.identity(cx, name, &uid).await
    }

    /// The identity of a namespace of ours with this uid; its ConfigMap with the CA comes a moment after it.
    ///
    /// # Errors
    /// It is no other namespace of the same cluster, another one of that name, or cannot be read.
    pub async fn identity(self, cx: &StepCx, name: &str, uid: &str) -> Result<Identity, Halt> {
        let mut tries = 0;
        let place = loop {
            match cx.world.objects.identity(name).await {
                Ok(identity) => break identity,
                Err(error) if tries >= 40 => return Err(error.into()),
                Err(_) => cx.pause(Duration::from_millis(250)).await?,
            }
            tries += 1;
        };
        let other = place.namespace_uid != cx.target.namespace_uid && place.cluster8() == cx.target.cluster8();
        if other && place.namespace_uid == uid {
            return Ok(place);
        }
        let what =
            format!("the {} {name} is not the one that was made, beside the target in its cluster", self.words());
        Err(Halt::Refused(Box::new(Diagnostic::new(what).safe("everything: nothing was put into it"))))
    }

    /// Deletes exactly this namespace and waits until it is gone.
    ///
    /// # Errors
    /// It does not end, with what holds it.
    pub async fn remove(self, cx: &StepCx, name: &str, uid: &str) -> Result<(), Halt> {
        let words = self.words();
        let effect = format!("delete {words} {name} uid {uid}");
        cx.effect(&effect).await?;
        cx.world.objects.delete(&reference(name), uid).await?;
        let deadline = tokio::time::Instant::now() + PATIENCE;
        while let Some(now) = cx.get(&reference(name)).await?.filter(|now| text(now, "/metadata/uid") == uid) {
            let why = reasons::ending(&now);
            let row = Row { sign: Sign::Running, word: "ending".into(), name: name.to_owned(), detail: why.clone() };
            cx.show(&format!("The {words} is removed again."), vec![row], None, None);
            if tokio::time::Instant::now() > deadline {
                let safe = match self {
                    Self::Scratch => "production: the rehearsal never touches it",
                    Self::New => "the target's own namespace and all in it",
                };
                return Err(Diagnostic::new(format!("the {words} {name} does not end"))
                    .cause(why)
                    .safe(safe)
                    .help("end what holds it, then try again; drydock never strips finalizers")
                    .into());
            }
            cx.pause(Duration::from_secs(1)).await?;
        }
        cx.effected(&effect, "gone").await
    }
}

/// How the journal names that a namespace is made.
pub fn creation(name: &str) -> String {
    format!("create namespace {name}")
}

/// A namespace by its name.
pub fn reference(name: &str) -> ObjectRef {
    ObjectRef { kind: kinds::namespace(), namespace: None, name: name.to_owned() }
}

fn label<'a>(found: &'a Value, key: &str) -> Option<&'a str> {
    found.pointer("/metadata/labels").and_then(|labels| labels.get(key)).and_then(Value::as_str)
}
