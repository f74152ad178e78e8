//! Which spellings of an origin are accepted, and that an accepted one stays as it is.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use session_core::Origin;

#[test]
fn an_origin_that_browsers_send_is_kept_as_it_is() {
    let spellings = [
        "https://shop.example",
        "http://localhost:8080",
        "https://[::1]:8443",
        "app+x-1.y://a",
        "http://a:443",
        "https://a:80",
    ];
    for spelling in spellings {
        let origin: Origin = spelling.parse().unwrap();
        assert_eq!((origin.as_str(), origin.as_ref()), (spelling, spelling));
        assert_eq!(format!("{origin}"), spelling);
    }
}

#[test]
fn a_spelling_that_no_browser_sends_is_refused() {
    for spelling in [
        "",
        "shop.example",
        "://shop.example",
        "HTTPS://shop.example",
        "ht tp://shop.example",
        "https://",
        "https://Shop.example",
        "https://shop.example/",
        "https://user@shop.example",
        "https://shop.example:443",
        "http://shop.example:80",
        "null",
    ] {
        assert!(spelling.parse::<Origin>().is_err(), "{spelling:?}");
    }
}
