//! Signing in.

use maud::{Markup, html};

use super::parts::{heading, token_field};

/// The form to sign in with, or who is signed in.
pub(crate) fn sign_in(signed_in: Option<&str>, token: &str) -> Markup {
    html! {
        (heading("Sign in", "Any name will do. There is no password: this shop shows sessions, not passwords."))
        @if let Some(name) = signed_in {
            p.notice { "You are signed in as " strong { (name) } ". Signing in again replaces that." }
        }
        form.form method="post" action="/sign-in" {
            (token_field(token))
            div.field {
                label for="name" { "Your name" }
                input #name type="text" name="name" maxlength="60" required autocomplete="username" autofocus;
            }
            button.button { "Sign in" }
        }
        section.aside {
            h2 { "What will happen" }
            ul {
                li { "The id in your cookie is replaced, so nobody who knew the old one is signed in with you." }
                li { "So is the secret behind the form tokens." }
                li { "Your cart stays." }
            }
        }
    }
}
