//! A report of a fall-risk run as files.

use std::path::Path;

use spaxiom_file::replace_file;

use super::report::RiskReport;
use super::report_page;
use crate::error::EmbeddingError;
use crate::files;
use crate::run::Run;

impl RiskReport {
    /// Writes `report.json`, and `report.html` with the manifest of the run.
    ///
    /// # Errors
    /// A folder that cannot be written.
    pub fn save(&self, folder: &Path, run: &Run) -> Result<(), EmbeddingError> {
        fs_err::create_dir_all(folder)?;
        files::save_json(&folder.join("report.json"), self)?;
        let page = report_page::html(self, run.manifest());
        Ok(replace_file(&folder.join("report.html"), page.as_bytes())?)
    }
}
