//! A hospital that is lived through day by day.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use spaxiom_event::{EntityId, EntityRecord, Event, SiteId, Zone};

use super::HospitalOptions;
use super::building::Building;
use super::life::Life;
use super::options::SureOptions;
use super::patient::Patient;
use super::report::Reports;
use super::tally::{HospitalTally, WardTally};
use super::traits::SiteTraits;
use crate::ids::Ids;
use crate::random::Random;
use crate::simulation::{Day, Difficulty, SimulatedSite};
use crate::time::{DAY, HOUR, hour_of_day, instant};

/// A walk is announced in bed up to so many seconds before it: the last of a day waits for the next day's first walks.
const LOOK_BACK_SECS: f64 = 1800.0;

/// Streams of random numbers from here on are those of halls; rooms are fewer.
const HALLS: u32 = 1 << 16;

/// A room and who is in it.
#[derive(Debug, Clone)]
struct Bed {
    random: Random,
    /// When the next patient comes.
    free_until: f64,
    patient: Option<Patient>,
}

/// A hospital that is lived through day by day: its memory does not grow with the days.
#[derive(Debug, Clone)]
pub struct HospitalSite {
    options: Arc<HospitalOptions>,
    sure: SureOptions,
    start: DateTime<Utc>,
    building: Building,
    traits: SiteTraits,
    beds: Vec<Bed>,
    /// Of the doors of each ward's hall.
    halls: Vec<Random>,
    ids: Ids,
    day: u32,
    /// What began before midnight and happens after it.
    later: Day,
    tally: HospitalTally,
}

impl HospitalSite {
    pub(super) fn new(
        options: Arc<HospitalOptions>,
        difficulty: Difficulty,
        seed: u64,
        site_idx: u32,
        start: DateTime<Utc>,
    ) -> Self {
        let mut random = Random::new(seed, site_idx, 0);
        let building = Building::sample(&options, site_idx, &mut random);
        let traits = SiteTraits::sample(&options, building.wards.len(), &mut random);
        let beds = (1..).zip(&building.rooms).map(|(part, _)| first_bed(&options, Random::new(seed, site_idx, part)));
        let halls = (HALLS..).zip(&building.wards).map(|(part, _)| Random::new(seed, site_idx, part)).collect();
        let sure = &options.difficulty;
        let sure = difficulty.pick(&sure.easy, &sure.medium, &sure.hard).clone();
        let tally =
            HospitalTally { wards: vec![WardTally::default(); building.wards.len()], ..HospitalTally::default() };
        Self {
            sure,
            start,
            beds: beds.collect(),
            halls,
            ids: Ids::new(seed, site_idx),
            day: 0,
            later: Day::default(),
            tally,
            options,
            building,
            traits,
        }
    }

    fn record(&self, patient: &Patient, ward_idx: usize, end: f64) -> EntityRecord {
        EntityRecord {
            entity_id: patient.id.clone(),
            site_id: self.building.site_id.clone(),
            unit: self.building.wards[ward_idx].id.to_string(),
            start: instant(self.start, patient.admitted + self.traits.clock_secs),
            end: instant(self.start, end + self.traits.clock_secs),
            morse: patient.morse,
            n_falls: patient.n_falls,
            n_near_falls: patient.n_near_falls,
        }
    }

    /// People come and go through the doors of the wards.
    fn halls(&mut self, from: f64, events: &mut Vec<Event>) {
        let rooms = (0..self.building.wards.len())
            .filter_map(|idx| self.building.rooms.iter().position(|room| room.ward_idx == idx));
        for (ward_idx, room_idx) in rooms.enumerate() {
            let random = &mut self.halls[ward_idx];
            let by_day = self.options.care.hall_doors_per_hour / HOUR;
            let times = random.thinned(by_day, from, from + DAY, |time| {
                if (7.0..21.0).contains(&hour_of_day(time)) { by_day } else { by_day / 6.0 }
            });
            let mut reports = Reports {
                site_id: &self.building.site_id,
                start: self.start,
                clock_secs: self.traits.clock_secs,
                lacks: self.traits.lacks,
                room: &self.building.rooms[room_idx],
                ward: &self.building.wards[ward_idx],
                ids: &mut self.ids,
                events,
            };
            for time in times {
                reports.push_hall("DoorOpened", time, 0.0, None);
            }
        }
    }

    /// Lives through a part of a day in one room, through discharge and admission.
    fn live_in(&mut self, bed_idx: usize, from: f64, to: f64, day: &mut Day) {
        let mut from = from;
        loop {
            let ward_idx = self.building.rooms[bed_idx].ward_idx;
            if self.beds[bed_idx].patient.is_none() {
                let admitted = self.beds[bed_idx].free_until;
                if admitted >= to {
                    return;
                }
                let id = EntityId::from(format!("p{}", &self.ids.next()[..12]));
                let bed = &mut self.beds[bed_idx];
                let at = admitted.max(0.0);
                let mut patient = Patient::sample(&self.options, id, at, &mut bed.random);
                // Those who are there when the simulation begins came before it.
                if admitted < 0.0 {
                    patient.discharged += admitted;
                    patient.admitted = admitted;
                }
                bed.patient = Some(patient);
                from = from.max(admitted);
            }
            let discharged = self.beds[bed_idx].patient.as_ref().map_or(to, |patient| patient.discharged);
            let until = discharged.min(to);
            if until > from {
                self.tally.wards[ward_idx].patient_days += (until - from) / DAY;
                self.live(bed_idx, from, until, day);
            }
            if discharged > to {
                return;
            }
            if let Some(patient) = self.beds[bed_idx].patient.take().filter(|_| discharged > 0.0) {
                day.truth.entities.push(self.record(&patient, ward_idx, discharged));
            }
            let mean_free = self.options.stay.mean_days * DAY * (1.0 / self.options.building.occupancy - 1.0);
            let bed = &mut self.beds[bed_idx];
            bed.free_until = discharged + bed.random.exponential(mean_free);
            from = from.max(bed.free_until);
        }
    }

    /// Lives through a part of a day of one patient.
    fn live(&mut self, bed_idx: usize, from: f64, until: f64, day: &mut Day) {
        let Some(mut patient) = self.beds[bed_idx].patient.take() else { return };
        let mut random = self.beds[bed_idx].random.clone();
        let room = &self.building.rooms[bed_idx];
        let mut life = Life {
            options: &self.options,
            sure: &self.sure,
            traits: &self.traits,
            ward_idx: room.ward_idx,
            reports: Reports {
                site_id: &self.building.site_id,
                start: self.start,
                clock_secs: self.traits.clock_secs,
                lacks: self.traits.lacks,
                room,
                ward: &self.building.wards[room.ward_idx],
                ids: &mut self.ids,
                events: &mut day.events,
            },
            truth: &mut day.truth,
            tally: &mut self.tally,
            patient: &mut patient,
            random: &mut random,
        };
        life.live(from, until);
        self.beds[bed_idx].patient = Some(patient);
        self.beds[bed_idx].random = random;
    }
}

impl SimulatedSite for HospitalSite {
    fn id(&self) -> &SiteId {
        &self.building.site_id
    }

    fn next_day(&mut self) -> Day {
        let from = f64::from(self.day) * DAY;
        self.day += 1;
        let mut day = std::mem::take(&mut self.later);
        for bed_idx in 0..self.beds.len() {
            self.live_in(bed_idx, from, from + DAY, &mut day);
        }
        self.halls(from, &mut day.events);
        self.later = day.split_off(instant(self.start, from + DAY - LOOK_BACK_SECS + self.traits.clock_secs));
        day.drop_before(self.start);
        day
    }

    fn hospital_tally(&self) -> Option<&HospitalTally> {
        Some(&self.tally)
    }

    /// The patients who are still there; their stays end where the simulation does.
    fn finish(&self) -> Vec<EntityRecord> {
        let end = f64::from(self.day) * DAY;
        let beds = self.beds.iter().zip(&self.building.rooms);
        let there = beds.filter_map(|(bed, room)| Some((bed.patient.as_ref()?, room)));
        there.map(|(patient, room)| self.record(patient, room.ward_idx, end)).collect()
    }

    fn zones(&self) -> Vec<(String, Zone)> {
        self.building.zones()
    }
}

/// At the start a bed is taken as often as ever.
fn first_bed(options: &HospitalOptions, mut random: Random) -> Bed {
    let mean_free = options.stay.mean_days * DAY * (1.0 / options.building.occupancy - 1.0);
    let is_taken = random.chance(options.building.occupancy);
    let free_until = if is_taken { -random.between(0.0, 2.0 * DAY) } else { random.exponential(mean_free) };
    Bed { random, free_until, patient: None }
}
