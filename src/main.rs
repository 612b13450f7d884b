//! Arguments in, exit code out.

fn main() {
    #[allow(clippy::exit)]
    std::process::exit(drydock::cli::main());
}
