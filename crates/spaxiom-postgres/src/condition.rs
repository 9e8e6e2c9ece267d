//! A filter as SQL: exactly the records that pass it in a folder.

use std::collections::BTreeMap;
use std::fmt::Write;

use chrono::Weekday;
use chrono_tz::Tz;
use spaxiom_index::{Comparison, Field, Filter, Moment, Value};
use tokio_postgres::types::ToSql;

/// A condition with its parameters, numbered from where it was begun.
#[derive(Debug)]
pub(crate) struct Condition {
    pub(crate) sql: String,
    pub(crate) params: Vec<Param>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Param {
    Text(String),
    Texts(Vec<String>),
    Int(i64),
    Ints(Vec<i32>),
    Float(f64),
}

impl Param {
    pub(crate) fn as_sql(&self) -> &(dyn ToSql + Sync) {
        match self {
            Self::Text(text) => text,
            Self::Texts(texts) => texts,
            Self::Int(int) => int,
            Self::Ints(ints) => ints,
            Self::Float(float) => float,
        }
    }
}

/// Sites by their clocks; all others show UTC.
type Clocks = BTreeMap<String, Tz>;

impl Condition {
    /// `n_before` parameters stand before those of the condition.
    pub(crate) fn new(filter: &Filter, clocks: &Clocks, n_before: usize) -> Self {
        let mut builder = Builder { clocks, n_before, params: Vec::new() };
        let sql = builder.of(filter);
        Self { sql, params: builder.params }
    }
}

struct Builder<'a> {
    clocks: &'a Clocks,
    n_before: usize,
    params: Vec<Param>,
}

impl Builder<'_> {
    fn param(&mut self, param: Param) -> String {
        self.params.push(param);
        format!("${}", self.n_before + self.params.len())
    }

    /// True or false for every record, never unknown: what a record does not have does not pass, and its negation does.
    fn of(&mut self, filter: &Filter) -> String {
        match filter {
            Filter::All => "true".into(),
            Filter::And(parts) => self.joined(parts, " and ", "true"),
            Filter::Or(parts) => self.joined(parts, " or ", "false"),
            Filter::Not(part) => format!("not {}", self.of(part)),
            Filter::Is { field, values } => {
                let column = match field {
                    Field::Type => "kind",
                    Field::Zone => "zone",
                    Field::Site => "site",
                };
                let values = self.param(Param::Texts(values.clone()));
                format!("coalesce({column} = any({values}), false)")
            }
            Filter::Time { from, before } => {
                let of_clock = |builder: &mut Self, clock: Tz| builder.span(clock, *from, *before);
                let is_local = [from, before].into_iter().flatten().any(|moment| matches!(moment, Moment::Local(_)));
                if is_local { self.by_clock(of_clock) } else { of_clock(self, Tz::UTC) }
            }
            Filter::TimeOfDay { from_minute, before_minute } => self.by_clock(|builder, clock| {
                let minute = format!("(extract(hour from {0}) * 60 + extract(minute from {0}))", builder.local(clock));
                let joint = if from_minute <= before_minute { "and" } else { "or" };
                format!("({minute} >= {from_minute} {joint} {minute} < {before_minute})")
            }),
            Filter::Weekday(days) => {
                let days: Vec<i32> = days.iter().map(|day| iso(*day)).collect();
                self.by_clock(|builder, clock| {
                    let local = builder.local(clock);
                    let days = builder.param(Param::Ints(days.clone()));
                    format!("extract(isodow from {local})::int = any({days})")
                })
            }
            Filter::Attribute { name, comparison, value } => self.attribute(name, *comparison, value),
            // What a later build of the index knows and this one does not: nothing passes rather than everything.
            _ => "false".into(),
        }
    }

    fn joined(&mut self, parts: &[Filter], joint: &str, none: &str) -> String {
        let parts: Vec<String> = parts.iter().map(|part| self.of(part)).collect();
        if parts.is_empty() { none.into() } else { format!("({})", parts.join(joint)) }
    }

    /// A condition that depends on what the clock of a site shows.
    fn by_clock(&mut self, of_clock: impl Fn(&mut Self, Tz) -> String) -> String {
        let mut groups: BTreeMap<&str, (Tz, Vec<String>)> = BTreeMap::new();
        for (site, clock) in self.clocks {
            groups.entry(clock.name()).or_insert((*clock, Vec::new())).1.push(site.clone());
        }
        let known: Vec<String> = self.clocks.keys().cloned().collect();
        let mut sql = String::from("case");
        for (clock, sites) in groups.into_values() {
            let sites = self.param(Param::Texts(sites));
            let holds = of_clock(self, clock);
            let _ = write!(sql, " when site = any({sites}) then {holds}");
        }
        let others = of_clock(self, Tz::UTC);
        if known.is_empty() { others } else { format!("({sql} else {others} end)") }
    }

    /// What a clock shows at the time of a record, to the microsecond.
    fn local(&mut self, clock: Tz) -> String {
        let clock = self.param(Param::Text(clock.name().to_owned()));
        // Whole microseconds before the time, also before 1970.
        let micros = "((time_ns - ((time_ns % 1000 + 1000) % 1000)) / 1000)";
        format!("((timestamptz 'epoch' + {micros} * interval '1 microsecond') at time zone {clock}::text)")
    }

    fn span(&mut self, clock: Tz, from: Option<Moment>, before: Option<Moment>) -> String {
        let mut bound = |moment: Option<Moment>, sign: &str| {
            moment.map(|moment| format!("time_ns {sign} {}", self.param(Param::Int(moment.nanoseconds(clock)))))
        };
        let bounds: Vec<String> = [bound(from, ">="), bound(before, "<")].into_iter().flatten().collect();
        if bounds.is_empty() { "true".into() } else { format!("({})", bounds.join(" and ")) }
    }

    fn attribute(&mut self, name: &str, comparison: Comparison, value: &Value) -> String {
        let path: Vec<String> = name.split('.').map(str::to_owned).collect();
        let sign = match comparison {
            Comparison::Equal => "=",
            Comparison::Less => "<",
            Comparison::AtMost => "<=",
            Comparison::Greater => ">",
            Comparison::AtLeast => ">=",
        };
        let found = self.attribute_of(path);
        let text = |builder: &mut Self, wanted: &str| {
            let wanted = builder.param(Param::Text(wanted.to_owned()));
            format!(
                "(jsonb_typeof({found}) in ('string', 'boolean') and ({found} #>> '{{}}') collate \"C\" {sign} {wanted})"
            )
        };
        let holds = match value {
            Value::Text(wanted) => text(self, wanted),
            Value::Number { value, text: written } => {
                let number = self.param(Param::Float(*value));
                // A cast of what is no number would end the query: a case is evaluated in its order.
                let number = format!(
                    "(case when jsonb_typeof({found}) = 'number' then ({found})::float8 {sign} {number} else false end)"
                );
                if comparison == Comparison::Equal { format!("({number} or {})", text(self, written)) } else { number }
            }
        };
        format!("coalesce({holds}, false)")
    }

    /// A member of the metadata, or of the object `attrs` in it.
    pub(crate) fn attribute_of(&mut self, path: Vec<String>) -> String {
        let own = self.param(Param::Texts(path.clone()));
        let in_attrs = self.param(Param::Texts([vec!["attrs".to_owned()], path].concat()));
        format!("coalesce(metadata::jsonb #> {own}, metadata::jsonb #> {in_attrs})")
    }
}

/// Whether a record has a value of an attribute.
pub(crate) fn has_attribute(name: &str) -> Condition {
    let clocks = Clocks::new();
    let mut builder = Builder { clocks: &clocks, n_before: 0, params: Vec::new() };
    let found = builder.attribute_of(name.split('.').map(str::to_owned).collect());
    Condition { sql: format!("jsonb_typeof({found}) in ('string', 'boolean', 'number')"), params: builder.params }
}

/// 1 for a Monday.
fn iso(day: Weekday) -> i32 {
    i32::try_from(day.number_from_monday()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use spaxiom_index::Filter;

    use super::{Clocks, Condition, Param};

    #[test]
    fn values_are_parameters_and_never_text_of_the_query() {
        let filter = Filter::parse("type = \"x'; drop table records\" and length > 5").unwrap();
        let Condition { sql, params } = Condition::new(&filter, &Clocks::new(), 2);
        assert!(!sql.contains("drop"), "{sql}");
        assert!(sql.contains("$3") && !sql.contains("$1 ") && !sql.contains("$2 "), "{sql}");
        assert_eq!(params[0], Param::Texts(vec!["x'; drop table records".into()]));
    }
}
