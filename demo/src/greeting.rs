//! What is printed when the shop opens.

use std::net::SocketAddr;

use crate::cli::StoreChoice;

/// The address, where sessions are kept, and what to try.
pub(crate) fn greeting(address: SocketAddr, store: &StoreChoice, place: &str) -> String {
    let url = format!("http://{}", reachable(address));
    let kept = match store {
        StoreChoice::Memory => "in memory: they are gone when this program ends".to_owned(),
        StoreChoice::Redis(_) => format!("at {place}: they outlive this program, and Redis if it saves them"),
        StoreChoice::Sql(_) => format!("in {place}: they outlive this program and the database's"),
        StoreChoice::File(_) => format!("in {place}: they outlive this program, kill -9 included"),
    };
    let mut text = format!(
        "\
listening on {url}
sessions are kept {kept}
the cookie is not Secure, because this is plain http for development; elsewhere use TLS and the default cookie

Try:
  curl -i {url}/session
  curl -i -b tea.jar -c tea.jar -H \"x-csrf-token: $(curl -s -c tea.jar {url}/token)\" -d name=Ada {url}/sign-in
  curl -i -b tea.jar {url}/session

The x-session-report field of each answer says what the library did. Ctrl-C ends the program."
    );
    if !address.ip().is_loopback() {
        text += "\n\nWarning: whoever is on this network can read the cookies, and sign in under any name.";
    }
    text
}

/// An address that can be typed into a browser.
fn reachable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(match address {
            SocketAddr::V4(_) => std::net::Ipv4Addr::LOCALHOST.into(),
            SocketAddr::V6(_) => std::net::Ipv6Addr::LOCALHOST.into(),
        });
    }
    address
}
