//! P1: what a session adds to a request, in process.

use anyhow::Result;
use tokio::runtime::Runtime;

use super::Options;
use crate::{
    counts::Counts,
    instructions,
    report::{Line, Table, Unit},
    requests::{Contender, Framework, Row},
    rounds,
};

/// Requests in a batch: larger ones measure the cache of the machine.
pub(super) const BATCH: usize = 300;

pub(super) fn measure(options: Options, runtime: &Runtime) -> Result<Vec<Table>> {
    let counts = Counts::take(options.quick)?;
    let mut tables = Vec::new();
    for framework in Framework::ALL {
        let mut contenders = framework.contenders(runtime);
        let names: Vec<_> = contenders.iter().map(|contender| contender.name).collect();
        let title = |what: &str| format!("a request on {}: {what}", framework.name());
        let mut time = Table::new("P1", &title("time"), Unit::AddedNanoseconds, &names);
        for row in Row::ALL {
            let figures = times(&mut contenders, row, options.pick(54, 15), runtime);
            time.push(promised_time(framework, row, figures));
        }
        tables.push(time);

        let mut allocations = Table::new("P1", &title("allocations"), Unit::AddedAllocations, &names);
        let mut bytes = Table::new("P1", &title("bytes allocated"), Unit::AddedBytes, &names);
        for (row, counted) in Row::ALL.into_iter().zip(counts.of(framework)) {
            let figures: Vec<_> = counted.iter().map(|counted| counted.allocations).collect();
            let line = Line::new(row.title(), figures);
            allocations.push(if framework == Framework::Axum {
                line.at_most(row.most_allocations())
            } else {
                line
            });
            bytes.push(Line::new(row.title(), counted.iter().map(|counted| counted.bytes)));
        }
        tables.extend([allocations, bytes]);
    }
    if options.instructions {
        tables.push(instructions::count()?);
    }
    Ok(tables)
}

/// Nanoseconds of a request to each contender.
pub(super) fn times(contenders: &mut [Contender], row: Row, rounds: usize, runtime: &Runtime) -> Vec<f64> {
    rounds::interleaved(contenders.len(), rounds, |at| {
        let mut seconds = f64::NAN;
        contenders[at].batch(runtime, row, BATCH, &mut |work| seconds = rounds::seconds(work));
        seconds * 1e9 / BATCH as f64
    })
}

fn promised_time(framework: Framework, row: Row, figures: Vec<f64>) -> Line {
    // Behind the plain application and the library comes the peer that the promise is about.
    let (plain, peer) = (figures[0], figures.get(2).copied().unwrap_or(f64::NAN));
    let times = row.times_cheaper(framework);
    let words = match framework {
        Framework::Axum => format!("the first peer / {times}; a sketch: {} ns", row.sketch()),
        Framework::Warp | Framework::Rocket => format!("the peer / {times}"),
    };
    Line::new(row.title(), figures).at_most((peer - plain) / times).because(&words)
}
