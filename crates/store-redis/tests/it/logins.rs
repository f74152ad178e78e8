//! Passwords: asked for, and shown nowhere.

use session_test_servers::RedisRecipe;

use super::*;

#[tokio::test]
async fn a_password_is_used_and_never_shown() {
    let Some(server) = or_skip(RedisRecipe::default().password("hunter2").start()) else { return };
    let url = |login: &str| format!("redis://{login}127.0.0.1:{}", server.port());
    let right = RedisStore::builder(url(":hunter2@"));
    let mut shown = format!("{right:?}");
    let right = right.build().unwrap();
    create(&right, &key(1), entry("x")).await;
    assert!(right.load(&key(1)).await.unwrap().is_some());
    right.as_environment().unwrap().create().await.unwrap();

    for login in [":hunter3@", "nobody:hunter3@", ""] {
        let wrong = RedisStore::builder(url(login)).deadline(HASTE).build().unwrap();
        let load = wrong.load(&key(1)).await.unwrap_err();
        let write = wrong.write(&key(2), entry("x"), Expect::Absent).await.unwrap_err();
        let check = wrong.as_environment().unwrap().check().await.unwrap_err();
        for error in [&load, &write, &check[0]] {
            assert_eq!(error.kind(), StoreErrorKind::Unavailable, "{}", spelt_out(error));
            shown += &spelt_out(error);
        }
        shown += &format!("{wrong:?}");
    }
    shown += &format!("{right:?} {:?}", right.stats());
    assert!(!shown.contains("hunter"), "{shown}");
}

/// A password that is changed on the server and then changed back: no error is for ever.
#[tokio::test]
async fn a_login_that_works_again_is_used_again() {
    let Some(server) = server() else { return };
    let store = RedisStore::builder(format!("redis://:right@127.0.0.1:{}", server.port()))
        .deadline(HASTE)
        .build()
        .unwrap();
    assert_eq!(kind(store.load(&key(1)).await), StoreErrorKind::Unavailable);
    server.ask("CONFIG SET requirepass right").unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), None);
}

/// A server without room for another connection says so instead of its greeting.
#[tokio::test]
async fn a_server_with_too_many_clients_is_used_when_some_have_gone() {
    let Some(server) = or_skip(RedisRecipe::default().set("maxclients", "2").start()) else { return };
    let connect = || std::net::TcpStream::connect(("127.0.0.1", server.port())).unwrap();
    let guests = [connect(), connect()];
    let store = hasty(server.port());
    assert_eq!(kind(store.load(&key(1)).await), StoreErrorKind::Unavailable);
    drop(guests);
    // The server may need a moment to notice.
    while store.load(&key(1)).await.is_err() {}
}

#[tokio::test]
async fn a_user_who_may_not_is_told_so() {
    let Some(server) = server() else { return };
    server.ask("ACL SETUSER reader on >hunter2 ~session:* +get +ping").unwrap();
    let url = format!("redis://reader:hunter2@127.0.0.1:{}", server.port());
    let store = RedisStore::builder(url).deadline(HASTE).build().unwrap();
    assert_eq!(store.load(&key(1)).await.unwrap(), None);
    let error = store.write(&key(1), entry("secret"), Expect::Absent).await.unwrap_err();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);
    let shown = spelt_out(&error);
    assert!(shown.contains("NOPERM") && !shown.contains("hunter2") && !shown.contains("secret"), "{shown}");
    // The least that a user needs.
    server.ask("ACL SETUSER least on >hunter2 ~session:* +get +set +del +evalsha +eval +script|load +exists +strlen +getrange +time +pexpireat +pttl +zadd +zrem +zrangebylex").unwrap();
    let url = format!("redis://least:hunter2@127.0.0.1:{}", server.port());
    let store = RedisStore::builder(url).deadline(HASTE).build().unwrap();
    let version = create(&store, &key(1), entry("x").with_principal(principal(1))).await;
    assert_eq!(store.as_principal_index().unwrap().keys_of(&principal(1), None, 9).await.unwrap(), [key(1)]);
    assert_eq!(store.remove(&key(1), Some(version)).await.unwrap(), Removed::Gone);
}
