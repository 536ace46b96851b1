//! A drill as one self-contained web page.

use std::fmt::Write;
use std::time::Duration;

use saldo_drill::replay::{Lane, Look, Record, Standing};
use saldo_drill::scenario::{brief, ether};

use super::words;

/// The width left of the lanes.
const LEFT: f64 = 210.0;
/// The width of the lanes.
const WIDTH: f64 = 820.0;
/// The height of a lane, and the distance from one lane to the next.
const LANE: f64 = 26.0;
const STEP: f64 = 34.0;
/// The height above the first lane.
const TOP: f64 = 44.0;
/// The approximate width of a letter.
const LETTER: f64 = 7.4;

/// The page.
pub(super) fn page(record: &Record) -> String {
    let title = escaped(&format!("{}: {}", record.name, record.title));
    let about = record.about.as_deref().map(|about| format!("<p class=\"about\">{}</p>", escaped(about)));
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<title>{title}</title>\n\
         <style>\n{style}</style>\n</head>\n<body>\n<main>\n<h1>{heading}<small>{name}</small></h1>\n{about}\n\
         {picture}<p class=\"verdict\">{verdict}</p>\n{drawing}\n{legend}\n{table}\n</main>\n</body>\n</html>\n",
        style = include_str!("style.css"),
        heading = escaped(&record.title),
        name = escaped(&record.name),
        about = about.unwrap_or_default(),
        picture = record.telling().map(picture).unwrap_or_default(),
        verdict = escaped(&words::verdict(record)),
        drawing = drawing(record),
        legend = legend(),
        table = table(record),
    )
}

/// What both wallets show at one look, side by side.
fn picture(look: &Look) -> String {
    let (naive, saldo) = (ether(look.naive), words::large(&look.shown));
    let class = if look.shown.proven.is_some() { "sure" } else { "unsure" };
    format!(
        "<div class=\"picture\"><figure class=\"naive\"><figcaption>a naive wallet, after {at}</figcaption><strong>{naive}</strong>\
         <p>Wrong: the account holds {truth}.</p></figure>\n\
         <figure class=\"{class}\"><figcaption>saldo, at the same time</figcaption><strong>{saldo}</strong><p>{says}</p></figure></div>\n",
        at = brief(look.at),
        naive = escaped(&naive),
        saldo = escaped(&saldo),
        truth = escaped(&ether(look.truth)),
        says = escaped(&words::sentence(&look.shown)),
    )
}

fn drawing(record: &Record) -> String {
    let lanes = u32::try_from(record.lanes.len()).unwrap_or(u32::MAX);
    let height = f64::from(lanes.saturating_add(2)).mul_add(STEP, TOP) + 30.0;
    let mut svg = format!(
        "<div class=\"scroll\"><svg viewBox=\"0 0 {:.0} {height:.0}\" role=\"img\" aria-label=\"what happened, and what was \
         shown\">\n",
        LEFT + WIDTH + 20.0
    );
    let bottom = height - 10.0;
    axis(&mut svg, record.lasts, bottom);
    let mut y = TOP;
    for lane in &record.lanes {
        label(&mut svg, y, &lane.name, words::beside(lane));
        draw_lane(&mut svg, lane, record.lasts, y);
        y += STEP;
    }
    y += 22.0;
    let naive_block = |phase: &[Look]| {
        let first = phase.first()?;
        let class = if first.naive_is_wrong { "wrong" } else { "right" };
        Some((class, ether(first.naive), format!("naive wallet: {}", words::naive(first))))
    };
    label(&mut svg, y, "a naive wallet shows", "believes the first reply");
    draw_looks(&mut svg, record, y, &naive_block);
    y += STEP;
    let saldo_block = |phase: &[Look]| {
        let last = phase.last()?;
        let class = match (last.shown.is_false(), last.shown.standing) {
            (true, _) => "wrong",
            (false, Standing::Proven) => "right",
            (false, _) => "aged",
        };
        Some((class, words::headline(&last.shown), format!("saldo: {}", words::saldo(&last.shown))))
    };
    label(&mut svg, y, "saldo shows", "");
    draw_looks(&mut svg, record, y, &saldo_block);
    svg.push_str("</svg></div>");
    svg
}

/// The horizontal position of a moment.
fn x(at: Duration, lasts: Duration) -> f64 {
    (at.as_secs_f64() / lasts.as_secs_f64().max(1.0)).clamp(0.0, 1.0).mul_add(WIDTH, LEFT)
}

fn axis(svg: &mut String, lasts: Duration, bottom: f64) {
    for sixth in 0..=6_u32 {
        let at = lasts.saturating_mul(sixth).checked_div(6).unwrap_or_default();
        let (x, top) = (x(at, lasts), TOP - 8.0);
        let _ = writeln!(
            svg,
            "<line class=\"tick\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{top:.1}\" y2=\"{bottom:.1}\"/>\
             <text class=\"time\" x=\"{x:.1}\" y=\"{:.1}\">{}</text>",
            top - 8.0,
            brief(at)
        );
    }
}

fn label(svg: &mut String, y: f64, name: &str, beside: &str) {
    let line = y + if beside.is_empty() { 18.0 } else { 12.0 };
    let _ = writeln!(
        svg,
        "<text class=\"name\" x=\"{:.1}\" y=\"{line:.1}\">{}</text><text class=\"beside\" x=\"{:.1}\" y=\"{:.1}\">{}</text>",
        LEFT - 14.0,
        escaped(name),
        LEFT - 14.0,
        y + 25.0,
        escaped(beside)
    );
}

fn draw_lane(svg: &mut String, lane: &Lane, lasts: Duration, y: f64) {
    for state in &lane.states {
        let (from, until) = (x(state.from, lasts), x(state.until, lasts));
        let says = if state.says.is_empty() { "well" } else { &state.says };
        let tip = format!("{}, {} to {}: {says}", lane.name, brief(state.from), brief(state.until));
        block(svg, (from, until, y), state.condition.name(), &state.says, &tip);
    }
}

/// What is drawn for a phase: the class, the text inside, and the tooltip.
type BlockOf<'a> = dyn Fn(&[Look]) -> Option<(&'static str, String, String)> + 'a;

fn draw_looks(svg: &mut String, record: &Record, y: f64, block_of: &BlockOf<'_>) {
    let phases: Vec<&[Look]> = record.looks.chunk_by(|one, next| same(block_of, one, next)).collect();
    for (place, phase) in phases.iter().enumerate() {
        let from = phase.first().map_or(Duration::ZERO, |look| look.at);
        let next = phases.get(place.saturating_add(1)).and_then(|next| next.first());
        let until = next.map_or(record.lasts, |look| look.at);
        if let Some((class, text, tip)) = block_of(phase) {
            let tip = format!("{} to {}: {tip}", brief(from), brief(until));
            block(svg, (x(from, record.lasts), x(until, record.lasts), y), class, &text, &tip);
        }
    }
}

/// Whether two looks are drawn as one block.
fn same(block_of: &BlockOf<'_>, one: &Look, next: &Look) -> bool {
    let of = |look: &Look| {
        block_of(std::slice::from_ref(look)).map(|(class, text, _)| {
            // A growing age alone does not start a new block.
            (class, text.split(" (").next().map(str::to_owned))
        })
    };
    of(one) == of(next)
}

fn block(svg: &mut String, (from, until, y): (f64, f64, f64), class: &str, text: &str, tip: &str) {
    let width = (until - from - 1.5).max(1.5);
    let fits = |text: &str| {
        f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)).mul_add(LETTER, 12.0) <= width
    };
    // Where amount and age do not fit, only the amount is drawn.
    let text = [text, text.split(" (").next().unwrap_or_default()].into_iter().find(|text| fits(text));
    let text = text.map(escaped).unwrap_or_default();
    let _ = writeln!(
        svg,
        "<g class=\"{class}\"><title>{}</title><rect x=\"{from:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{LANE}\" rx=\"4\"/>\
         <text x=\"{:.1}\" y=\"{:.1}\">{text}</text></g>",
        escaped(tip),
        from + width / 2.0,
        y + 17.5
    );
}

fn legend() -> String {
    let all = [
        ("well", "well"),
        ("slow", "slow, or behind"),
        ("limited", "rate limited"),
        ("failing", "answers with errors"),
        ("gone", "gone"),
        ("lies", "lies"),
        ("right", "shown, and right"),
        ("aged", "last proven, with its age"),
        ("wrong", "shown, and wrong"),
    ];
    let items = all.map(|(class, words)| format!("<li><i class=\"{class}\"></i>{words}</li>"));
    format!("<ul class=\"legend\">{}</ul>", items.concat())
}

fn table(record: &Record) -> String {
    let mut rows = String::new();
    let mut events = record.events.iter().peekable();
    for phase in record.phases() {
        let (Some(first), Some(last)) = (phase.first(), phase.last()) else { continue };
        while let Some(event) = events.next_if(|event| event.at <= first.at) {
            let says = escaped(&event.says);
            let _ = writeln!(
                rows,
                "<tr class=\"event\"><th>{}</th><td colspan=\"2\">{says}</td></tr>",
                brief(event.at)
            );
        }
        let (class, saldo) = if first.naive_is_wrong { ("bad", "") } else { ("", "") };
        let saldo = if last.shown.is_false() { "bad" } else { saldo };
        let _ = writeln!(
            rows,
            "<tr><th>{}</th><td class=\"{class}\">{}</td><td class=\"{saldo}\">{}</td></tr>",
            if first.at == last.at {
                brief(first.at)
            } else {
                format!("{} – {}", brief(first.at), brief(last.at))
            },
            escaped(&words::naive(first)),
            escaped(&words::saldo(&last.shown))
        );
    }
    for event in events {
        let says = escaped(&event.says);
        let _ = writeln!(
            rows,
            "<tr class=\"event\"><th>{}</th><td colspan=\"2\">{says}</td></tr>",
            brief(event.at)
        );
    }
    format!(
        "<table><thead><tr><th>time</th><th>naive wallet</th><th>saldo</th></tr></thead><tbody>\n{rows}</tbody></table>"
    )
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
