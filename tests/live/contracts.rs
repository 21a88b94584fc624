use crate::house::{DESK, House, end, file, hangup};

#[test]
fn contracts_that_change_under_it_are_judged_by_unless_they_are_broken() {
    let house = House::new(DESK, &file("desk"));
    let event = |kind: &str, time: &str| {
        format!(
            "{{\"specversion\":\"1.0\",\"id\":\"{kind}\",\"source\":\"desk\",\"type\":\"ticket.{kind}\",\"subject\":\"INC-1\",\
             \"partner\":\"p1\",\"time\":\"2026-03-02T{time}:00Z\"}}\n"
        )
    };
    house.write("desk.jsonl", &(event("opened", "09:00") + &event("acknowledged", "12:00")));
    let child = house.start(&["run", "--tell", "told"]);
    let last = || house.told().last().map(|line| (line["to"].to_string(), line["adjustment"].to_string()));
    house.until("it is met", || last().is_some_and(|(to, _)| to == "\"met\""));
    house.write("contract.yaml", &DESK.replace("within: 4h", "within: 4 hours"));
    hangup(&child);
    house.until("the broken contract is refused", || house.talk().contains("the contracts stay as they were"));
    assert_eq!(house.told().len(), 1);
    house.write("contract.yaml", &DESK.replace("within: 4h", "within: 2h"));
    hangup(&child);
    house.until("the new one is judged by", || last() == Some(("\"met-late\"".to_owned(), "true".to_owned())));
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["store", "verify", "--store", "sqlite:onus.db"]).status.success());
    let again = house.onus(&["replay"]);
    assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
}

#[test]
fn an_obligation_that_is_gone_takes_back_what_was_said_by_it() {
    let more = "  - id: solve\n    clause: \"2\"\n    when: ticket.opened\n    do: ticket.resolved\n    within: 8h\n";
    let house = House::new(&(DESK.to_owned() + more), &file("desk"));
    house.write(
        "desk.jsonl",
        "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"INC-1\",\
         \"partner\":\"p1\",\"time\":\"2026-03-02T09:00:00Z\"}\n",
    );
    let child = house.start(&["run", "--tell", "told"]);
    house.until("both are breached", || house.net().len() == 2);
    house.write("contract.yaml", DESK);
    hangup(&child);
    let withdrawn = || house.told().into_iter().find(|line| line["to"] == "withdrawn");
    house.until("it is taken back", || withdrawn().is_some());
    let line = withdrawn().expect("its line");
    assert_eq!((&line["obligation"], &line["adjustment"]), (&"solve".into(), &true.into()));
    assert_eq!(house.net().len(), 1, "the other stands");
    assert!(end(child), "{}", house.talk());
    assert!(house.onus(&["replay"]).status.success());
}
