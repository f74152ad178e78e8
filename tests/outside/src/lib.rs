//! Nothing here: the tests are in `tests/it`, and need programs that are not ours.
