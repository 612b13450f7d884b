//! The database server's container: makes a data directory on an empty volume, then serves.

use super::Running;
use crate::practice::{
    database::{Database, VERSION, start_time, volume_of},
    objects::Key,
};

/// What the entry point says while it makes a data directory.
const INIT: &str = "The files belonging to this database system will be owned by user \"postgres\".
This user must also own the server process.

The database cluster will be initialized with locale \"C.UTF-8\".
The default text search configuration will be set to \"english\".

Data page checksums are disabled.

fixing permissions on existing directory /var/lib/postgresql/data/pgdata ... ok
creating subdirectories ... ok
creating configuration files ... ok
running bootstrap script ... ok
performing post-bootstrap initialization ... ok
syncing data to disk ... ok
";

/// Runs until it is stopped.
pub async fn run(me: &Running) -> u8 {
    if !me.fresh {
        std::future::pending::<()>().await;
    }
    let place = &me.place;
    let pod = place.shared.objects.get(&Key::new("", "pods", Some(&place.namespace), &place.pod));
    let Some(volume) = pod.and_then(|pod| volume_of(&place.shared, &place.namespace, &pod)) else {
        me.log.write("chown: changing ownership of '/var/lib/postgresql/data': No such file or directory");
        return 1;
    };
    let now = || jiff::Timestamp::now().strftime("%Y-%m-%d %H:%M:%S.%3f UTC").to_string();
    let empty = place.shared.look(|state| !state.volumes.contains_key(&volume));
    if empty {
        let (name, user, password) = (me.var("POSTGRES_DB"), me.var("POSTGRES_USER"), me.var("POSTGRES_PASSWORD"));
        if password.is_empty() {
            me.log.write("Error: Database is uninitialized and superuser password is not specified.");
            return 1;
        }
        for line in INIT.lines() {
            me.log.write(line);
        }
        place.shared.pause(0.5).await;
        place.shared.change(|state| state.volumes.insert(volume.clone(), Database::new(name, user, password)));
        me.log.write("PostgreSQL init process complete; ready for start up.");
    } else {
        me.log.write("PostgreSQL Database directory appears to contain a database; Skipping initialization");
    }
    place.shared.change(|state| {
        if let Some(database) = state.volumes.get_mut(&volume) {
            database.started = start_time();
        }
    });
    me.log.write(format!(
        "{} [1] LOG:  starting PostgreSQL {VERSION} on x86_64-pc-linux-gnu, played by drydock practice",
        now()
    ));
    for place in [
        "IPv4 address \"0.0.0.0\", port 5432",
        "IPv6 address \"::\", port 5432",
        "Unix socket \"/var/run/postgresql/.s.PGSQL.5432\"",
    ] {
        me.log.write(format!("{} [1] LOG:  listening on {place}", now()));
    }
    place.shared.pause(0.2).await;
    me.log.write(format!("{} [1] LOG:  database system is ready to accept connections", now()));
    me.serves(true);
    std::future::pending::<()>().await;
    0
}
