//! A report as files.

use std::path::Path;

use spaxiom_file::replace_file;

use super::report::{Boosted, Report};
use super::report_page;
use crate::error::EmbeddingError;
use crate::files;
use crate::run::Run;

impl Report {
    /// Writes `report.json`, and `report.html` with the loss curves and the manifest of the run;
    /// `boosting-NAME.txt` for the trees on each representation, whose classes are those of the report in order.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn save(&self, folder: &Path, run: &Run) -> Result<(), EmbeddingError> {
        fs_err::create_dir_all(folder)?;
        files::save_json(&folder.join("report.json"), self)?;
        for row in &self.rows {
            if let Some(Boosted { model, .. }) = row.boosted.as_ref().filter(|boosted| !boosted.model.is_empty()) {
                let name = row.name.replace([' ', ',', '+'], "-").to_lowercase();
                replace_file(&folder.join(format!("boosting-{name}.txt")), model.as_bytes())?;
            }
        }
        // A run that was copied without its metrics has no curves.
        let metrics = fs_err::read_to_string(run.folder().metrics_path()).unwrap_or_default();
        let page = report_page::html(self, &metrics, run.manifest());
        Ok(replace_file(&folder.join("report.html"), page.as_bytes())?)
    }
}
