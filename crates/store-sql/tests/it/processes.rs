//! Several processes on the same tables: the kit's cases, on each database.

use session_conformance::{process_tests, processes::Place};
use session_store_sql::SqlStore;

use crate::common::{Kind, PATIENCE, folder, new_table, url};

fn place(kind: Kind) -> Place {
    let folder = folder();
    match url(kind, folder.path()) {
        Ok(url) => Place::new(format!("{} {url}", new_table())).keep(folder),
        Err(error) if error.is_missing() => Place::missing(error),
        Err(error) => panic!("{error}"),
    }
}

async fn open(address: String, _process: u64) -> SqlStore {
    let (table, url) = address.split_once(' ').unwrap();
    SqlStore::builder().table(table).deadline(PATIENCE).connect(url).await.unwrap()
}

mod sqlite {
    use super::*;

    process_tests!(|| place(Kind::Sqlite), open);
}

mod postgres {
    use super::*;

    process_tests!(|| place(Kind::Postgres), open);
}

mod mysql {
    use super::*;

    process_tests!(|| place(Kind::MySql), open);
}
