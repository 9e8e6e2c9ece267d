//! The columns of an event file.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};

/// Written beside the columns, so that a later build knows how they are meant.
pub(super) const FORMAT_KEY: &str = "spaxiom-event-format";

/// The format of event files that this build writes.
pub(super) const FORMAT: &str = "1";

/// Nanoseconds in UTC.
pub(super) fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Nanosecond, Some("UTC".into()))
}

/// The columns in order.
pub(super) fn schema() -> SchemaRef {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)));
    Arc::new(Schema::new(vec![
        Field::new("id", DataType::Utf8, false),
        Field::new("type", DataType::Utf8, false),
        Field::new("time", timestamp(), false),
        Field::new("end_time", timestamp(), true),
        Field::new("site_id", DataType::Utf8, false),
        Field::new("zone", DataType::Utf8, true),
        Field::new("zone_path", list.clone(), true),
        Field::new("x", DataType::Float64, true),
        Field::new("y", DataType::Float64, true),
        Field::new("z", DataType::Float64, true),
        Field::new("entity_id", DataType::Utf8, true),
        Field::new("attrs", DataType::Utf8, true),
        Field::new("confidence", DataType::Float64, true),
        Field::new("severity", DataType::Utf8, true),
        Field::new("caused_by", list, true),
    ]))
}
