//! The watch over Onus itself: a board that is fed by nothing must not be believed.

use super::{Alert, Concern, Group, Options, Rule, Severity, length, seconds};
use Severity::{Critical, Warning};

const NONE: &[&str] = &[];

pub(super) fn group(options: &Options) -> Group {
    Group {
        name: "onus-watch",
        words: "Onus itself: whether what it says can be believed, and whether its pages leave.",
        rules: [sources(options), judge(options), shared(options), outlets(options)].concat(),
    }
}

fn alert(
    (name, lasts, severity): (&'static str, &'static str, Severity),
    expr: String,
    has: &'static [&'static str],
    summary: &'static str,
    description: String,
) -> Rule {
    let (keeps, concern) = (if name == "OnusPartnerBlind" { "10m" } else { "" }, Concern::Onus);
    Rule::Alert(Alert { name, expr, lasts, keeps, severity, concern, has, summary, description })
}

fn sources(options: &Options) -> Vec<Rule> {
    let behind = length(options.behind);
    vec![
        alert(
            ("OnusSourceSilent", "5m", Critical),
            options.fill(&format!(
                "source:onus_source_silence:seconds{{%}}\n\
                 > on (source) {} * max by (source) (onus_source_expected_interval_seconds{{@}})",
                options.silence
            )),
            NONE,
            "The source {{ $labels.source }} is silent",
            "Nothing came from {{ $labels.source }} for {{ $value | humanizeDuration }}, though it promises to speak more \
             often. Deadlines that rest on it pass without a verdict."
                .to_owned(),
        ),
        alert(
            ("OnusSourceDown", "5m", Critical),
            options.fill("max by (source) (onus_source_up{@}) == 0"),
            NONE,
            "The source {{ $labels.source }} cannot be read",
            "Onus cannot read {{ $labels.source }}, or has halted there until somebody decides. Nothing of it is judged."
                .to_owned(),
        ),
        alert(
            ("OnusSourceOversteps", "0s", Critical),
            options.fill("time() - max by (source) (onus_source_last_violation_timestamp_seconds{@}) < 3600"),
            NONE,
            "{{ $labels.source }} says what is not its to say",
            "An event of {{ $labels.source }} spoke of a partner, or was of a type, that the source is not bound to. It was refused \
             and is a dead letter. Either a binding is missing, or somebody tries to speak for another."
                .to_owned(),
        ),
        alert(
            ("OnusSourceBehind", "10m", Warning),
            options.fill(&format!("source:onus_source_behind:seconds{{%}} > {}", seconds(options.behind))),
            NONE,
            "{{ $labels.source }} is heard only up to {{ $value | humanizeDuration }} ago",
            format!(
                "What {{{{ $labels.source }}}} said is known only up to {{{{ $value | humanizeDuration }}}} ago, more than \
                 {behind}. Deadlines since then that rest on it are unknown."
            ),
        ),
        alert(
            ("OnusUnowned", "15m", Warning),
            options.fill("max(onus_unowned_subjects{@}) > 0"),
            NONE,
            "{{ $value }} subjects are nobody's",
            "Events of {{ $value }} subjects name no partner, and no contract's scope and no catalogue says whose they are. No \
             clock runs for them."
                .to_owned(),
        ),
        alert(
            ("OnusLag", "10m", Warning),
            options.fill(&format!(
                "source:onus_source_lag_records:sum{{%}} > {}\n\
                 and deriv(source:onus_source_lag_records:sum{{%}}[10m]) >= 0",
                options.lag
            )),
            NONE,
            "Onus falls behind on {{ $labels.source }}",
            "{{ $value }} records of {{ $labels.source }} wait to be read, and they do not get fewer.".to_owned(),
        ),
        alert(
            ("OnusPartnerBlind", "10m", Critical),
            options.fill("partner:onus_partner_blind:max{%} == 1"),
            &["partner"],
            "Nothing can be said of {{ $labels.partner }}",
            "A source on which duties of {{ $labels.partner }} rest has stopped. What the boards show of it is what was \
             known before that."
                .to_owned(),
        ),
    ]
}

fn judge(options: &Options) -> Vec<Rule> {
    let (clock, ledger) = (length(options.clock), length(options.ledger));
    vec![
        alert(
            ("OnusClockHeld", "2m", Critical),
            options.fill(&format!("onus:onus_clock_behind:seconds{{%}} > {}", seconds(options.clock))),
            NONE,
            "The judge's clock stands still",
            format!(
                "The judge believes that it is {{{{ $value | humanizeDuration }}}} earlier than it is (more than {clock}): \
                 the loop hangs, the store does not take commits, or the machine's clock has jumped. No deadline passes \
                 meanwhile, so nothing new is breached."
            ),
        ),
        alert(
            ("OnusStoreNotWritten", "5m", Critical),
            options.fill("max by (shard) (changes(onus_journal_sequence{@}[10m])) == 0"),
            NONE,
            "Onus writes nothing down",
            "There was no commit in ten minutes, though time alone makes one a minute. What is not written down is not \
             told: no pages leave."
                .to_owned(),
        ),
        alert(
            ("OnusLedgerUnverifiable", "0s", Critical),
            options.fill("min(onus_ledger_ok{@}) == 0"),
            NONE,
            "The ledger does not hold together",
            "A check found an entry of the ledger that is not what was written, or one that is missing. What was decided \
             can no longer be proved from it."
                .to_owned(),
        ),
        alert(
            ("OnusLedgerUnverified", "15m", Warning),
            options.fill(&format!("time() - min(onus_ledger_last_verified_timestamp_seconds{{@}}) > {}", seconds(options.ledger))),
            NONE,
            "The ledger was not verified for {{ $value | humanizeDuration }}",
            format!("The last check of the ledger's chain is longer ago than {ledger}. Nobody knows whether it is whole."),
        ),
        alert(
            ("OnusMetricsTruncated", "0s", Warning),
            options.fill("max by (family) (onus_metrics_truncated_total{@}) > 0"),
            NONE,
            "Not every partner has series of its own in {{ $labels.family }}",
            "Series of {{ $labels.family }} were put together under an overflow partner, because there are more than the \
             bound. Alerts that name a partner cannot name these."
                .to_owned(),
        ),
        alert(
            ("OnusCountsWrong", "0s", Warning),
            options.fill("max(onus_recounts_wrong_total{@}) > 0"),
            NONE,
            "Onus's counts do not agree with its duties",
            "A recount of the duties in memory came to other numbers than the page shows. That is a defect of Onus: boards \
             and rules may be wrong, verdicts and ledger are not touched."
                .to_owned(),
        ),
        alert(
            ("OnusDown", "5m", Critical),
            options.fill("absent(onus_build_info{@})"),
            NONE,
            "Onus is not there",
            "Prometheus gets no figures of Onus. Nothing on its boards is current, and no rule about duties can fire."
                .to_owned(),
        ),
        alert(
            ("OnusWatchdog", "0s", Severity::None),
            "vector(1)".to_owned(),
            NONE,
            "Alerts get through",
            "This always fires. A receiver that misses it knows that no alert of Onus can reach anybody.".to_owned(),
        ),
    ]
}

/// Judges that share the work.
fn shared(options: &Options) -> Vec<Rule> {
    let doubted = "onus_dead_letters_total{reason=~\"Divergence|Foreign\"@}";
    vec![
        alert(
            ("OnusExchangeDoubted", "0s", Critical),
            // What is counted for the first time has not risen from anything.
            options.fill(&format!(
                "max by (reason) (increase({doubted}[1h])) > 0\nor max by (reason) ({doubted} unless {doubted} offset 1h) > 0"
            )),
            NONE,
            "What lies in the exchange is not what was read ({{ $labels.reason }})",
            "A judge met a record of the exchange that says of a place in a source something else than before (Divergence), or that no intake \
             has written (Foreign). It is a dead letter and counts for nobody; what else is there may be doubted, too."
                .to_owned(),
        ),
        alert(
            ("OnusShardsUnowned", "2m", Critical),
            options.fill("max(onus_pool_shards{@}) - sum(onus_shards_held{@}) > 0"),
            NONE,
            "Nobody judges {{ $value }} shards",
            "Of the shards that judges share {{ $value }} are on nobody's page: their judge is gone or cannot go on, and no other took \
             over. Their partners' deadlines pass without a verdict."
                .to_owned(),
        ),
        alert(
            ("OnusLeaseStale", "1m", Critical),
            options.fill("max by (job, instance) (onus_lease_age_seconds{@}) > 30"),
            NONE,
            "{{ $labels.instance }} cannot renew its leases",
            "For {{ $value | humanizeDuration }} the judge {{ $labels.instance }} has not been able to say in the database that it is there. It \
             pages nobody meanwhile. Where the database is away, none of them does."
                .to_owned(),
        ),
    ]
}

fn outlets(options: &Options) -> Vec<Rule> {
    vec![
        alert(
            ("OnusPushFailing", "5m", Critical),
            options.fill(
                "max by (receiver) (onus_notifications_queue{@}) > 0\n\
                 unless on (receiver)\n  \
                 time() - max by (receiver) (onus_notifications_last_success_timestamp_seconds{@}) < 300",
            ),
            NONE,
            "Pages do not get to {{ $labels.receiver }}",
            "{{ $value }} alerts wait for {{ $labels.receiver }}, which has taken none for five minutes.".to_owned(),
        ),
        alert(
            ("OnusBreachNotPushed", "5m", Critical),
            options.fill(
                "sum(partner_obligation_standing:onus_duties:max{standing=\"breached\"%}) > 0\n\
                 and on () sum(max by (severity) (onus_alerts_firing{@})) == 0",
            ),
            NONE,
            "There are breaches, and Onus pages nobody",
            "{{ $value }} duties stand breached, and Onus itself believes that no alert of its own is firing."
                .to_owned(),
        ),
    ]
}
