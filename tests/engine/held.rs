//! What a run holds of before and of what comes: helm's release, the chart, the rows. What others did to any of them meanwhile
//! refuses first; then the run goes on.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use drydock::{
    plain::Say,
    run::{Event, Question, Reply, Stopped},
};
use serde_json::{Value, json};

use crate::{
    crash::{answers, clerk, end, whole},
    drive::{Act, CHART, Clerk, Desk, Ride, pixelcore},
    gate::gate,
    world::{self, Fake, Moment, State, key},
};

fn refused(ride: &Ride) -> String {
    match &ride.stopped {
        Stopped::Refused { problem } => {
            format!("{}; {}; {}", problem.what, problem.causes.join("; "), problem.help.join("; "))
        }
        other => panic!("{other:?}"),
    }
}

/// The last moment before a step is begun.
fn before(moments: &[Moment], step: &str) -> Moment {
    let begun = |moment: &Moment| {
        let text = String::from_utf8(moment.files[Path::new("journal.jsonl")].clone()).unwrap();
        text.lines().any(|line| line.contains("\"type\":\"intent\"") && line.contains(&format!("\"step\":\"{step}\"")))
    };
    moments[moments.iter().position(begun).unwrap() - 1].clone()
}

fn deleted(desk: &Desk) -> Vec<String> {
    let calls = desk.fake.calls("delete ").into_iter();
    calls.filter(|call| call.contains(" plant/") && !call.contains("/drydock-")).collect()
}

/// Something that another admin does to the release.
type Meddle = fn(&mut State);

const MEDDLINGS: [(&str, Meddle, &str); 4] = [
    (
        "another revision",
        |state| state.install("plant", "4.2.0", world::DOTENV.as_bytes()),
        "was revision 1 when it was recorded, it is 2 now",
    ),
    (
        "other values",
        |state| drop(state.says.insert("helm get".into(), (0, "replicas: 2\n".into()))),
        "the values of release pixelcore are not those",
    ),
    (
        "removed",
        |state| drop(state.objects.remove(&key("Secret", "plant", "sh.helm.release.v1.pixelcore.v1"))),
        "knows no release pixelcore any more",
    ),
    (
        "installed anew",
        |state| {
            let record = state.objects.remove(&key("Secret", "plant", "sh.helm.release.v1.pixelcore.v1")).unwrap();
            state.put(record);
        },
        "was removed and installed anew",
    ),
];

#[tokio::test(start_paused = true)]
async fn a_release_that_somebody_changed_is_not_removed() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    let before = before(&moments, "settings");
    for (what, meddle, told) in MEDDLINGS {
        let mut moment = before.clone();
        meddle(&mut moment.state);
        let desk = Desk::after(&moment, None);
        let mut answers = answers.clone();
        // a check that fails is left, and what follows from it chosen
        answers["steps"]["settings"] = json!({"go_on": true, "choose": ["stop"]});
        let ride = desk
            .go(Clerk::hooked(answers, |event| match event {
                Event::Asking { question, .. } if matches!(&**question, Question::Checks { .. }) => {
                    Some(vec![Act::Say(Say::Reply(Reply::Back))])
                }
                _ => None,
            }))
            .await;
        let said = refused(&ride);
        assert!(said.contains(told) && said.contains("go back to 1.1 and record it again"), "{what}: {said}");
        let Stopped::Refused { problem } = &ride.stopped else { unreachable!() };
        assert!(problem.again.contains(&"version".to_owned()), "{what}: {problem:?}");
        assert_eq!(deleted(&desk), Vec::<String>::new(), "{what}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_release_that_somebody_changes_while_the_words_are_typed_is_not_removed() {
    let (_home, answers) = answers();
    for (what, meddle, told) in MEDDLINGS {
        let fake = Fake::new(State::with_deployment("test"));
        let desk = Desk::begin(&pixelcore(), Arc::clone(&fake)).await;
        let mut asked = 0;
        let ride = desk
            .go(Clerk::hooked(answers.clone(), move |event| {
                let gate = gate(event)?;
                asked += 1;
                if asked > 1 {
                    return Some(vec![Act::Leave]);
                }
                meddle(&mut fake.state());
                Some(vec![Act::Say(Say::Reply(Reply::Gate {
                    namespace: gate.namespace.clone(),
                    word: gate.word.clone(),
                }))])
            }))
            .await;
        let said = refused(&ride);
        // a record more or less is another list, which is refused as such
        assert!(said.contains(told) || said.contains("the list changed while the words were typed"), "{what}: {said}");
        assert_eq!(deleted(&desk), Vec::<String>::new(), "{what}");
    }
}

/// A chart in a folder of its own.
fn chart() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let to = home.path().join("chart");
    std::fs::create_dir_all(to.join("templates")).unwrap();
    for file in ["Chart.yaml", "templates/core.yaml"] {
        std::fs::copy(Path::new(CHART).join(file), to.join(file)).unwrap();
    }
    (home, to)
}

#[tokio::test(start_paused = true)]
async fn the_chart_of_the_preflight_is_installed_whatever_becomes_of_its_folder() {
    let (_home, answers) = answers();
    let (_charts, from) = chart();
    let desk =
        Desk::begin_with(&pixelcore(), Fake::new(State::with_deployment("test")), &from.display().to_string()).await;
    desk.fake.keep_moments(&desk.folder());
    assert_eq!(desk.go_watched(Clerk::new(answers.clone()), usize::MAX).await.stopped, Stopped::Finished);
    let wanted = end(&desk.fake.state());
    let moments = desk.fake.moments();
    std::fs::remove_dir_all(&from).unwrap();

    for step in ["rehearse", "deploy"] {
        let desk = Desk::after(&before(&moments, step), None);
        let ride = desk.go(clerk(&desk, &answers)).await;
        assert_eq!(ride.stopped, Stopped::Finished, "{step}");
        assert_eq!(end(&desk.fake.state()), wanted, "{step}");

        // a copy that is another by one byte, or by one file, is no chart of this run
        for name in ["Chart.yaml", "templates/more.yaml"] {
            let moment = before(&moments, step);
            let desk = Desk::after(&moment, None);
            let copy = moment.files.keys().find(|path| path.ends_with("Chart.yaml")).unwrap();
            let copy = desk.folder().join(copy).parent().unwrap().join(name);
            std::fs::write(&copy, "name: pix\n# one line more\n").unwrap();
            let upgrades = desk.fake.calls("program helm upgrade").len();
            let said = refused(&desk.go(clerk(&desk, &answers)).await);
            assert!(said.contains("copy of the chart is not what was copied"), "{step} {name}: {said}");
            assert_eq!(desk.fake.calls("program helm upgrade").len(), upgrades, "{step} {name}");
        }
    }
}

fn objects(state: &mut State) -> &mut Vec<String> {
    state.database().tables.get_mut("objects").unwrap()
}

#[tokio::test(start_paused = true)]
async fn rows_that_somebody_loaded_are_not_emptied_unasked() {
    let (_home, mut answers) = answers();
    let (whole, moments) = whole(&answers).await;
    let wanted = end(&whole.fake.state());
    let mut moment = before(&moments, "restore");
    objects(&mut moment.state).extend(["7\tby hand".to_owned(), "8\tby hand".to_owned()]);
    let truncated = |desk: &Desk| desk.fake.calls("sql plant TRUNCATE").len();

    answers["steps"]["announce"] = json!({"choose": ["again"]});
    let desk = Desk::after(&moment, None);
    let said = refused(&desk.go(Clerk::new(answers.clone())).await);
    assert!(said.contains("the database of plant holds 2 rows that this run did not load: public.objects 2"), "{said}");
    assert!(said.contains("leave it paused") && said.contains("try again"), "{said}");
    assert_eq!(truncated(&desk), 0);

    // asked about it, nobody answers; and one row more is another question
    let desk = desk.again();
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    objects(&mut desk.fake.state()).push("9\tby hand".into());
    let mut agreed = answers.clone();
    agreed["steps"]["restore"] = json!({"go_on": true});
    let desk = desk.again();
    assert!(refused(&desk.go(Clerk::new(agreed.clone())).await).contains("holds 3 rows"));
    assert_eq!(truncated(&desk), 0);

    // a human who was refused these rows says that they may go
    let desk = desk.again();
    let ride = desk.go(Clerk::new(agreed)).await;
    assert_eq!(ride.stopped, Stopped::Finished);
    assert_eq!((truncated(&desk), end(&desk.fake.state()) == wanted), (1, true));
}

#[tokio::test(start_paused = true)]
async fn rows_of_the_new_deployment_itself_are_nobodys() {
    let (_home, answers) = answers();
    let (_, moments) = whole(&answers).await;
    // its worker writes from its start on until it is held
    let state = State { ingested: 1, ..State::with_deployment("test") };
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert_eq!(ride.stopped, Stopped::Finished);

    // in a break, what came before the writers were held may be of anybody
    let mut moment = before(&moments, "hold");
    objects(&mut moment.state).push("7\tby hand".to_owned());
    let desk = Desk::after(&moment, None);
    let said = refused(&desk.go(Clerk::new(answers)).await);
    assert!(said.contains("holds 1 row that this run did not load"), "{said}");
}

#[tokio::test(start_paused = true)]
async fn writers_that_somebody_had_stopped_are_not_left_so_in_silence() {
    let (_home, mut answers) = answers();
    let mut state = State::with_deployment("test");
    state.objects.get_mut(&key("Deployment", "plant", "pix-worker")).unwrap()["spec"]["replicas"] = json!(0);
    state.reconcile();
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert!(matches!(ride.stopped, Stopped::NeedsAnswer { .. }), "{:?}", ride.stopped);
    let questions = ride.questions();
    let Some(Question::Confirm { step, text, button, .. }) = questions.last() else { panic!("{questions:?}") };
    assert_eq!((step.0.as_str(), button.as_str()), ("release", "Leave pix-worker at 0"));
    assert!(text.iter().any(|line| line.contains("--context c -n plant scale deployment pix-worker")), "{text:?}");
    answers["steps"]["release"] = json!({"go_on": true});
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
}

#[tokio::test(start_paused = true)]
async fn rows_that_come_beside_an_own_try_are_not_emptied() {
    let (_home, answers) = answers();
    let desk = Desk::begin(&pixelcore(), Fake::new(State::with_deployment("test"))).await;
    // the load is cut before its first row; then somebody restores by hand, and works with it
    desk.fake.fail("job plant restore-1", drydock::ports::PortErrorKind::Other);
    let ride = desk.go(Clerk::new(answers.clone())).await;
    assert!(matches!(ride.stopped, Stopped::Failed { .. }), "{:?}", ride.stopped);
    let desk = desk.again();
    *objects(&mut desk.fake.state()) = ["1\tpump", "2\tvalve", "3\tmeter", "4\tnew"].map(str::to_owned).to_vec();
    let said = refused(&desk.go(Clerk::new(answers.clone())).await);
    assert!(said.contains("holds 1 row that this run did not load"), "{said}");
    assert_eq!(desk.fake.calls("sql plant TRUNCATE").len(), 1, "the one before its own load");
    // without the new row it is no more than the run brings itself
    objects(&mut desk.fake.state()).pop();
    let desk = desk.again();
    assert_eq!(desk.go(Clerk::new(answers)).await.stopped, Stopped::Finished);
}

#[tokio::test(start_paused = true)]
async fn a_copy_whose_writers_would_reach_another_database_is_not_installed() {
    let (_home, answers) = answers();
    let hosts = [
        ("[{name: PIX_DB_HOST, value: db.example.net}]", false),
        ("[{name: PIX_DB_HOST, value: pix-db.plant}]", false),
        ("[{name: PIX_DB_HOST, value: pix-db}]", true),
    ];
    for (env, own) in hosts {
        let state = State::with_deployment("test");
        let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
        let chart = world::CHART.replace("image: 'reg", &format!("env: {env}, image: 'reg"));
        desk.fake.state().says.insert("helm template".into(), (0, chart));
        let ride = desk.go(Clerk::new(answers.clone())).await;
        if own {
            assert_eq!(ride.stopped, Stopped::Finished);
            continue;
        }
        let said = refused(&ride);
        assert!(said.contains("is no service of its own namespace"), "{env}: {said}");
        assert_eq!(desk.fake.calls("create Deployment"), Vec::<String>::new(), "{env}");
        assert_eq!(desk.fake.calls("create Namespace"), Vec::<String>::new(), "{env}");
    }
}

#[tokio::test(start_paused = true)]
async fn the_environment_file_leads_out_where_the_chart_does_not_show_it() {
    let (home, mut answers) = answers();
    let dotenv = world::DOTENV.replace("PIX_DB_HOST=pix-db", "PIX_DB_HOST=db.example.net");
    let path = home.path().join("other.env");
    std::fs::write(&path, &dotenv).unwrap();
    answers["steps"]["environment"]["items"]["1"]["dotenv"] = Value::String(path.display().to_string());
    let mut state = State::with_deployment("test");
    let env = state.objects.get_mut(&key("Secret", "plant", "pix-env")).unwrap();
    env["data"]["PIX_DB_HOST"] = json!("ZGIuZXhhbXBsZS5uZXQ=");
    let desk = Desk::begin(&pixelcore(), Fake::new(state)).await;
    let said = refused(&desk.go(Clerk::new(answers)).await);
    assert!(said.contains("would be db.example.net"), "{said}");
    assert_eq!(desk.fake.calls("create Namespace"), Vec::<String>::new());
}
