//! P6: a whole server on loopback under wrk, each application in turn.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    process::{Child, Command, Stdio},
};

use anyhow::{Context, Result, ensure};

use super::{Options, Outcome};
use crate::{
    report::{Line, OURS, Table, Unit},
    requests::{PLAIN, Row, has_value},
    rounds::interleaved,
};

pub(super) fn measure(options: Options) -> Result<Outcome> {
    for (program, package) in [("wrk", "wrk"), ("taskset", "util-linux")] {
        if Command::new(program).arg("--version").output().is_err() {
            return Ok(Outcome::Missing(format!("{program} is not installed: apt install {package}")));
        }
    }
    let names = [PLAIN, OURS, "tower-sessions 0.15", "axum_session 0.22"];
    let servers: Vec<_> = names.into_iter().map(Server::start).collect::<Result<_>>()?;
    let mut table = Table::new("P6", "requests a second of a server on loopback, axum", Unit::PerSecond, &names).note(
        "wrk with 64 connections on one processor, the server with one worker thread on another, memory stores.",
    );
    for row in
        [Row::NoCookieUntouched, Row::CookieUntouched, Row::CookieRead, Row::CookieWrite, Row::FirstWrite]
    {
        let mut failure = None;
        let figures = interleaved(servers.len(), options.pick(7, 2), |at| {
            servers[at].load(row, options.pick(2, 1)).unwrap_or_else(|error| {
                failure = Some(error);
                f64::NAN
            })
        });
        if let Some(failure) = failure {
            return Err(failure);
        }
        let plain = figures[0];
        let line = Line::new(row.title(), figures);
        table.push(match row {
            Row::NoCookieUntouched | Row::CookieUntouched => {
                line.at_least(0.95 * plain).because("95 % of plain")
            }
            Row::CookieRead => line.at_least(0.85 * plain).because("85 % of plain"),
            Row::CookieWrite | Row::FirstWrite => line,
        });
    }
    Ok(Outcome::Measured(vec![table]))
}

/// A program of its own, so that it has its processor for itself.
struct Server {
    process: Child,
    address: String,
    cookie: String,
}

impl Server {
    fn start(name: &str) -> Result<Self> {
        let program = std::env::current_exe()?.with_file_name("serve");
        let mut process = Command::new("taskset")
            .args(["--cpu-list", "0"])
            .arg(&program)
            .args(["--contender", name])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot run {}", program.display()))?;
        let mut address = String::new();
        let stdout = process.stdout.take().context("no output")?;
        BufReader::new(stdout).read_line(&mut address)?;
        let address = address.trim().to_owned();
        ensure!(!address.is_empty(), "{name} does not start");
        let cookie = cookie(&address).with_context(|| format!("{name} sets no cookie"))?;
        Ok(Self { process, address, cookie })
    }

    /// Requests a second.
    fn load(&self, row: Row, seconds: u32) -> Result<f64> {
        let last = std::thread::available_parallelism()?.get() - 1;
        let mut command = Command::new("taskset");
        command.args(["--cpu-list", &last.to_string(), "wrk", "--threads", "1", "--connections", "64"]);
        command.args(["--duration", &format!("{seconds}s")]);
        if row.has_cookie() {
            command.args(["--header", &format!("Cookie: {}", self.cookie)]);
        }
        let output = command.arg(format!("http://{}{}", self.address, row.path())).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        ensure!(!text.contains("Non-2xx"), "{text}");
        let rate =
            text.lines().find_map(|line| line.trim().strip_prefix("Requests/sec:")?.trim().parse().ok());
        rate.with_context(|| format!("wrk says nothing: {text}{}", String::from_utf8_lossy(&output.stderr)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It ends by itself when its input ends; whoever does not is ended.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The cookies of a first write.
fn cookie(address: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.write_all(b"GET /write HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    let fields = answer.lines().filter_map(|line| line.strip_prefix("set-cookie: "));
    let pairs = fields.filter_map(|field| field.split(';').next()).filter(|pair| has_value(pair));
    Ok(pairs.collect::<Vec<_>>().join("; "))
}
