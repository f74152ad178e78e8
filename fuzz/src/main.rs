//! Runs targets: with libFuzzer where it is built with `--cfg fuzzing`, and else each file that it is given, once.
//!
//! `cargo xtask endurance fuzz` builds and calls the former.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|input: &[u8]| {
    // The engine has the command line, so the name comes by another way.
    static TARGET: std::sync::LazyLock<&session_fuzz::Target> = std::sync::LazyLock::new(|| {
        let name = std::env::var("SESSION_FUZZ_TARGET").unwrap_or_default();
        session_fuzz::Target::named(&name)
            .unwrap_or_else(|| panic!("SESSION_FUZZ_TARGET names no target: {name:?}"))
    });
    let _ = session_fuzz::bounded(&TARGET, input);
});

#[cfg(not(fuzzing))]
fn main() -> std::process::ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let name = arguments.next().unwrap_or_default();
    let Some(target) = session_fuzz::Target::named(&name.to_string_lossy()) else {
        eprintln!("usage: session-fuzz TARGET FILE...\n");
        session_fuzz::TARGETS.iter().for_each(|target| eprintln!("{:<16}{}", target.name, target.about));
        return std::process::ExitCode::from(2);
    };
    for file in arguments {
        let file = std::path::PathBuf::from(file);
        let input = match std::fs::read(&file) {
            Ok(input) => input,
            Err(error) => {
                eprintln!("{}: {error}", file.display());
                return std::process::ExitCode::FAILURE;
            }
        };
        let verdict = if session_fuzz::bounded(target, &input) { "accepted" } else { "refused" };
        println!("{}: {verdict}", file.display());
    }
    std::process::ExitCode::SUCCESS
}
