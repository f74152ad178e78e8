//! A bounded, sharded in-memory session store.
