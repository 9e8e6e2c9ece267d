//! Columns of any Arrow type that has a place in an event, as cells.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float64Type, Int64Type, TimestampMicrosecondType, TimestampMillisecondType, TimestampNanosecondType,
    TimestampSecondType, UInt64Type,
};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_buffer::NullBuffer;
use arrow_schema::{ArrowError, DataType, Field, Fields, TimeUnit};
use chrono::{DateTime, Utc};
use serde_json::Value;

use crate::draft::{DraftValue, whole};
use crate::source::{Cell, Row};

/// A column, also one inside of a struct.
#[derive(Debug, Clone)]
pub(super) struct Leaf {
    /// With dots between the names: `attributes.battery`.
    pub(super) name: String,
    pub(super) data_type: DataType,
    /// Its places in the structs around it.
    path: Vec<usize>,
}

/// What a column becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Number,
    /// Of 64 bits, which doubles do not hold.
    Whole,
    Flag,
    /// A timestamp; of one without a zone nobody knows when it was.
    Time {
        is_local: bool,
    },
    /// Midnight of a day, without a zone.
    Day,
    List,
    Nothing,
}

impl Shape {
    pub(super) fn of(data_type: &DataType) -> Self {
        use DataType as D;
        match data_type {
            D::Utf8 | D::LargeUtf8 | D::Utf8View | D::Time32(_) | D::Time64(_) | D::Duration(_) => Self::Text,
            D::Dictionary(_, values) => Self::of(values),
            D::RunEndEncoded(_, values) => Self::of(values.data_type()),
            D::Float16
            | D::Float32
            | D::Float64
            | D::Int8
            | D::Int16
            | D::Int32
            | D::UInt8
            | D::UInt16
            | D::UInt32
            | D::Decimal32(..)
            | D::Decimal64(..)
            | D::Decimal128(..)
            | D::Decimal256(..) => Self::Number,
            D::Int64 | D::UInt64 => Self::Whole,
            D::Boolean => Self::Flag,
            D::Timestamp(_, zone) => Self::Time { is_local: zone.is_none() },
            D::Date32 | D::Date64 => Self::Day,
            D::List(item)
            | D::LargeList(item)
            | D::ListView(item)
            | D::LargeListView(item)
            | D::FixedSizeList(item, _)
                if !matches!(Self::of(item.data_type()), Self::Nothing | Self::List) =>
            {
                Self::List
            }
            _ => Self::Nothing,
        }
    }

    /// The Arrow type that cells are taken from.
    fn cast_to(self, from: &DataType) -> DataType {
        match (self, from) {
            (Self::Text | Self::Nothing, _) => DataType::Utf8,
            (Self::Number, _) => DataType::Float64,
            (Self::Whole, DataType::UInt64) => DataType::UInt64,
            (Self::Whole, _) => DataType::Int64,
            (Self::Flag, _) => DataType::Boolean,
            (Self::Time { .. } | Self::List, DataType::Dictionary(_, values)) => (**values).clone(),
            (Self::Time { .. } | Self::List, from) => from.clone(),
            (Self::Day, _) => DataType::Timestamp(TimeUnit::Second, None),
        }
    }
}

/// All columns of a schema, those inside of structs too.
pub(super) fn leaves(fields: &Fields) -> Vec<Leaf> {
    let mut leaves = Vec::new();
    collect(fields, "", &[], &mut leaves);
    leaves
}

fn collect(fields: &Fields, prefix: &str, path: &[usize], leaves: &mut Vec<Leaf>) {
    for (at, field) in fields.iter().enumerate() {
        let name = format!("{prefix}{}", field.name());
        let path = [path, &[at]].concat();
        match field.data_type() {
            DataType::Struct(inner) => collect(inner, &format!("{name}."), &path, leaves),
            // A map has keys where a struct has names: no columns.
            data_type => leaves.push(Leaf { name, data_type: data_type.clone(), path }),
        }
    }
}

/// The columns of a batch as the types that cells are taken from.
pub(super) struct Columns(Vec<Option<Column>>);

/// A column whose type was looked at once.
enum Column {
    Text(StringArray),
    Number(Float64Array),
    /// Any other.
    Any(Shape, ArrayRef),
}

impl Columns {
    /// Casts the columns that are wanted.
    pub(super) fn new(batch: &RecordBatch, leaves: &[Leaf], is_wanted: &[bool]) -> Result<Self, ArrowError> {
        let column = |(leaf, is_wanted): (&Leaf, &bool)| {
            let shape = Shape::of(&leaf.data_type);
            if !is_wanted || shape == Shape::Nothing {
                return Ok(None);
            }
            let array = array(batch, &leaf.path)?;
            let target = shape.cast_to(&leaf.data_type);
            let cast = if *array.data_type() == target { array } else { arrow_cast::cast(&array, &target)? };
            Ok(Some(match shape {
                Shape::Text => Column::Text(cast.as_string::<i32>().clone()),
                Shape::Number => Column::Number(cast.as_primitive::<Float64Type>().clone()),
                shape => Column::Any(shape, cast),
            }))
        };
        leaves.iter().zip(is_wanted).map(column).collect::<Result<_, _>>().map(Self)
    }
}

/// The array at the end of a path; where a struct around it is null, so is the value.
fn array(batch: &RecordBatch, path: &[usize]) -> Result<ArrayRef, ArrowError> {
    let (first, inner) = path.split_first().expect("a path has a step");
    let mut array = Arc::clone(batch.column(*first));
    for at in inner {
        let outer = array.as_struct();
        let child = Arc::clone(outer.column(*at));
        array = match NullBuffer::union(outer.nulls(), child.nulls()) {
            None => child,
            nulls => arrow_array::make_array(child.to_data().into_builder().nulls(nulls).build()?),
        };
    }
    Ok(array)
}

/// A row of a batch.
#[derive(Clone, Copy)]
pub(super) struct BatchRow<'a> {
    pub(super) columns: &'a Columns,
    pub(super) row: usize,
}

impl<'a> Row<'a> for BatchRow<'a> {
    type Place = usize;

    fn cell(&self, place: &usize) -> Cell<'a> {
        let row = self.row;
        match &self.columns.0[*place] {
            Some(Column::Text(texts)) if texts.is_valid(row) => Cell::Text(texts.value(row).into()),
            Some(Column::Number(numbers)) if numbers.is_valid(row) => Cell::Number(numbers.value(row)),
            Some(Column::Any(shape, array)) if array.is_valid(row) => cell(*shape, array, row),
            _ => Cell::Missing,
        }
    }
}

fn cell(shape: Shape, array: &ArrayRef, row: usize) -> Cell<'_> {
    match shape {
        Shape::Text => Cell::Text(array.as_string::<i32>().value(row).into()),
        Shape::Number => Cell::Number(array.as_primitive::<Float64Type>().value(row)),
        Shape::Whole => {
            let number = match array.data_type() {
                DataType::UInt64 => array.as_primitive::<UInt64Type>().value(row).into(),
                _ => array.as_primitive::<Int64Type>().value(row).into(),
            };
            match whole(number) {
                DraftValue::Number(number) => Cell::Number(number),
                DraftValue::Whole(number) => Cell::Whole(number),
                _ => Cell::Missing,
            }
        }
        Shape::Flag => Cell::Flag(array.as_boolean().value(row)),
        Shape::Time { is_local } => match time(array, row) {
            Some(time) if is_local => Cell::Wall(time.naive_utc()),
            Some(time) => Cell::Time(time),
            None => Cell::Text(Cow::Borrowed("a time beyond the year 262000")),
        },
        Shape::Day => time(array, row).map_or(Cell::Missing, |day| Cell::Wall(day.naive_utc())),
        Shape::List => Cell::Other(Cow::Owned(list(array, row))),
        Shape::Nothing => Cell::Missing,
    }
}

fn time(array: &ArrayRef, row: usize) -> Option<DateTime<Utc>> {
    let DataType::Timestamp(unit, _) = array.data_type() else { return None };
    match unit {
        TimeUnit::Second => DateTime::from_timestamp(array.as_primitive::<TimestampSecondType>().value(row), 0),
        TimeUnit::Millisecond => {
            DateTime::from_timestamp_millis(array.as_primitive::<TimestampMillisecondType>().value(row))
        }
        TimeUnit::Microsecond => {
            DateTime::from_timestamp_micros(array.as_primitive::<TimestampMicrosecondType>().value(row))
        }
        TimeUnit::Nanosecond => {
            Some(DateTime::from_timestamp_nanos(array.as_primitive::<TimestampNanosecondType>().value(row)))
        }
    }
}

/// A list as JSON.
fn list(array: &ArrayRef, row: usize) -> Value {
    let items: ArrayRef = match array.data_type() {
        DataType::List(_) => array.as_list::<i32>().value(row),
        DataType::LargeList(_) => array.as_list::<i64>().value(row),
        DataType::ListView(_) => array.as_list_view::<i32>().value(row),
        DataType::LargeListView(_) => array.as_list_view::<i64>().value(row),
        DataType::FixedSizeList(..) => array.as_fixed_size_list().value(row),
        _ => return Value::Null,
    };
    let shape = Shape::of(items.data_type());
    let target = shape.cast_to(items.data_type());
    let Ok(items) = arrow_cast::cast(&items, &target) else { return Value::Null };
    let item = |row: usize| {
        if items.is_null(row) {
            return Value::Null;
        }
        match cell(shape, &items, row) {
            Cell::Number(number) => number.into(),
            Cell::Whole(number) => Value::Number(number),
            Cell::Flag(flag) => flag.into(),
            cell => cell.into_text().map_or(Value::Null, |text| text.into_owned().into()),
        }
    };
    (0..items.len()).map(item).collect()
}

/// What a column holds, for messages.
pub(super) fn described(field: &Field) -> String {
    format!("`{}` ({})", field.name(), field.data_type())
}
