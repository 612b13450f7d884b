//! The namespace of a rehearsal while it lasts: one that is made for it and goes with it, or, where none may be made, one that
//! was given: it is empty before, and empty again afterwards. Nothing is ever removed that this run has not made.

use std::time::Duration;

use serde_json::{Map, Value};

use super::scratch_look::{
    MARK, There, Way, contents, emptying, id_of, is_taken, kinds_inside, look, taking, unusable, way, ways,
};
use crate::{
    actions::{
        context::{Halt, StepCx},
        objects::{
            pods::text,
            removal::{Target, rank},
            rooms::Room,
        },
    },
    ports::{Identity, ObjectRef, kinds},
    run::{OutputLine, Row, Sign, Tag},
    text::{Diagnostic, units},
};

/// Longest wait for a scratch place to be as before.
const PATIENCE: Duration = Duration::from_secs(240);

/// What the namespace is for, where it is made.
const SCRATCH: Room = Room::Scratch;

/// A scratch place, as this attempt has it.
pub struct Place {
    /// Who it is.
    pub identity: Identity,
    made: bool,
}

impl Place {
    /// Makes the namespace anew, or takes the empty one of that name.
    ///
    /// # Errors
    /// A refusal where neither may be; another's namespace with anything in it is never touched.
    pub async fn make(cx: &StepCx, name: &str) -> Result<Self, Halt> {
        let refused = |problem: Diagnostic| Halt::Refused(Box::new(problem));
        if name == cx.namespace() {
            return Err(refused(Diagnostic::new("the rehearsal may not happen in the target's own namespace")));
        }
        let place = match look(cx, name).await? {
            There::Ours(found) => {
                SCRATCH.remove(cx, name, text(&found, "/metadata/uid")).await?;
                Self::made(cx, name).await?
            }
            There::Nothing | There::Unknown => Self::made(cx, name).await?,
            There::Other(found) => {
                if is_taken(cx, name).await? {
                    empty(cx, name).await?;
                }
                if let Some(why) = unusable(cx.world.objects.as_ref(), name, found.as_ref()).await? {
                    return Err(refused(
                        Diagnostic::new(why)
                            .safe("everything in it: drydock never empties what it has not made")
                            .help("choose another name for the rehearsal, or remove that namespace yourself"),
                    ));
                }
                Self::given(cx, name).await?
            }
        };
        Ok(place)
    }

    async fn made(cx: &StepCx, name: &str) -> Result<Self, Halt> {
        match SCRATCH.make(cx, name, Map::new()).await {
            Ok(identity) => Ok(Self { identity, made: true }),
            // where none may be made, one can be given
            Err(halt) if matches!(way(cx, name).await, Ok(Way::Refused)) => {
                Err(halt.told(|problem| ways(cx).into_iter().fold(problem, Diagnostic::help)))
            }
            Err(halt) => Err(halt),
        }
    }

    async fn given(cx: &StepCx, name: &str) -> Result<Self, Halt> {
        let identity = cx.world.objects.identity(name).await?;
        another(cx, &identity)?;
        let effect = taking(name);
        cx.effect(&effect).await?;
        cx.effected(&effect, id_of(&identity)).await?;
        Ok(Self { identity, made: false })
    }

    /// Takes away what the rehearsal made, the namespace with it where this run made that, and reads it back.
    pub async fn clear(&self, cx: &StepCx) -> Result<(), Halt> {
        let name = &self.identity.namespace;
        if self.made { SCRATCH.remove(cx, name, &self.identity.namespace_uid).await } else { empty(cx, name).await }
    }
}

/// What a rehearsal of this run left under the name.
pub enum Left {
    /// The namespace that it made.
    Namespace(Value),
    /// A given namespace with what it made in there.
    Inside,
}

/// What of this run is left under the name. Only reads.
pub async fn left(cx: &StepCx, name: &str) -> Result<Option<Left>, Halt> {
    if name == cx.namespace() {
        return Ok(None);
    }
    Ok(match look(cx, name).await? {
        There::Ours(found) => Some(Left::Namespace(found)),
        There::Other(_) if is_taken(cx, name).await? => Some(Left::Inside),
        There::Other(_) | There::Nothing | There::Unknown => None,
    })
}

/// Takes that away; says so.
pub async fn undo(cx: &StepCx, name: &str) -> Result<String, Halt> {
    match left(cx, name).await? {
        Some(Left::Namespace(found)) => {
            SCRATCH.remove(cx, name, text(&found, "/metadata/uid")).await?;
            Ok(format!("scratch namespace {name} is gone"))
        }
        Some(Left::Inside) => {
            empty(cx, name).await?;
            Ok(format!("namespace {name} is empty again"))
        }
        None => Ok("the scratch namespace is gone".to_owned()),
    }
}

fn another(cx: &StepCx, place: &Identity) -> Result<(), Halt> {
    if place.namespace_uid != cx.target.namespace_uid && place.cluster8() == cx.target.cluster8() {
        return Ok(());
    }
    Err(Halt::Refused(Box::new(Diagnostic::new("the scratch place is not another namespace of the same cluster"))))
}

fn stays(what: &str, why: String) -> Halt {
    Diagnostic::new(what)
        .cause(why)
        .safe("production: the rehearsal never touches it")
        .help("end what holds it, then try again; drydock never strips finalizers")
        .into()
}

/// What this run has made in a given namespace, in the order in which it goes. A mark alone is no proof: whatever is not
/// written down in the journal, too, is somebody else's. Claims come from a StatefulSet that is.
async fn inside(cx: &StepCx, name: &str) -> Result<Vec<Target>, Halt> {
    let state = cx.driver.state();
    let mut found = Vec::new();
    for kind in kinds_inside(cx.world.objects.as_ref()).await? {
        let selector = format!("{MARK}={}", cx.short());
        for object in cx.world.objects.list(&kind, Some(name), &selector).await? {
            let (uid, own) = (text(&object, "/metadata/uid").to_owned(), text(&object, "/metadata/name").to_owned());
            let made = |effect: &str| effect.starts_with("create ") && effect.split(' ').any(|word| word == own);
            let written = state.effects.iter().any(|effect| match &effect.result {
                Some(result) => *result == uid,
                None => made(&effect.effect),
            });
            if written || kind == kinds::claim() {
                let object = ObjectRef { kind: kind.clone(), namespace: Some(name.to_owned()), name: own };
                found.push(Target { object, uid });
            }
        }
    }
    found.sort_by(|a, b| (rank(&a.object.kind.kind), &a.object).cmp(&(rank(&b.object.kind.kind), &b.object)));
    Ok(found)
}

/// Removes from a given namespace what this run made there, each by its uid, and reads that it is gone.
async fn empty(cx: &StepCx, name: &str) -> Result<(), Halt> {
    let place = cx.world.objects.identity(name).await?;
    let whole = emptying(name);
    cx.effect(&whole).await?;
    let goes = inside(cx, name).await?;
    for target in &goes {
        let (kind, own, uid) = (&target.object.kind.kind, &target.object.name, &target.uid);
        let effect = format!("delete {kind} {own} in {name} uid {uid}");
        cx.still(&place).await?;
        cx.effect(&effect).await?;
        cx.world.objects.delete(&target.object, uid).await?;
        cx.effected(&effect, "accepted").await?;
    }
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let ours = inside(cx, name).await?;
        // pods and the like end with what owns them
        let all = contents(cx.world.objects.as_ref(), name).await?;
        if all.is_empty() && ours.is_empty() {
            break;
        }
        if ours.is_empty() && !remains_owned(cx, name).await? {
            let (at, source) = (cx.world.clock.now(), "test copy".to_owned());
            let text = format!("left alone in {name}, since this run has not made it: {}", all.join(", "));
            cx.driver.line(OutputLine { at, source, tag: Tag::Plain, text }).await;
            break;
        }
        let detail = all.join(", ");
        let row = Row { sign: Sign::Running, word: "ending".into(), name: name.to_owned(), detail: detail.clone() };
        cx.show("What the rehearsal made is removed again.", vec![row], None, None);
        if tokio::time::Instant::now() > deadline {
            let count = units::plural(all.len(), "object does", "objects do");
            return Err(stays(&format!("{count} not end in the namespace {name}"), detail));
        }
        cx.pause(Duration::from_secs(1)).await?;
    }
    cx.effected(&whole, "gone").await
}

/// Whether anything is left that belongs to something else, and goes with it.
async fn remains_owned(cx: &StepCx, name: &str) -> Result<bool, Halt> {
    for kind in kinds_inside(cx.world.objects.as_ref()).await? {
        let all = cx.world.objects.list(&kind, Some(name), "").await?;
        let owned = |object: &&Value| {
            object.pointer("/metadata/ownerReferences").and_then(Value::as_array).is_some_and(|all| !all.is_empty())
        };
        if all.iter().any(|object| owned(&object)) {
            return Ok(true);
        }
    }
    Ok(false)
}
