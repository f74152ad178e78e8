//! The gate of the core in every order that the memory model allows.

use session_schedules::gate_model::threads;

#[test]
fn two_threads_enter_one_after_the_other() {
    threads(2, 0, None);
}

#[test]
fn who_gives_up_holds_nobody_up() {
    threads(2, 1, Some(2));
}

#[test]
fn three_threads_enter_one_after_the_other() {
    threads(3, 0, Some(2));
}
