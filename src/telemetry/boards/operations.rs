//! For whoever keeps Onus running.

use super::{Board, Colour, Column, JOB, Kind, Panel, Row, trust};

pub(super) fn board() -> Board {
    Board {
        uid: "onus-operations",
        title: "Onus: operations",
        words: "For whoever keeps Onus running: whether what it hears is current, whether it keeps up, what it refuses, how soon \
                it tells, whether pages leave, and whether its own counts agree.",
        variables: Vec::new(),
        from: "now-6h",
        rows: vec![
            Row { title: "Can I trust this page?", panels: vec![trust(), clock(), version(), alerts()] },
            Row { title: "Is what we hear current?", panels: vec![sources(), frontiers()] },
            Row { title: "Do we keep up?", panels: vec![lag(), records(), commits()] },
            Row { title: "Is every shard judged?", panels: vec![shards(), leases()] },
            Row { title: "What is refused?", panels: vec![letters(), facts()] },
            Row { title: "How soon do we tell?", panels: vec![delay(), slow()] },
            Row { title: "Do pages leave?", panels: vec![receivers(), sent(), latency()] },
            Row { title: "Does Onus agree with itself?", panels: vec![ledger(), counts(), size()] },
        ],
    }
}

fn clock() -> Panel {
    Panel::new(
        Kind::Lines,
        "Does the clock run?",
        "How far the judge's clock is behind Prometheus's. A line that climbs is a clock that stands still: the loop hangs, the \
         store takes nothing, or the machine's clock has jumped.",
    )
    .size(6, 5)
    .ask(JOB, "time() - min(onus_clock_timestamp_seconds{#})", "behind")
    .ask(JOB, "time() - min(onus_minima_timestamp_seconds{#})", "look through the duties behind")
    .unit("s")
    .steps(Colour::Good, &[(120.0, Colour::Unknown)])
    .runbooks(&["OnusClockHeld"])
}

fn version() -> Panel {
    Panel::new(
        Kind::Table,
        "Which Onus runs, and since when?",
        "Each process that answers: its version, and for how long it has been up. Two lines for more than a moment: two think \
         that they own the shard, and one of them cannot write.",
    )
    .size(5, 5)
    .ask(
        JOB,
        "time() - max by (instance, version) (onus_start_time_seconds{#} * on (instance, job) group_left (version) onus_build_info{#})",
        "Up",
    )
    .unit("s")
    .column(Column::named("Up").unit("s"))
    .nothing("nobody answers")
    .runbooks(&["OnusDown"])
    .sorted("Up", false)
}

fn alerts() -> Panel {
    Panel::new(
        Kind::Stat,
        "What does Onus itself page?",
        "Alerts that Onus has pushed and not resolved, by severity. No answer: no pages are pushed, and the rules are all there is.",
    )
    .size(5, 5)
    .ask(JOB, "sum by (severity) (max by (severity, instance) (onus_alerts_firing{#}))", "{{severity}}")
    .steps(Colour::Plain, &[(1.0, Colour::Bad)])
    .nothing("nothing is pushed")
    .runbooks(&["OnusBreachNotPushed"])
}

fn sources() -> Panel {
    Panel::new(
        Kind::Table,
        "Which source is silent?",
        "Each source: whether it can be read, when it last said something, what it promises, \
         how many of these promises it has missed since, and how far it has been heard. From the third on it is silent. Silence of a source that promises nothing is no alarm, and proves nothing either.",
    )
    .size(14, 9)
    .ask(JOB, "max by (source) (onus_source_up{#})", "Readable")
    .ask(JOB, "max by (source) (onus_source_halted{#})", "Halted")
    .ask(
        JOB,
        "time() - max by (source) (onus_source_last_record_timestamp_seconds{#})",
        "Last record",
    )
    .ask(JOB, "max by (source) (onus_source_expected_interval_seconds{#})", "Promises")
    .ask(
        JOB,
        "(time() - (max by (source) (onus_source_last_record_timestamp_seconds{#})\n  \
         or on (source) max by (source) (onus_source_expected_interval_seconds{#} * 0\n    \
         + on (job, instance) group_left () onus_start_time_seconds{#})))\n\
         / on (source) max by (source) (onus_source_expected_interval_seconds{#})",
        "Promises missed",
    )
    .ask(
        JOB,
        "scalar(max(onus_clock_timestamp_seconds{#}))\n- max by (source) (onus_source_frontier_timestamp_seconds{#})",
        "Heard up to",
    )
    .ask(JOB, "max by (source) (onus_source_lag_records{#})", "Lag")
    .column(Column::named("Readable").says(&[
        super::Say::Value(1, "yes", Colour::Good),
        super::Say::Value(0, "no", Colour::Unknown),
    ]))
    .column(Column::named("Halted").says(&[
        super::Say::Value(0, "no", Colour::Plain),
        super::Say::Value(1, "waits for a decision", Colour::Unknown),
    ]))
    .column(Column::named("Last record").unit("s"))
    .column(Column::named("Promises").unit("s"))
    .column(Column::named("Promises missed").steps(Colour::Plain, &[(3.0, Colour::Unknown)]))
    .column(Column::named("Heard up to").unit("s").steps(Colour::Plain, &[(900.0, Colour::Unknown)]))
    .nothing("-")
    .runbooks(&["OnusSourceSilent", "OnusSourceDown", "OnusSourceBehind", "OnusSourceOversteps"])
    .sorted("Promises missed", true)
}

fn frontiers() -> Panel {
    Panel::new(
        Kind::Lines,
        "How far back is each source heard?",
        "How long ago the instant lies up to which everything is believed to have come. Deadlines after it have no verdict.",
    )
    .size(10, 9)
    .ask(
        JOB,
        "scalar(max(onus_clock_timestamp_seconds{#}))\n- max by (source) (onus_source_frontier_timestamp_seconds{#})",
        "{{source}}",
    )
    .unit("s")
    .steps(Colour::Good, &[(900.0, Colour::Unknown)])
    .runbooks(&["OnusSourceBehind"])
}

fn lag() -> Panel {
    Panel::new(
        Kind::Lines,
        "What waits to be read?",
        "Records that are there and have not come, over all partitions of a source. It should return to 0.",
    )
    .size(8, 8)
    .ask(JOB, "max by (source) (onus_source_lag_records{#})", "{{source}}")
    .runbooks(&["OnusLag"])
}

fn records() -> Panel {
    Panel::new(Kind::Stack, "How much comes?", "Records a second, by source, whatever becomes of them.")
        .size(8, 8)
        .ask(JOB, "sum by (source) (rate(onus_source_events_total{#}[$__rate_interval]))", "{{source}}")
        .unit("ops")
}

fn commits() -> Panel {
    Panel::new(
        Kind::Lines,
        "How long does the store take?",
        "Half of the commits took no longer, and 99 of 100. What is not written is not told, so this delays every page.",
    )
    .size(8, 8)
    .ask(
        JOB,
        "histogram_quantile(0.5, sum by (le) (rate(onus_commit_seconds_bucket{#}[$__rate_interval])))",
        "half",
    )
    .ask(
        JOB,
        "histogram_quantile(0.99, sum by (le) (rate(onus_commit_seconds_bucket{#}[$__rate_interval])))",
        "99 of 100",
    )
    .unit("s")
    .nothing("no commit in this time")
    .runbooks(&["OnusStoreNotWritten"])
}

fn shards() -> Panel {
    Panel::new(
        Kind::Lines,
        "Who judges how many shards?",
        "Of judges that share the partitions of the exchange: what each owns, and how many there are. For a moment between two owners the sum \
         is less; longer, and somebody's deadlines are not judged.",
    )
    .size(12, 8)
    .ask(JOB, "max by (instance) (onus_shards_held{#})", "{{instance}}")
    .ask(JOB, "max(onus_pool_shards{#})", "all shards")
    .ask(JOB, "sum(onus_shards_held{#})", "judged")
    .nothing("no judges share here")
    .runbooks(&["OnusShardsUnowned", "OnusExchangeDoubted"])
}

fn leases() -> Panel {
    Panel::new(
        Kind::Lines,
        "Are leases renewed?",
        "How long ago each judge wrote in the database that it is there. Beyond its lease (three seconds, if nobody says otherwise) it pages \
         nobody and shows no figures. All lines climb: the database is away. One does: that judge is cut off.",
    )
    .size(12, 8)
    .ask(JOB, "max by (instance) (onus_lease_age_seconds{#})", "{{instance}}")
    .unit("s")
    .steps(Colour::Good, &[(30.0, Colour::Unknown)])
    .nothing("no judges share here")
    .runbooks(&["OnusLeaseStale"])
}

fn letters() -> Panel {
    Panel::new(
        Kind::Bars,
        "Why could records not be used?",
        "Dead letters since the process began, by reason; `onus dead-letters` lists them, and has them read again once it is mended.",
    )
    .ask(JOB, "sum by (reason) (onus_dead_letters_total{#}) > 0", "{{reason}}")
    .steps(Colour::Warn, &[])
    .nothing("none since the process began, or no answer")
}

fn facts() -> Panel {
    Panel::new(
        Kind::Bars,
        "What became of facts?",
        "Facts of contracted subjects since the shard began. Conflicts: the same event twice, with different words. Late: what was \
         told was judged again. Recalled: news of subjects that had left memory.",
    )
    .ask(JOB, "sum by (result) (max by (result, instance, shard) (onus_facts_total{#}))", "{{result}}")
    .steps(Colour::Plain, &[])
}

fn delay() -> Panel {
    Panel::new(
        Kind::Lines,
        "How long after it could be known is a breach told?",
        "From the deadline, or from the instant at which the last source was heard beyond it, to the commit that says so. Onus \
         promises a minute in 99 of 100 cases.",
    )
    .ask(
        JOB,
        "histogram_quantile(0.5, sum by (le) (rate(onus_detection_delay_seconds_bucket{#}[1d])))",
        "half, of a day",
    )
    .ask(
        JOB,
        "histogram_quantile(0.99, sum by (le) (rate(onus_detection_delay_seconds_bucket{#}[1d])))",
        "99 of 100, of a day",
    )
    .unit("s")
    .steps(Colour::Good, &[(60.0, Colour::Bad)])
    .nothing("no breach was told in a day")
    .runbooks(&["OnusDetectionSlow"])
}

fn slow() -> Panel {
    Panel::new(
        Kind::Stat,
        "How many were told too late?",
        "Breaches of the last day that were told more than a minute after they could be known, and all of them.",
    )
    .size(12, 8)
    .ask(
        JOB,
        "sum(increase(onus_detection_delay_seconds_count{#}[1d]))\n\
         - sum(increase(onus_detection_delay_seconds_bucket{le=~\"60|60[.]0\",#}[1d]))",
        "Too late",
    )
    .ask(JOB, "sum(increase(onus_detection_delay_seconds_count{#}[1d]))", "All")
    .steps(Colour::Plain, &[])
    .column(Column::named("Too late").steps(Colour::Good, &[(0.5, Colour::Warn)]))
    .runbooks(&["OnusDetectionSlow"])
}

fn receivers() -> Panel {
    Panel::new(
        Kind::Table,
        "Which receiver takes nothing?",
        "Each receiver of notices: how many wait, and how long ago it last accepted something. Sent, failed and given up are since \
         the process began.",
    )
    .size(12, 8)
    .ask(JOB, "max by (receiver) (onus_notifications_queue{#})", "Waiting")
    .ask(
        JOB,
        "time() - max by (receiver) (onus_notifications_last_success_timestamp_seconds{#})",
        "Last taken",
    )
    .ask(JOB, "max by (receiver) (onus_notifications_sent_total{#})", "Sent")
    .ask(JOB, "max by (receiver) (onus_notifications_errors_total{#})", "Failed")
    .ask(JOB, "max by (receiver) (onus_notifications_dropped_total{#})", "Given up")
    .column(Column::named("Waiting").steps(Colour::Plain, &[(1.0, Colour::Warn)]))
    .column(Column::named("Last taken").unit("s"))
    .column(Column::named("Given up").steps(Colour::Plain, &[(1.0, Colour::Bad)]))
    .nothing("nothing is pushed")
    .runbooks(&["OnusPushFailing"])
    .sorted("Waiting", true)
}

fn sent() -> Panel {
    Panel::new(
        Kind::Lines,
        "Are notices taken?",
        "Notices a second that a receiver accepted, and sendings that failed. What failed is tried again.",
    )
    .size(6, 8)
    .ask(JOB, "sum by (receiver) (rate(onus_notifications_sent_total{#}[$__rate_interval]))", "{{receiver}} taken")
    .ask(JOB, "sum by (receiver) (rate(onus_notifications_errors_total{#}[$__rate_interval]))", "{{receiver}} failed")
    .unit("ops")
    .nothing("nothing is pushed")
    .runbooks(&["OnusPushFailing"])
}

fn latency() -> Panel {
    Panel::new(
        Kind::Lines,
        "How long does a notice take?",
        "From the commit to the receiver's word, of 99 in 100 notices that were accepted.",
    )
    .size(6, 8)
    .ask(
        JOB,
        "histogram_quantile(0.99, sum by (le, receiver) (rate(onus_notifications_latency_seconds_bucket{#}[$__rate_interval])))",
        "{{receiver}}",
    )
    .unit("s")
    .nothing("nothing is pushed")
    .runbooks(&["OnusPushFailing"])
}

fn ledger() -> Panel {
    Panel::new(
        Kind::Lines,
        "Does the ledger grow?",
        "Entries that the ledger has ever had, and commits. A ledger that shrinks was changed from outside.",
    )
    .size(8, 8)
    .ask(JOB, "sum(onus_ledger_entries{#})", "entries")
    .ask(JOB, "sum(onus_journal_sequence{#})", "commits")
    .runbooks(&["OnusLedgerUnverifiable", "OnusStoreNotWritten"])
}

fn counts() -> Panel {
    Panel::new(
        Kind::Stat,
        "Do the counts agree with the duties?",
        "Recounts that did not agree, series that had to be put together under an overflow partner, and refused requests for \
         another partner's figures, since the process began. All three should be 0.",
    )
    .size(8, 8)
    .ask(JOB, "sum(onus_recounts_wrong_total{#})", "Recounts wrong")
    .ask(JOB, "sum(onus_metrics_truncated_total{#})", "Series cut")
    .ask(JOB, "sum(onus_metrics_denied_total{reason=\"foreign\",#})", "Foreign tokens")
    .steps(Colour::Good, &[(1.0, Colour::Warn)])
    .runbooks(&["OnusCountsWrong", "OnusMetricsTruncated"])
}

fn size() -> Panel {
    Panel::new(
        Kind::Lines,
        "What does Onus keep in memory?",
        "Subjects with open duties, or not settled yet. It grows with what is open and with how late news may come, and not with \
         history.",
    )
    .size(8, 8)
    .ask(JOB, "sum(onus_subjects{#})", "subjects")
}
