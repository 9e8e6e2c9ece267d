//! A hospital as it is built: wards, rooms, and what their zones are called.

use spaxiom_event::{Position, Shape, SiteId, Zone, ZoneId};

use super::HospitalOptions;
use crate::random::Random;

/// Meters of a room along the hall and away from it, and the width of the hall.
const ROOM_WIDTH_M: f64 = 4.0;
const ROOM_DEPTH_M: f64 = 5.0;
const HALL_WIDTH_M: f64 = 2.5;
/// Meters from one ward to the next.
const WARD_SPACING_M: f64 = 20.0;

/// The zones of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Spot {
    Bed,
    Bedside,
    Chair,
    Entry,
    Bathroom,
}

impl Spot {
    pub(super) const ALL: [Self; 5] = [Self::Bed, Self::Bedside, Self::Chair, Self::Entry, Self::Bathroom];

    /// What the zone is for, as the site map says it.
    pub(super) fn kind(self) -> &'static str {
        match self {
            Self::Bed => "bed",
            Self::Bedside => "bedside",
            Self::Chair => "chair",
            Self::Entry => "entry",
            Self::Bathroom => "bathroom",
        }
    }

    /// What hospitals of each way of naming call it.
    fn name(self, naming: usize) -> &'static str {
        let names = match self {
            Self::Bed => ["bed", "B", "bett"],
            Self::Bedside => ["bedside", "BS", "vorbett"],
            Self::Chair => ["chair", "CH", "stuhl"],
            Self::Entry => ["entry", "EN", "eingang"],
            Self::Bathroom => ["bathroom", "WC", "bad"],
        };
        names[naming]
    }

    /// Its outline in a room of 4 m x 5 m whose door is at the bottom: left, bottom, width, height.
    fn outline(self) -> [f64; 4] {
        match self {
            Self::Bathroom => [0.0, 0.0, 1.8, 2.2],
            Self::Entry => [1.8, 0.0, 2.2, 2.2],
            Self::Bedside => [0.0, 2.2, 4.0, 1.2],
            Self::Chair => [0.0, 3.4, 1.0, 1.6],
            Self::Bed => [1.0, 3.4, 3.0, 1.6],
        }
    }
}

/// A room for one patient.
#[derive(Debug, Clone)]
pub(super) struct Room {
    pub(super) ward_idx: usize,
    /// Ward and room, the widest first.
    pub(super) path: Vec<ZoneId>,
    spots: [ZoneId; 5],
    /// The corner at the door, and which way the room extends from it.
    corner: [f64; 2],
    direction: [f64; 2],
}

impl Room {
    pub(super) fn zone(&self, spot: Spot) -> &ZoneId {
        &self.spots[spot as usize]
    }

    /// A point of a spot, so far along its width and height (0 to 1).
    pub(super) fn point(&self, spot: Spot, [along, across]: [f64; 2]) -> Position {
        let [left, bottom, width, height] = spot.outline();
        let x = self.corner[0] + self.direction[0] * (left + along * width);
        let y = self.corner[1] + self.direction[1] * (bottom + across * height);
        Position { x: cents(x), y: cents(y), z: None }
    }

    fn shape(&self, spot: Spot) -> Shape {
        let (from, to) = (self.point(spot, [0.0, 0.0]), self.point(spot, [1.0, 1.0]));
        let (width, height) = (cents((to.x - from.x).abs()), cents((to.y - from.y).abs()));
        Shape::Rectangle { x: from.x.min(to.x), y: from.y.min(to.y), width, height }
    }
}

/// A ward: its name and its hall.
#[derive(Debug, Clone)]
pub(super) struct Ward {
    pub(super) id: ZoneId,
    pub(super) hall: ZoneId,
    pub(super) n_beds: usize,
    y: f64,
}

impl Ward {
    /// A point of the hall, so far along it (0 to 1).
    pub(super) fn point(&self, along: f64) -> Position {
        let length = ROOM_WIDTH_M * self.n_beds.div_ceil(2) as f64;
        Position { x: cents(along * length), y: cents(self.y + ROOM_DEPTH_M + HALL_WIDTH_M / 2.0), z: None }
    }
}

/// All wards and rooms of a hospital.
#[derive(Debug, Clone)]
pub(super) struct Building {
    pub(super) site_id: SiteId,
    pub(super) wards: Vec<Ward>,
    pub(super) rooms: Vec<Room>,
}

impl Building {
    pub(super) fn sample(options: &HospitalOptions, site_idx: u32, random: &mut Random) -> Self {
        let naming = random.whole([0, 2]);
        let is_mirrored = random.chance(0.5);
        let n_wards = random.whole(options.building.wards);
        let mut building =
            Self { site_id: SiteId::from(format!("hospital-{site_idx:02}")), wards: Vec::new(), rooms: Vec::new() };
        for ward_idx in 0..n_wards {
            let n_beds = random.whole(options.building.beds);
            let id = ward_name(naming, ward_idx);
            let ward = Ward {
                hall: format!("{id}{}", ["-hall", ".H", "/flur"][naming]).into(),
                id: id.into(),
                n_beds,
                y: WARD_SPACING_M * ward_idx as f64,
            };
            building.rooms.extend((0..n_beds).map(|number| room(&ward, naming, is_mirrored, ward_idx, number)));
            building.wards.push(ward);
        }
        building
    }

    /// Every zone with its kind, outline and neighbors, for the site map.
    pub(super) fn zones(&self) -> Vec<(String, Zone)> {
        let mut zones = Vec::new();
        let zone = |kind: &str, within: Option<&ZoneId>, neighbors: Vec<&ZoneId>, shape| Zone {
            kind: kind.into(),
            floor: None,
            within: within.map(ToString::to_string),
            shape,
            neighbors: neighbors.into_iter().map(ToString::to_string).collect(),
        };
        for ward in &self.wards {
            let hall =
                Shape::Rectangle { x: 0.0, y: ward.y + ROOM_DEPTH_M, width: ward.point(1.0).x, height: HALL_WIDTH_M };
            zones.push((ward.id.to_string(), zone("ward", None, Vec::new(), None)));
            zones.push((ward.hall.to_string(), zone("hall", Some(&ward.id), Vec::new(), Some(hall))));
        }
        for room in &self.rooms {
            let hall = &self.wards[room.ward_idx].hall;
            zones.push((room.path[1].to_string(), zone("room", Some(&room.path[0]), Vec::new(), None)));
            for spot in Spot::ALL {
                let neighbors = match spot {
                    Spot::Bed | Spot::Chair => vec![room.zone(Spot::Bedside)],
                    Spot::Bedside => vec![room.zone(Spot::Entry), room.zone(Spot::Bathroom)],
                    Spot::Entry => vec![room.zone(Spot::Bathroom), hall],
                    Spot::Bathroom => Vec::new(),
                };
                let zone = zone(spot.kind(), Some(&room.path[1]), neighbors, Some(room.shape(spot)));
                zones.push((room.zone(spot).to_string(), zone));
            }
        }
        zones
    }
}

fn ward_name(naming: usize, ward_idx: usize) -> String {
    match naming {
        0 => format!("ward_{}", ["a", "b", "c", "d", "e", "f", "g", "h"][ward_idx % 8]),
        1 => format!("{}N", ward_idx + 2),
        _ => format!("stn{}", ward_idx + 1),
    }
}

/// Rooms lie on both sides of the hall.
fn room(ward: &Ward, naming: usize, is_mirrored: bool, ward_idx: usize, number: usize) -> Room {
    let name = match naming {
        0 => format!("{}-r{:02}", ward.id, number + 1),
        1 => format!("{}.{}", ward.id, 100 + number),
        _ => format!("{}/z{:02}", ward.id, number + 1),
    };
    let separator = ["-", ".", "/"][naming];
    let is_below = number.is_multiple_of(2);
    let left = ROOM_WIDTH_M * (number / 2) as f64;
    let corner_y = if is_below { ward.y + ROOM_DEPTH_M } else { ward.y + ROOM_DEPTH_M + HALL_WIDTH_M };
    // In every second room the bathroom is on the other side, so that two share their pipes.
    let is_flipped = is_mirrored != (number / 2).is_multiple_of(2);
    Room {
        ward_idx,
        path: vec![ward.id.clone(), name.as_str().into()],
        spots: Spot::ALL.map(|spot| format!("{name}{separator}{}", spot.name(naming)).into()),
        corner: [if is_flipped { left + ROOM_WIDTH_M } else { left }, corner_y],
        direction: [if is_flipped { -1.0 } else { 1.0 }, if is_below { -1.0 } else { 1.0 }],
    }
}

/// Centimeters are as fine as any sensor is.
fn cents(meters: f64) -> f64 {
    libm::round(meters * 100.0) / 100.0
}
