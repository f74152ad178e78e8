//! As much of an HTTP client as it takes to see that a program serves.

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Duration,
};

use anyhow::{Context, Result};

const LONGEST: Duration = Duration::from_secs(10);

/// The host and port of the first `http://` address in a line.
pub(crate) fn address_in(line: &str) -> Result<String> {
    let (_, rest) = line.split_once("http://").with_context(|| format!("no address in {line:?}"))?;
    let end = rest.find(|end: char| end == '/' || end.is_whitespace()).unwrap_or(rest.len());
    Ok(rest[..end].to_owned())
}

/// The status that a GET is answered with.
pub(crate) fn get(address: &str, path: &str) -> Result<u16> {
    let mut stream = TcpStream::connect(address).with_context(|| format!("cannot connect to {address}"))?;
    stream.set_read_timeout(Some(LONGEST))?;
    stream.set_write_timeout(Some(LONGEST))?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).with_context(|| format!("http://{address}{path} does not answer"))?;
    let answer = String::from_utf8_lossy(&answer);
    answer
        .strip_prefix("HTTP/1.1 ")
        .and_then(|rest| rest.get(..3)?.parse().ok())
        .with_context(|| format!("http://{address}{path} answers no HTTP"))
}

#[cfg(test)]
mod tests {
    use super::address_in;

    #[test]
    fn an_address_is_found() {
        for line in
            ["listening on http://127.0.0.1:80", "see http://127.0.0.1:80/ now", "at http://127.0.0.1:80 !"]
        {
            assert_eq!(address_in(line).unwrap(), "127.0.0.1:80");
        }
        assert!(address_in("nowhere").is_err());
    }
}
