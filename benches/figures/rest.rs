//! What the program costs while nothing happens: bytes to the terminal, time of processors, memory.

use std::time::Duration;

use crate::{
    PROGRAM,
    keys::{begin, plan, script},
    table::{Row, mib},
    terminal::{House, Terminal},
};

const REST: Duration = Duration::from_secs(10);

/// Bytes, hundredths of a second and memory in `REST`.
fn measure(terminal: &mut Terminal) -> (usize, u64, u64) {
    terminal.rest(Duration::from_secs(1));
    let before = terminal.process().ticks();
    let bytes = terminal.rest(REST);
    (bytes, terminal.process().ticks() - before, terminal.process().memory("VmRSS"))
}

fn row(figure: &str, (bytes, ticks, memory): (usize, u64, u64), most: usize) -> Row {
    let measured = format!("{bytes} bytes, {:.2} s CPU in 10 s", f64::from(u32::try_from(ticks).unwrap()) / 100.0);
    let limit = if most == 0 { "0 bytes".to_owned() } else { format!("<= {} bytes a second", most / 10) };
    Row::new(figure, measured, format!("{} resident", mib(memory))).within(&limit, bytes <= most)
}

pub fn rows() -> Vec<Row> {
    let house = House::new();
    let mut home = Terminal::start(house.command(PROGRAM, &[]));
    home.sees("leave");
    let home = row("idle, home", measure(&mut home), 0);

    let house = House::new();
    std::fs::create_dir(house.path("bin")).unwrap();
    script(&house, "say", "echo said");
    script(&house, "strike", "exec sleep 60");
    let asked = row("idle, a plan that waits", measure(&mut plan(&house, &[])), 0);

    let house = House::new();
    let mut practice = Terminal::start(house.command(PROGRAM, &["practice"]));
    practice.sees("Approve and start");
    let practice = row("idle, practice", measure(&mut practice), 0);

    let house = House::new();
    std::fs::create_dir(house.path("bin")).unwrap();
    script(&house, "say", "echo said");
    script(&house, "strike", "exec sleep 60");
    let still = row("a silent step, --still", measure(&mut begin(&house, &["--still"])), 0);

    let house = House::new();
    std::fs::create_dir(house.path("bin")).unwrap();
    script(&house, "say", "echo said");
    script(&house, "strike", "exec sleep 60");
    let ticks = row("a silent step, its time moves", measure(&mut begin(&house, &[])), 1000);
    vec![home, asked, practice, still, ticks]
}
