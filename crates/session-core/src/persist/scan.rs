//! Reads the values of one name from all `Cookie` fields of a request, byte for byte.
//!
//! RFC 6265bis section 5.7.3 says how user agents write the field; this reads exactly that and nothing more. Names are
//! compared case-sensitively and never decoded, because both let a page on a sibling host forge a `__Host-` name
//! (CVE-2020-7070, CVE-2022-31629); only spaces and tabs are trimmed; quotes mean nothing; the bytes of other cookies
//! never matter.

use http::{HeaderMap, header::COOKIE};

/// The values of the cookies called `name`, in the order of the request, over all fields (RFC 9113 section 8.2.3).
pub(super) fn values<'a>(headers: &'a HeaderMap, name: &'a [u8]) -> impl Iterator<Item = &'a [u8]> {
    headers
        .get_all(COOKIE)
        .into_iter()
        .flat_map(|field| pairs(field.as_bytes()))
        .filter_map(move |pair| value(trim(pair), name))
}

/// What stands between semicolons. Browsers send up to 8 KiB of other cookies, so this looks at many bytes at once.
fn pairs(field: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(field);
    std::iter::from_fn(move || {
        let bytes = rest.take()?;
        let Some(semicolon) = memchr::memchr(b';', bytes) else { return Some(bytes) };
        rest = bytes.get(semicolon + 1..);
        bytes.get(..semicolon)
    })
}

fn value<'a>(pair: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let (left, right) = pair.split_at_checked(name.len())?;
    if left != name {
        return None;
    }
    let value = trim_start(right).strip_prefix(b"=")?;
    Some(trim_start(value))
}

fn trim(bytes: &[u8]) -> &[u8] {
    let mut bytes = trim_start(bytes);
    while let [rest @ .., b' ' | b'\t'] = bytes {
        bytes = rest;
    }
    bytes
}

fn trim_start(mut bytes: &[u8]) -> &[u8] {
    while let [b' ' | b'\t', rest @ ..] = bytes {
        bytes = rest;
    }
    bytes
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    fn scan(fields: &[&[u8]]) -> Vec<String> {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, HeaderValue::from_bytes(field).unwrap());
        }
        values(&headers, b"__Host-id").map(|value| String::from_utf8_lossy(value).into_owned()).collect()
    }

    #[test]
    fn finds_every_value_in_every_field() {
        assert_eq!(scan(&[b"a=1; __Host-id=x; b=2", b"__Host-id=y"]), ["x", "y"]);
        assert_eq!(scan(&[b"__Host-id=x"]), ["x"]);
        assert_eq!(scan(&[b"__Host-id\t= x \t;c"]), ["x"]);
        assert_eq!(scan(&[b"__Host-id="]), [""]);
    }

    #[test]
    fn no_other_spelling_of_the_name_is_ours() {
        // Shows: A8
        for forged in [
            &b"__host-id=x"[..],
            b"__Host-ID=x",
            b"%5f%5fHost-id=x",
            b"\"__Host-id\"=x",
            b"=__Host-id=x",
            b"a__Host-id=x",
            b"__Host-id2=x",
            b"__Host-id",
            b"..Host-id=x",
            b"\xe2\x80\x80__Host-id=x",
            b"\xc2\x85__Host-id=x",
            b"\xe3\x80\x80__Host-id=x",
            b"\xc2\xa0__Host-id=x",
            b"a=\"1; b=2",
            b"",
            b";;;",
        ] {
            assert_eq!(scan(&[forged]), Vec::<String>::new(), "{:?}", String::from_utf8_lossy(forged));
        }
    }

    #[test]
    fn bytes_of_other_cookies_never_matter() {
        // Shows: A10
        assert_eq!(scan(&[b"a=\xff\xfe\x80; b=\"; __Host-id=x; c=\xc3\x28"]), ["x"]);
        assert_eq!(scan(&[b"$Version=1; a=\"q; __Host-id=x; d=\""]), ["x"]);
    }
}
