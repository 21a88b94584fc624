//! Sources that come and go in the settings.

use crate::house::{DESK, House, end, file};
use std::time::Duration;

const HEAD: &str = "[contracts]\npaths = [\"contract.yaml\"]\n[http]\nlisten = \"127.0.0.1:0\"\n";

fn opened(subject: &str) -> String {
    format!(
        "{{\"specversion\":\"1.0\",\"id\":\"{subject}\",\"source\":\"desk\",\"type\":\"ticket.opened\",\"subject\":\"{subject}\",\
         \"partner\":\"p1\",\"time\":\"2026-03-02T09:00:00Z\"}}\n"
    )
}

/// Once the silence of a source that was named a moment ago took back every breach that had been decided without it.
#[test]
fn a_source_that_comes_or_goes_takes_back_nothing_that_was_decided() {
    let house = House::new(DESK, &file("desk").replace("follow = true", "follow = false"));
    house.write("desk.jsonl", &opened("INC-1"));
    let run = ["run", "--tell", "told"];
    let output = house.onus(&["run", "--until-end", "--tell", "told"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let standings =
        || house.told().iter().map(|line| line["to"].as_str().expect("a standing").to_owned()).collect::<Vec<_>>();
    assert_eq!(standings(), ["breached"]);
    let stays = |settings: &str, told: &[&str]| {
        house.write("onus.toml", &format!("{HEAD}{settings}"));
        let again = house.onus(&["replay"]);
        let child = house.start(&run);
        std::thread::sleep(Duration::from_secs(1));
        assert!(end(child), "{}", house.talk());
        assert_eq!(standings(), told, "{settings}");
        assert!(again.status.success(), "{}", String::from_utf8_lossy(&again.stdout));
    };
    // One that has not said a word, instead of it; both; the first again; a third.
    stays(&file("other"), &["breached"]);
    stays(&(file("other") + &file("desk")), &["breached"]);
    stays(&file("desk"), &["breached"]);
    stays(&file("third"), &["breached"]);
    // Nor when all is judged again, by another contract: the breach is another one, and stands.
    house.write("contract.yaml", &DESK.replace("within: 4h", "within: 5h"));
    let child = house.start(&run);
    house.until("it is judged again", || standings() == ["breached", "breached"]);
    assert!(end(child), "{}", house.talk());
    let last = house.told().pop().expect("a line");
    assert_eq!((&last["adjustment"], &last["deadline"]), (&true.into(), &"2026-03-02T14:00:00.000Z".into()));
    stays(&(file("fourth") + &file("desk")), &["breached", "breached"]);
    // What is decided from now on waits for all that are read now.
    house.append("desk.jsonl", &opened("INC-2"));
    let child = house.start(&run);
    house.until("the next one is breached", || standings() == ["breached", "breached", "breached"]);
    assert!(end(child), "{}", house.talk());
}
