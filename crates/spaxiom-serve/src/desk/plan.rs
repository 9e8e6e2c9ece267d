//! What does a site look like from above?

use serde_json::Value;

use super::answers::{FloorPlan, PlanZone};
use super::asked::PlanAsked;
use super::state::Desk;
use crate::error::ServeError;

impl Desk {
    /// The zones of a site with their outlines, as far as its site map has them; none without a site map.
    ///
    /// # Errors
    /// [`ServeError::Asked`] for a site that this desk does not answer about.
    pub fn plan(&self, asked: &PlanAsked) -> Result<FloorPlan, ServeError> {
        let PlanAsked { site } = asked;
        if !self.knows(site) {
            return Err(ServeError::Asked(format!("this token is not for the site `{site}`")));
        }
        let zones = self.map().get(site).into_iter().flat_map(spaxiom_embedding::Site::zones);
        let zone = |(name, zone): (&str, &spaxiom_embedding::Zone)| PlanZone {
            name: name.to_owned(),
            kind: zone.kind.clone(),
            floor: zone.floor.clone().unwrap_or_default(),
            neighbors: zone.neighbors.clone(),
            shape: zone
                .shape
                .as_ref()
                .map_or(Value::Null, |shape| serde_json::to_value(shape).expect("an outline is numbers and names")),
        };
        Ok(FloorPlan { site: site.clone(), zones: zones.map(zone).collect() })
    }
}
