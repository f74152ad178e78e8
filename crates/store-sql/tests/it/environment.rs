//! Making, checking and dropping the tables.

use session_core::{Environment, Store, StoreErrorKind};
use session_store_sql::OpenError;

use crate::common::*;

on_each! {
    async fn a_connected_store_is_ready_and_connecting_again_changes_nothing(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        for _ in 0..2 {
            let again = lab.open().await;
            Environment::check(&again).await.unwrap();
            assert_eq!(load(&again, &key(1)).await.unwrap(), b"x");
        }
        let checked = lab.builder().create(false).connect(&lab.url).await.unwrap();
        assert_eq!(load(&checked, &key(1)).await.unwrap(), b"x");
    }

    async fn what_is_missing_is_an_error_where_nothing_may_be_made(lab) {
        let error = lab.builder().create(false).connect(&lab.url).await.unwrap_err();
        let OpenError::Environment(problems) = &error else { panic!("{error:?}") };
        assert!(!problems.is_empty());
        assert!(!lab.file().exists());
        assert!(lab.try_sql("SELECT count(*) FROM {t}").await.is_err());
    }

    async fn every_problem_is_named(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        let of_table = if lab.kind == Kind::MySql { " ON {t}" } else { "" };
        lab.sql(&format!("DROP INDEX {{t}}_expires{of_table}")).await;
        lab.sql(&format!("DROP INDEX {{t}}_principal{of_table}")).await;
        let problems = Environment::check(&store).await.unwrap_err();
        let problems: Vec<String> = problems.iter().map(|problem| std::error::Error::source(problem).unwrap().to_string()).collect();
        let missing = |part: &str| format!("{}{part} is missing", lab.table);
        assert_eq!(problems, [missing("_expires"), missing("_principal")]);
        Environment::create(&store).await.unwrap();
        Environment::check(&store).await.unwrap();
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
    }

    async fn a_missing_table_is_named_once(lab) {
        let store = lab.open().await;
        Environment::drop(&store).await.unwrap();
        let problems = Environment::check(&store).await.unwrap_err();
        let problems: Vec<String> = problems.iter().map(|problem| told(problem)).collect();
        assert_eq!(problems.len(), 2, "{problems:?}");
        for (problem, table) in problems.iter().zip(["_schema", ""]) {
            assert!(problem.contains(&format!("{}{table} is missing", lab.table)), "{problems:?}");
        }
    }

    async fn a_table_that_is_gone_is_an_outage_that_a_check_names(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        lab.sql("DROP TABLE {t}").await;
        let error = store.load(&key(1)).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        assert!(told(&error).contains(&lab.table), "{}", told(&error));
        let error = store.write(&key(2), entry("x"), session_core::Expect::Absent).await.unwrap_err();
        assert_eq!(error.kind(), StoreErrorKind::Unavailable);
        let problems = Environment::check(&store).await.unwrap_err();
        assert!(all_told(&problems).contains(&format!("{} is missing", lab.table)), "{}", all_told(&problems));
        Environment::create(&store).await.unwrap();
        create(&store, &key(1), entry("x")).await;
        assert_eq!(load(&store, &key(1)).await.unwrap(), b"x");
    }

    async fn tables_of_a_later_version_are_an_error_and_left_alone(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        lab.sql("UPDATE {t}_schema SET version = 2").await;
        let newer = "have version 2 of the schema";
        let error = lab.builder().connect(&lab.url).await.unwrap_err();
        assert!(told(&error).contains(newer), "{}", told(&error));
        let lazy = lab.builder().connect_lazy(&lab.url).unwrap();
        for error in [
            lazy.load(&key(1)).await.unwrap_err(),
            lazy.remove(&key(1), None).await.unwrap_err(),
            lazy.write(&key(2), entry("x"), session_core::Expect::Absent).await.unwrap_err(),
        ] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable);
            assert!(told(&error).contains(newer), "{}", told(&error));
        }
        let problems = Environment::check(&lazy).await.unwrap_err();
        assert!(all_told(&problems).contains(newer), "{}", all_told(&problems));
        assert!(Environment::create(&lazy).await.is_err());
        assert_eq!(lab.number("SELECT count(*) FROM {t}").await, 1);
    }

    async fn a_table_of_somebody_else_is_not_dropped(lab) {
        lab.sql("CREATE TABLE {t} (note INTEGER)").await;
        lab.sql("INSERT INTO {t} VALUES (1)").await;
        let store = lab.builder().connect_lazy(&lab.url).unwrap();
        assert!(Environment::create(&store).await.is_err());
        let problems = Environment::drop(&store).await.unwrap_err();
        assert!(all_told(&problems).contains("is not a table of sessions"), "{}", all_told(&problems));
        assert_eq!(lab.number("SELECT count(*) FROM {t}").await, 1);
    }

    async fn a_dropped_environment_is_gone_and_can_be_made_again(lab) {
        let store = lab.open().await;
        create(&store, &key(1), entry("x")).await;
        Environment::drop(&store).await.unwrap();
        Environment::drop(&store).await.unwrap();
        assert!(lab.try_sql("SELECT count(*) FROM {t}").await.is_err());
        assert!(lab.try_sql("SELECT count(*) FROM {t}_schema").await.is_err());
        assert!(Environment::check(&store).await.is_err());
        Environment::create(&store).await.unwrap();
        assert_eq!(load(&store, &key(1)).await, None);
    }

    async fn several_set_up_at_once(lab) {
        let stores: Vec<_> = (0..8).map(|_| lab.builder().connect_lazy(&lab.url).unwrap()).collect();
        let mut tasks = tokio::task::JoinSet::new();
        for store in stores {
            tasks.spawn(async move { Environment::create(&store).await });
        }
        while let Some(created) = tasks.join_next().await {
            created.unwrap().unwrap();
        }
        Environment::check(&lab.open().await).await.unwrap();
    }

    async fn prefixes_keep_environments_apart(lab) {
        let named = |prefix: &str| lab.builder().prefix(prefix).connect(&lab.url);
        let (staging, live) = (named("staging").await.unwrap(), named("live").await.unwrap());
        create(&staging, &key(1), entry("staging")).await;
        create(&live, &key(1), entry("live")).await;
        assert_eq!(load(&live, &key(1)).await.unwrap(), b"live");
        Environment::drop(&live).await.unwrap();
        assert_eq!(load(&staging, &key(1)).await.unwrap(), b"staging");
        assert_eq!(lab.number("SELECT count(*) FROM staging_{t}").await, 1);
        Environment::drop(&staging).await.unwrap();
    }
}
