//! P8: requests with few and many sessions in the store. Rows P2 and P3 show the same for the stores alone.

use tokio::runtime::Runtime;

use super::{Options, requests::times};
use crate::{
    report::{Line, Table, Unit},
    requests::{self, Row},
};

pub(super) fn measure(options: Options, runtime: &Runtime) -> Vec<Table> {
    let mut lines = Vec::new();
    let mut names = Vec::new();
    for sessions in options.sizes() {
        let mut contenders = requests::grown(sessions, runtime);
        names = contenders.iter().map(|contender| contender.name).collect();
        for row in [Row::CookieRead, Row::CookieWrite, Row::FirstWrite] {
            let figures = times(&mut contenders, row, options.pick(54, 15), runtime);
            lines.push((row, Line::new(row.title(), figures).sessions(sessions)));
        }
    }
    lines.sort_by_key(|(row, _)| *row as usize);
    let mut table =
        Table::new("P8", "a request on axum, by sessions in the store", Unit::AddedNanoseconds, &names).note(
            "The session of the request is always the same one; loads of any of them are in P2 and P3.",
        );
    lines.into_iter().for_each(|(_, line)| table.push(line));
    vec![table]
}
