//! The reference adapter passes every case, with every strategy.

session_conformance::adapter_tests!(session_conformance::adapter::Direct);
