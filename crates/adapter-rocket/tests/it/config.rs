//! Settings from Rocket's own configuration.

use rocket::{
    Build, Config, Rocket,
    config::LogLevel,
    error::ErrorKind,
    figment::{
        Figment,
        providers::{Format as _, Toml},
    },
};
use session_adapter_rocket::SessionFairing;
use session_core::SessionManager;

use crate::support::{Client, TestStore, app};

fn rocket(store: &TestStore, sessions: &str) -> Rocket<Build> {
    let store = store.clone();
    let fairing = SessionFairing::configured(|config| SessionManager::builder(store).config(config).build());
    let config = Config { log_level: LogLevel::Off, ..Config::debug_default() };
    app(fairing, vec![]).configure(Figment::from(config).merge(Toml::string(sessions).nested()))
}

#[rocket::async_test]
async fn the_table_of_the_profile_in_use_counts() {
    let settings = r#"
        [default.sessions]
        realm = "shop"
        expiry = { idle = "20m", absolute = "8h" }

        [debug.sessions.cookie]
        name = "shop"
        secure = false

        [release.sessions.cookie]
        name = "__Secure-shop"
    "#;
    let store = TestStore::default();
    let mut client = Client::new(rocket(&store, settings)).await;
    let answer = client.get("/count").await;
    let [cookie] = answer.all("set-cookie")[..] else { panic!("{answer:?}") };
    assert!(cookie.starts_with("shop=") && cookie.ends_with("; Path=/; HttpOnly; SameSite=Lax"), "{cookie}");
    let manager = client.rocket.rocket().state::<SessionManager>().unwrap();
    assert_eq!(manager.config().realm, "shop");
    assert_eq!(manager.config().expiry.idle.unwrap().as_secs(), 20 * 60);
}

#[rocket::async_test]
async fn without_a_table_the_defaults_apply() {
    let store = TestStore::default();
    let mut client = Client::new(rocket(&store, "")).await;
    assert!(client.get("/count").await.all("set-cookie")[0].starts_with("__Host-id="));
}

#[rocket::async_test]
async fn a_setting_that_does_not_work_aborts_the_launch() {
    for settings in [
        "[default.sessions]\nrelam = 'shop'",          // no such setting
        "[default.sessions.expiry]\nidle = 'soon'",    // not a length of time
        "[default]\nsessions = 7",                     // not a table
        "[default.sessions.cookie]\nsecure = false",   // __Host- needs Secure
        "[default.sessions]\nsweep_probability = 0.5", // the store cannot sweep
    ] {
        let error = rocket(&TestStore::default(), settings).ignite().await.unwrap_err();
        let ErrorKind::FailedFairings(failed) = error.kind() else { panic!("{error:?}") };
        assert_eq!(failed.iter().map(|info| info.name).collect::<Vec<_>>(), ["Sessions"], "{settings}");
    }
}
