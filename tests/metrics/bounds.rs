//! No page grows without bound, and none lets a name out of its quotes.

use crate::page::Page;
use onus::telemetry::{Figures, Form, ObligationReading, PartnerReading, Reading};
use onus_engine::time::Moment;

/// So many partners with so many obligations, of which each has told something.
fn reading(partners: usize, obligations: usize) -> Reading {
    let obligation = |i: usize| ObligationReading {
        id: format!("obligation-{i}"),
        about: vec![["desk", "1.1", "none", "partner", "ticket"].map(str::to_owned)],
        unended: [1, 0, 0, 1, 0, 0],
        ended: [5, 1, 0, 0, 0, 0],
        endings: [5, 1, 0, 0, 0, 0],
        breaches: [2, 0],
        acts: (i == 0).then_some([3, 2]),
        at_risk: 1,
        windows: [[5, 2], [3, 0]],
        window_end: Some(Moment(9_000_000)),
        target: Some(950_000),
        by_window: true,
        next_deadline: Some(Moment(8_000_000 - i as i64)),
        oldest_breach: Some(Moment(1_000_000)),
        ..ObligationReading::default()
    };
    let partner = |i: usize| PartnerReading {
        name: format!("partner-{i:04}"),
        customers: vec!["northwind".to_owned()],
        holds: [2, 0],
        waivers: 1,
        held: vec![("credential".to_owned(), [1, 0, 0, 2, 0, 0, 1])],
        blind: i == 7,
        obligations: (0..obligations).map(obligation).collect(),
    };
    Reading { partners: (0..partners).map(partner).collect(), ..Reading::default() }
}

#[test]
fn what_has_no_room_adds_up_under_other_and_is_counted() {
    let figures = Figures::new("test", Moment(0)).expect("families").at_most(100);
    let all = reading(50, 4);
    let page = Page::text(&figures.page(Form::Text, &all));
    for name in [
        "onus_credentials",
        "onus_actions_total",
        "onus_duties",
        "onus_verdicts",
        "onus_duties_ended_total",
        "onus_window_verdicts",
        "onus_breaches_total",
    ] {
        let series = page.all(name).count();
        assert!(series <= 100, "{name} has {series}");
        let other = page.all(name).filter(|(labels, _)| labels["partner"] == "_other").count();
        assert!(other > 0, "{name} says nothing of the rest");
        assert!(page.value("onus_metrics_truncated_total", &[("family", name)]) > Some(0.0), "{name}");
    }
    let sum = |name: &str| page.all(name).map(|(_, value)| value).sum::<f64>();
    assert_eq!(sum("onus_duties"), 400.0, "nothing is lost");
    assert_eq!(sum("onus_breaches_total"), 400.0);
    assert_eq!(sum("onus_duties_at_risk"), 200.0);
    assert_eq!(sum("onus_credentials"), 200.0);
    assert_eq!(sum("onus_actions_total"), 250.0);
    // Of a partner all is shown, or nothing.
    for name in ["onus_duties", "onus_window_verdicts"] {
        for partner in all.partners.iter().map(|p| p.name.as_str()) {
            let shown = page.all(name).filter(|(labels, _)| labels["partner"] == partner).count();
            assert!(shown == 0 || shown == 4 * if name == "onus_duties" { 6 } else { 4 }, "{partner} {name} {shown}");
        }
    }
    let other = [("partner", "_other"), ("obligation", "_other")];
    assert_eq!(page.value("onus_next_deadline_timestamp_seconds", &other), Some(7_999.997), "the earliest");
    assert_eq!(page.value("onus_target_ratio", &other), None);
    Page::open(&figures.page(Form::OpenMetrics, &all));
    let again = Page::text(&figures.page(Form::Text, &all));
    let counted = |page: &Page| page.value("onus_metrics_truncated_total", &[("family", "onus_duties")]);
    assert_eq!(counted(&again).expect("a count"), 3.0 * counted(&page).expect("a count"), "over all pages");
}

#[test]
fn what_has_room_is_not_cut() {
    let figures = Figures::new("test", Moment(0)).expect("families").at_most(6 * 40);
    let page = Page::text(&figures.page(Form::Text, &reading(10, 4)));
    assert_eq!(page.all("onus_duties").count(), 6 * 40);
    assert!(page.all("onus_metrics_truncated_total").all(|(_, n)| n == 0.0));
}

#[test]
fn no_name_leaves_its_quotes() {
    let mut all = reading(1, 1);
    let hostile = "p\"} 1\nonus_duties{partner=\"other\\";
    all.partners[0].name = hostile.to_owned();
    all.partners[0].obligations[0].id = "o\\\"\n".to_owned();
    all.partners[0].obligations[0].about[0][1] = "§ 4\\n\"".to_owned();
    let figures = Figures::new("te\"st\\", Moment(0)).expect("families");
    for (form, read) in [(Form::Text, Page::text as fn(&str) -> Page), (Form::OpenMetrics, Page::open)] {
        let page = read(&figures.page(form, &all));
        assert!(page.all("onus_duties").all(|(labels, _)| labels["partner"] == hostile));
        assert!(page.all("onus_duties").all(|(labels, _)| labels["obligation"] == "o\\\"\n"));
        let own = read(&figures.partner(form, &all, hostile).expect("it is there"));
        assert!(own.families.keys().all(|name| name.starts_with("onus_")));
    }
}

#[test]
fn allowance_is_what_still_keeps_the_target() {
    let of = |met, broken, target| ObligationReading {
        windows: [[met, broken], [0, 0]],
        target: Some(target),
        by_window: true,
        ..ObligationReading::default()
    };
    for (met, broken, target, want) in [
        (95, 5, 950_000, 0),
        (100, 0, 950_000, 5),
        (0, 0, 950_000, 0),
        (0, 1, 950_000, -1),
        (90, 10, 950_000, -6),
        (3, 0, 1_000_000, 0),
        (10, 0, 500_000, 10),
    ] {
        let one = of(met, broken, target);
        assert_eq!(one.allowance(), Some(want), "{met} met, {broken} breached, {target} asked");
        // So many more breaches, and the target is reached; one more, and it is not.
        let kept = |more: i64| met * 1_000_000 >= (met + broken + more) * i64::from(target);
        assert!(want < 0 || kept(want) && !kept(want + 1), "{met} {broken} {target}");
    }
    assert_eq!(ObligationReading { by_window: false, ..of(1, 0, 900_000) }.allowance(), None);
}

#[test]
fn a_partners_page_has_nothing_of_another_and_nothing_of_the_process() {
    let figures = Figures::new("test", Moment(0)).expect("families");
    let all = reading(5, 3);
    for form in [Form::Text, Form::OpenMetrics] {
        let page = figures.partner(form, &all, "partner-0003").expect("it is there");
        let read = if form == Form::Text { Page::text(&page) } else { Page::open(&page) };
        for (name, series) in &read.samples {
            assert!(series.keys().all(|labels| labels.get("partner").is_some_and(|p| p == "partner-0003")), "{name}");
        }
        assert!(read.series() > 60);
    }
    assert_eq!(figures.partner(Form::Text, &all, "partner-00"), None);
    assert_eq!(figures.partner(Form::Text, &all, "_other"), None);
}
