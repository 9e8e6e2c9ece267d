//! `index export` and `index import`.

use serde_json::json;
use spaxiom_embedding::{Imported, Store, export_store, import_vectors};

use super::args::{IndexExportArgs, IndexImportArgs};
use super::build::chosen_and_built;
use crate::exit::Exit;
use crate::{observer, output};

pub(super) fn export(args: &IndexExportArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexExportArgs { store, to, out } = args;
    let store = Store::open(store.folder("index export")?)?;
    store.wait_for_index();
    let bar = observer::counter("export", store.stats()?.n_vectors);
    let n_written = export_store(&store, *to, out, &mut |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    if json {
        output::json(&json!({"file": out, "n_vectors": n_written}))?;
    } else {
        output::text(&format!("{}: {n_written} vectors\n", out.display()));
    }
    Ok(Exit::Done)
}

pub(super) fn import(args: &IndexImportArgs, json: bool) -> anyhow::Result<Exit> {
    let IndexImportArgs { store, from, encoder, index } = args;
    let folder = store.folder("index import")?;
    let stored = Store::inspect(folder).and_then(|store| store.stats()).ok().map(|stats| stats.index);
    let bar = observer::counter("import", 0);
    let Imported { n_new, n_skipped } = import_vectors(folder, from, encoder, &mut |n| bar.inc(n as u64))?;
    bar.finish_and_clear();
    let opened = Store::inspect(folder)?;
    chosen_and_built(&opened, index, stored)?;
    let stats = opened.stats()?;
    if json {
        output::json(&json!({"new": n_new, "skipped": n_skipped, "stats": stats}))?;
    } else {
        let skipped =
            if n_skipped > 0 { format!(", {n_skipped} skipped: known, or without a vector") } else { String::new() };
        output::text(&format!("{}: {n_new} vectors added{skipped}\n", folder.display()));
    }
    Ok(Exit::Done)
}
