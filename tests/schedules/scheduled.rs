//! Turns the locks of the crate into those of shuttle. A flag of the build would have every dependency built twice, and
//! a feature would be switched on for everybody by `--all-features`.

fn main() {
    println!("cargo::rustc-cfg=session_shuttle");
    println!("cargo::rustc-check-cfg=cfg(feature, values(any()))");
    println!("cargo::rerun-if-changed=../scheduled.rs");
}
