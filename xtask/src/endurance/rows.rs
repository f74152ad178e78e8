//! The long forms that exist.

/// One of them.
pub(super) struct Row {
    pub(super) name: &'static str,
    /// What it is about in the project's list of promises.
    pub(super) promises: &'static str,
    pub(super) about: &'static str,
    pub(super) form: Form,
}

/// How it is run.
pub(super) enum Form {
    /// Tests, or a command of the workspace. What they print as `FIGURE name: number` goes into the report.
    Cargo { call: &'static str, environment: &'static [(&'static str, &'static str)] },
    /// libFuzzer, for each target of `fuzz/`.
    Fuzz,
}

impl Row {
    /// What is called.
    pub(super) fn call(&self) -> &'static str {
        match self.form {
            Form::Cargo { call, .. } => call,
            Form::Fuzz => "build -p session-fuzz (with coverage); session-fuzz, for each target",
        }
    }
}

/// The case that records what clients see of a store and puts it in order.
macro_rules! histories {
    ($program:literal, $module:literal) => {
        concat!(
            "nextest run --profile endurance --no-capture -p session-conformance --test ",
            $program,
            " ",
            $module,
            "what_clients_see_is_linearizable"
        )
    };
}

pub(super) const ROWS: &[Row] = &[
    Row {
        name: "conformance",
        promises: "C1 C2 C3 C4 C5 C6 C7 R8 S3 S5 S6",
        about: "The kit on every combination, its races and random calls a hundred times longer",
        form: Form::Cargo { call: "xtask conformance", environment: &[("SESSION_CONFORMANCE_SCALE", "100")] },
    },
    Row {
        name: "postgres",
        promises: "C1 C2 C4 S3",
        about: "The adapter suite on PostgreSQL, with every adapter and strategy",
        form: Form::Cargo { call: "xtask conformance --store postgres", environment: &[] },
    },
    Row {
        name: "mysql",
        promises: "C1 C2 C4 S3",
        about: "The adapter suite on MariaDB, with every adapter and strategy",
        form: Form::Cargo { call: "xtask conformance --store mysql", environment: &[] },
    },
    Row {
        name: "cluster",
        promises: "C1 C2 C4 S3",
        about: "The adapter suite on a Redis Cluster, with every adapter and strategy",
        form: Form::Cargo { call: "xtask conformance --store redis+cluster", environment: &[] },
    },
    Row {
        name: "histories-memory",
        promises: "C5",
        about: "Ten million operations of four clients on the memory store, each history put in order",
        form: Form::Cargo { call: histories!("store_memory", "default::"), environment: TEN_MILLION },
    },
    Row {
        name: "histories-file",
        promises: "C5",
        about: "The same on files, a million",
        form: Form::Cargo { call: histories!("store_file", "default::"), environment: A_MILLION },
    },
    Row {
        name: "histories-sqlite",
        promises: "C5",
        about: "The same on an SQLite file, a million",
        form: Form::Cargo { call: histories!("store_sqlite", "file::"), environment: A_MILLION },
    },
    Row {
        name: "histories-redis",
        promises: "C5",
        about: "The same on one Redis, ten million",
        form: Form::Cargo { call: histories!("store_redis", "one_node::"), environment: TEN_MILLION },
    },
    Row {
        name: "histories-postgres",
        promises: "C5",
        about: "The same on PostgreSQL, a million",
        form: Form::Cargo { call: histories!("store_postgres", "own_connections::"), environment: A_MILLION },
    },
    Row {
        name: "histories-mysql",
        promises: "C5",
        about: "The same on MariaDB, a million",
        form: Form::Cargo { call: histories!("store_mariadb", "own_connections::"), environment: A_MILLION },
    },
    Row {
        name: "mutants",
        promises: "V1",
        about: "Every mutant of core, file store, memory store and adapters",
        form: Form::Cargo { call: "xtask mutants", environment: &[] },
    },
    Row {
        name: "mutants-by-hand",
        promises: "V1",
        about: "Each lock, sync and check taken away, one after the other",
        form: Form::Cargo { call: "xtask mutants --by-hand", environment: &[] },
    },
    Row {
        name: "caches",
        promises: "S8",
        about: "20,000 requests of 1,200 users through nginx and Varnish in front of each adapter",
        form: Form::Cargo {
            call: "nextest run --profile endurance -p session-outside-tests caches --no-capture",
            environment: &[("SESSION_CONFORMANCE_SCALE", "10")],
        },
    },
    Row {
        name: "ids",
        promises: "S3",
        about: "Ten million ids: none twice, and no bit biased",
        form: Form::Cargo {
            call: "test --release -p session-core --test ids -- --nocapture",
            environment: &[("SESSION_CONFORMANCE_SCALE", "1000")],
        },
    },
    Row {
        name: "sealed",
        promises: "S9",
        about: "Every bit of 10,000 signed and 10,000 encrypted cookies flipped",
        form: Form::Cargo {
            call: "test --release -p session-core --all-features --test sealed_and_signed flipped_bits",
            environment: &[("SESSION_CONFORMANCE_SCALE", "512")],
        },
    },
    Row {
        name: "nonces",
        promises: "S9",
        about: "The nonces of 100 million encrypted cookies, none twice",
        form: Form::Cargo {
            call: "test --release -p session-core --all-features --test sealed_and_signed no_nonce",
            environment: &[("SESSION_CONFORMANCE_SCALE", "5000")],
        },
    },
    Row {
        name: "file",
        promises: "R1 R2 R3 R9",
        about: "Kills, and power cuts on ext4 and xfs, on files, a hundred times longer",
        form: Form::Cargo {
            call: "nextest run --profile endurance -p session-store-file killed power_cut",
            environment: &[("SESSION_CONFORMANCE_SCALE", "100")],
        },
    },
    Row {
        name: "redis",
        promises: "R1 L1 L2",
        about: "Kills, elections and broken connections on Redis, five hundred times longer",
        form: Form::Cargo {
            call: "nextest run --release --profile endurance -p session-store-redis -E not(test(processes::))",
            environment: &[("SESSION_CONFORMANCE_SCALE", "500")],
        },
    },
    Row {
        name: "sql",
        promises: "R1 L1",
        about: "Kills and broken connections on each SQL database, a hundred times longer",
        form: Form::Cargo {
            call: "nextest run --release --profile endurance -p session-store-sql --all-features -E not(test(processes::))",
            environment: &[("SESSION_CONFORMANCE_SCALE", "100")],
        },
    },
    Row {
        name: "races-file",
        promises: "C1 C3 C4",
        about: "Two processes on one folder: 640,000 updates, 2,000 rotations by 64, 100,000 ends",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-file -E test(processes::)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "races-sqlite",
        promises: "C1 C3 C4",
        about: "The same on one SQLite file",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-sql --all-features -E test(processes::sqlite)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "races-postgres",
        promises: "C1 C3 C4",
        about: "The same on one PostgreSQL",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-sql --all-features -E test(processes::postgres)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "races-mysql",
        promises: "C1 C3 C4",
        about: "The same on one MariaDB",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-sql --all-features -E test(processes::mysql)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "races-redis",
        promises: "C1 C3 C4",
        about: "The same on one Redis",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-redis -E test(processes::one_node)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "races-cluster",
        promises: "C1 C3 C4",
        about: "The same on a Redis Cluster",
        form: Form::Cargo {
            call: "nextest run --release --no-capture --profile endurance -p session-store-redis -E test(processes::three_nodes)",
            environment: LONG_RACES,
        },
    },
    Row {
        name: "schedules",
        promises: "C1 C2 C3 C4 C5 C6 C7 C8",
        about: "Core, memory store and file store through about a million schedules",
        form: Form::Cargo {
            call: "test --release -p session-schedules -- --nocapture",
            environment: &[("SESSION_CONFORMANCE_SCALE", "180")],
        },
    },
    Row {
        name: "fuzz",
        promises: "S1 S2 S5",
        about: "Hostile bytes, led by coverage, for every parser: a minute each, or a share of the time",
        form: Form::Fuzz,
    },
    Row {
        name: "bench",
        promises: "P1",
        about: "The benchmarks build without a warning, and pass their own tests",
        form: Form::Cargo { call: "xtask bench --check", environment: &[] },
    },
];

/// 64 x 10,000 updates (promise C1), 100,000 ends beside requests (C3).
const LONG_RACES: &[(&str, &str)] = &[("SESSION_CONFORMANCE_SCALE", "500")];
/// 40 histories of 24 operations each, so often.
const TEN_MILLION: &[(&str, &str)] = &[("SESSION_CONFORMANCE_SCALE", "10417")];
const A_MILLION: &[(&str, &str)] = &[("SESSION_CONFORMANCE_SCALE", "1042")];
