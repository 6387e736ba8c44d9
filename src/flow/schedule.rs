//! When a route runs by itself: every so many minutes, hours, days or weeks. Pure: the times follow from the clock alone, so
//! they stay the same over restarts.

use std::fmt;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};

/// The triggers that a schedule sets off.
pub(super) const TRIGGERS: [&str; 2] = [Schedule::TRIGGER, Schedule::CUSTOMER_TRIGGER];

/// The longest period, in its own unit: more is surely a slip of the pen.
const LONGEST: i64 = 1_000;

/// When a route runs by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    every: Every,
    /// The time of the day, for whole days.
    at: Time,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Every {
    Minutes(i64),
    Days(i64),
}

/// What is wrong with a schedule as it is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Flaw {
    /// It is `at`; otherwise `every`.
    pub(super) of_at: bool,
    pub(super) what: String,
    pub(super) mend: &'static str,
}

impl Schedule {
    /// The trigger of a route that runs once each time.
    pub const TRIGGER: &'static str = "schedule";
    /// The trigger of a route that runs each time for every customer for whom its condition holds.
    pub const CUSTOMER_TRIGGER: &'static str = "schedule.customer";

    /// Reads `every` (`30m`, `6h`, `1d`, `2w`) and `at` (`09:00`).
    pub(super) fn parse(every: &str, at: Option<&str>) -> Result<Self, Flaw> {
        let flaw = |of_at, what: String, mend| Flaw { of_at, what, mend };
        let bad = || {
            let what = format!("`every` is `{every}`");
            flaw(false, what, "write a number with m, h, d or w behind it, such as \"1d\" or \"30m\"")
        };
        let unit = every.char_indices().next_back().ok_or_else(bad)?;
        let (number, unit) = (&every[..unit.0], unit.1);
        if !number.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(bad());
        }
        let count: i64 = number.parse().ok().filter(|count| (1..=LONGEST).contains(count)).ok_or_else(bad)?;
        let every = match unit {
            'm' => Every::Minutes(count),
            'h' => Every::Minutes(count * 60),
            'd' => Every::Days(count),
            'w' => Every::Days(count * 7),
            _ => return Err(bad()),
        };
        let Some(at) = at else { return Ok(Self { every, at: Time::midnight() }) };
        if matches!(every, Every::Minutes(_)) {
            let what = "`at` goes with days and weeks only".to_owned();
            return Err(flaw(true, what, "remove `at`, or give `every` in days, such as \"1d\""));
        }
        let time = Time::strptime("%H:%M", at).map_err(|_| {
            flaw(true, format!("`at` is `{at}`"), "write a time of the day such as \"09:00\"")
        })?;
        Ok(Self { every, at: time })
    }

    /// The first time after `after`, where the bridge is. None only at the end of the calendar.
    pub fn next_after(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        self.near(after, zone).find(|time| *time > after)
    }

    /// The last time at or before `now`, where the bridge is.
    pub fn last_until(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        self.near(now, zone).take_while(|time| *time <= now).last()
    }

    /// Whether it is for whole days: then a customer is not met twice on one.
    pub fn is_of_days(&self) -> bool {
        matches!(self.every, Every::Days(_))
    }

    /// Times around one: from the second before it to the second after it, at least.
    fn near(&self, time: Timestamp, zone: &TimeZone) -> Box<dyn Iterator<Item = Timestamp>> {
        match self.every {
            Every::Minutes(minutes) => {
                let period = minutes * 60;
                let first = time.as_second().div_euclid(period) - 1;
                Box::new((first..first + 4).filter_map(move |n| Timestamp::from_second(n * period).ok()))
            }
            Every::Days(days) => {
                let (at, zone) = (self.at, zone.clone());
                let today = zone.to_datetime(time).date();
                let first = days_since_a_monday(today).div_euclid(days) - 1;
                Box::new((first..first + 4).filter_map(move |n| {
                    // A time that the clocks skip or have twice is the one that jiff takes for it ("compatible").
                    let day = a_monday().checked_add(Span::new().try_days(n * days).ok()?).ok()?;
                    zone.to_timestamp(day.to_datetime(at)).ok()
                }))
            }
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.every {
            Every::Minutes(minutes) if minutes % 60 == 0 => write!(f, "every {}h", minutes / 60),
            Every::Minutes(minutes) => write!(f, "every {minutes}m"),
            Every::Days(days) => write!(f, "every {days}d at {}", self.at.strftime("%H:%M")),
        }
    }
}

/// The Monday from which days and weeks are counted.
fn a_monday() -> Date {
    Date::constant(1970, 1, 5)
}

fn days_since_a_monday(day: Date) -> i64 {
    debug_assert_eq!(a_monday().weekday(), Weekday::Monday);
    a_monday().until(day).map_or(0, |span| i64::from(span.get_days()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn schedule(every: &str, at: Option<&str>) -> Schedule {
        Schedule::parse(every, at).unwrap()
    }

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn times_follow_from_the_clock_alone() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        for (every, at, zone, now, last, next) in [
            (
                "6h",
                None,
                TimeZone::UTC,
                "2026-11-25T07:30:00Z",
                "2026-11-25T06:00:00Z",
                "2026-11-25T12:00:00Z",
            ),
            (
                "30m",
                None,
                TimeZone::UTC,
                "2026-11-25T07:30:00Z",
                "2026-11-25T07:30:00Z",
                "2026-11-25T08:00:00Z",
            ),
            (
                "1d",
                None,
                TimeZone::UTC,
                "2026-11-25T07:30:00Z",
                "2026-11-25T00:00:00Z",
                "2026-11-26T00:00:00Z",
            ),
            (
                "1d",
                Some("09:00"),
                TimeZone::UTC,
                "2026-11-25T08:59:59Z",
                "2026-11-24T09:00:00Z",
                "2026-11-25T09:00:00Z",
            ),
            // Central European Time is an hour ahead of UTC in November, and two in summer.
            (
                "1d",
                Some("09:00"),
                berlin.clone(),
                "2026-11-25T08:00:00Z",
                "2026-11-25T08:00:00Z",
                "2026-11-26T08:00:00Z",
            ),
            (
                "1d",
                Some("09:00"),
                berlin,
                "2026-07-25T08:00:00Z",
                "2026-07-25T07:00:00Z",
                "2026-07-26T07:00:00Z",
            ),
            // Weeks begin on Monday.
            (
                "1w",
                Some("09:00"),
                TimeZone::UTC,
                "2026-11-25T07:30:00Z",
                "2026-11-23T09:00:00Z",
                "2026-11-30T09:00:00Z",
            ),
        ] {
            let schedule = schedule(every, at);
            assert_eq!(
                schedule.last_until(time(now), &zone),
                Some(time(last)),
                "{schedule} last until {now}"
            );
            assert_eq!(
                schedule.next_after(time(now), &zone),
                Some(time(next)),
                "{schedule} next after {now}"
            );
        }
    }

    #[test]
    fn a_time_of_the_day_stays_the_same_when_the_clocks_change() {
        let berlin = TimeZone::get("Europe/Berlin").unwrap();
        let daily = schedule("1d", Some("02:30"));
        let mut now = time("2026-03-28T00:00:00Z");
        let mut times = Vec::new();
        for _ in 0..3 {
            now = daily.next_after(now, &berlin).unwrap();
            times.push(now.to_string());
        }
        // On the 29th there is no 02:30: it is an hour later on the clock.
        assert_eq!(times, ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]);
    }

    #[test]
    fn a_route_says_when_it_runs_by_itself_and_only_such_a_route_does() {
        let told = |head: &str| {
            let text = format!("{head}\n[[step]]\nid = \"x\"\ndo = \"ghl.custom_field.list\"\n");
            crate::flow::Route::parse("x.toml", text.as_bytes())
                .map(|route| route.schedule.map(|it| it.to_string()))
        };
        assert_eq!(
            told("on = [\"schedule\"]\nevery = \"2w\"\nat = \"09:30\""),
            Ok(Some("every 14d at 09:30".into()))
        );
        assert_eq!(told("on = [\"schedule.customer\"]\nevery = \"90m\""), Ok(Some("every 90m".into())));
        assert_eq!(told("on = [\"cscart.ping\"]"), Ok(None));
        for (head, place) in [
            ("on = [\"schedule\"]", "x.toml:1:7: it is not said how often"),
            ("on = [\"cscart.ping\"]\nevery = \"1d\"", "x.toml:2:9: only a route with a schedule"),
            ("on = [\"cscart.ping\"]\nat = \"09:00\"", "x.toml:2:6: only a route with a schedule"),
            ("on = [\"schedule\"]\nevery = \"soon\"", "x.toml:2:9: `every` is `soon`"),
            ("on = [\"schedule\"]\nevery = \"1d\"\nat = \"noon\"", "x.toml:3:6: `at` is `noon`"),
        ] {
            let mistakes = told(head).unwrap_err();
            assert!(mistakes.len() == 1 && mistakes[0].to_string().starts_with(place), "{mistakes:?}");
        }
    }

    #[test]
    fn what_is_no_schedule_is_told_with_what_would_be_one() {
        for (every, at) in [
            ("", None),
            ("d", None),
            ("1", None),
            ("0d", None),
            ("-1d", None),
            ("1.5h", None),
            ("1y", None),
            ("1d ", None),
            ("5000w", None),
            ("1ä", None),
        ] {
            let flaw = Schedule::parse(every, at).unwrap_err();
            assert!(!flaw.of_at && flaw.what.contains(every), "{flaw:?}");
        }
        for (every, at) in [("1d", "9 o'clock"), ("1d", "25:00"), ("6h", "09:00")] {
            assert!(Schedule::parse(every, Some(at)).unwrap_err().of_at, "{every} {at}");
        }
    }
}
