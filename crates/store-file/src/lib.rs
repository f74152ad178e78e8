//! A crash-safe, multi-process session store that keeps one file per session.
