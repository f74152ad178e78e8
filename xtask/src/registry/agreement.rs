//! Whether the adapters answer the recorded corpus byte for byte as the reference does, and what their frameworks make
//! different: each difference with its reason, and no reason without a difference.

#![allow(clippy::expect_used, reason = "a test that cannot go on has failed")]

use http::Method;
use session_conformance::adapter::agreement::{Aspect, Exchange, Excuse, with_the_reference};

use super::ADAPTERS;

#[test]
fn axum_agrees_with_the_reference() {
    // Shows: A8
    check("axum", &[UNROUTED_BODY, UNROUTED_TYPE, OTHER_METHOD]);
}

#[test]
fn warp_agrees_with_the_reference() {
    // Shows: A8
    let trailing = Excuse {
        aspect: None,
        applies: |exchange| exchange.request.uri().path() == "/untouched/",
        reason: "warp takes a path with a slash at its end for the one without",
    };
    let body_of_head = Excuse {
        aspect: Some(Aspect::Body),
        applies: |exchange| exchange.request.method() == Method::HEAD,
        reason: "warp leaves it to hyper to drop the body of an answer to HEAD",
    };
    check("warp", &[UNROUTED_BODY, UNROUTED_TYPE, OTHER_METHOD, trailing, body_of_head]);
}

#[test]
fn rocket_agrees_with_the_reference() {
    // Shows: A8
    let not_text = Excuse {
        aspect: None,
        applies: |exchange| {
            exchange.request.headers().values().any(|value| str::from_utf8(value.as_bytes()).is_err())
        },
        reason: "Rocket drops fields that are not UTF-8",
    };
    let empty_segments = Excuse {
        aspect: None,
        applies: |exchange| {
            let path = exchange.request.uri().path();
            exchange.expected == 404 && (path.contains("//") || path == "/untouched/")
        },
        reason: "Rocket leaves empty segments of a path out before it routes",
    };
    let encoded_path = Excuse {
        aspect: None,
        applies: |exchange| exchange.request.uri().path().contains('%') && exchange.expected == 404,
        reason: "Rocket decodes a path before it routes",
    };
    check("rocket", &[UNROUTED_BODY, UNROUTED_TYPE, not_text, empty_segments, encoded_path]);
}

const UNROUTED_BODY: Excuse = Excuse {
    aspect: Some(Aspect::Body),
    applies: is_unrouted,
    reason: "the body of an answer that no route gives is the framework's",
};
const UNROUTED_TYPE: Excuse = Excuse {
    aspect: Some(Aspect::Field("content-type")),
    applies: is_unrouted,
    reason: "the type of an answer that no route gives is the framework's",
};
const OTHER_METHOD: Excuse = Excuse {
    aspect: Some(Aspect::Status),
    applies: |exchange| is_unrouted(exchange) && exchange.found == 405,
    reason: "the framework tells a wrong method from a wrong path",
};

/// Whether no route has answered, neither there nor here.
fn is_unrouted(exchange: &Exchange<'_>) -> bool {
    exchange.expected == 404 && matches!(exchange.found.as_u16(), 404 | 405)
}

fn check(name: &str, excuses: &[Excuse]) {
    let adapter = ADAPTERS.iter().find(|adapter| adapter.name == name).expect("an adapter of that name");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let found = runtime.block_on(with_the_reference((adapter.starter)(), excuses));
    let found = found.expect("a corpus that can be sent");
    println!("{name}: {} requests, {} differences excused", found.requests, found.excused);
    let first = &found.differences[..found.differences.len().min(40)];
    assert!(
        found.differences.is_empty(),
        "{} differences, the first of which are:\n{}",
        found.differences.len(),
        first.join("\n")
    );
    assert!(found.needless.is_empty(), "these excuse nothing any more: {:#?}", found.needless);
}
