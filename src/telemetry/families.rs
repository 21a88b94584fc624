//! Every family of figures, declared once: the page, the reference and the tests take it from here.

/// What kind of figure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, but for a shard that begins anew under other contracts.
    Counter,
    /// How it is.
    Gauge,
    /// Counts by size.
    Histogram,
    /// Always 1: the labels are what it says.
    Info,
}

/// Of whom a family speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum About {
    /// Of partners: these stand on a partner's own page, too.
    Partners,
    /// Of sources.
    Sources,
    /// Of whom notices are sent to.
    Receivers,
    /// Of this process and its shard.
    Process,
}

/// A label, and what its values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// What stands in it.
    pub words: &'static str,
}

/// One family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Family {
    /// Its name, with `_total` where it is a counter.
    pub name: &'static str,
    /// Of which kind.
    pub kind: Kind,
    /// Of whom it speaks.
    pub about: About,
    /// Its labels, in the order in which they stand.
    pub labels: &'static [Label],
    /// One sentence, for whoever reads the page.
    pub help: &'static str,
    /// Exactly what is counted, for the reference.
    pub words: &'static str,
}

const fn label(name: &'static str, words: &'static str) -> Label {
    Label { name, words }
}

const PARTNER: Label = label("partner", "the partner's name, as contracts have it; `_other` beyond the bound (below)");
const OBLIGATION: Label = label("obligation", "the obligation's id in its contract");
const CONTROL: Label = label("control", "the control that it is about, or `none`; `_other` beyond the bound");
const UNENDED: Label = label("standing", "`open`, `paused`, `unknown`, `breached`, `waived`, `exempt`");
const ENDED: Label = label("standing", "`met`, `met-late`, `breached`, `waived`, `cancelled`, `exempt`");
const WINDOW: Label = label("window", "`current` or `previous`");
const VERDICT: Label = label("verdict", "`met` or `breached`");
const SIDE: Label = label("side", "`partner` or `customer`");
const SOURCE: Label = label("source", "the source's name in the settings");
const RECEIVER: Label = label("receiver", "the receiver's name in the settings");

const SHARD: Label = label("shard", "of a judge that shares the exchange's partitions: which; else it is not there");

const OF: &[Label] = &[PARTNER, OBLIGATION];

macro_rules! families {
    ($($(#[$doc:meta])* $id:ident: $name:literal, $kind:ident, $about:ident, $labels:expr, $help:literal, $words:literal;)*) => {
        $($(#[$doc])* pub static $id: Family = Family {
            name: $name, kind: Kind::$kind, about: About::$about, labels: $labels, help: $help, words: $words,
        };)*
        /// All, in the order of the page.
        pub static FAMILIES: &[&Family] = &[$(&$id),*];
    };
}

families! {
    /// See its words.
    PARTNER_INFO: "onus_partner_info", Info, Partners,
        &[PARTNER, label("customer", "the accountable side, as the contract has it")],
        "Always 1: partners, and for whom they work.",
        "One series for each customer of each partner that a contract names outright or that was seen.";
    /// See its words.
    OBLIGATION_INFO: "onus_obligation_info", Info, Partners,
        &[
            PARTNER,
            OBLIGATION,
            label("contract", "the contract's name"),
            label("clause", "where it is written"),
            CONTROL,
            label("obligor", "who owes it: a side, or a role of it"),
            label("severity", "`note`, `ticket` or `page`"),
        ],
        "Always 1: obligations, and what contracts say of them.",
        "By the newest version of the contract that has come into force, else by the first. Join with \
         `* on (partner, obligation) group_left (clause, control, obligor, severity)`.";
    /// See its words.
    DUTIES: "onus_duties", Gauge, Partners, &[PARTNER, OBLIGATION, UNENDED],
        "Duties that have not ended, by how they stand.",
        "A duty stands in one series, by its standing told last. `breached`: past its deadline and not done. `unknown`: past \
         its deadline, but a feed that could tell is silent; a finding of which that is so, too. `waived` and `exempt`: as long \
         as it has not ended. What has ended is in `onus_verdicts`; findings end at once.";
    /// See its words.
    DUTIES_AT_RISK: "onus_duties_at_risk", Gauge, Partners, OF,
        "Open duties of whose limit little is left.",
        "Of `onus_duties{standing=\"open\"}` those whose warning instant has passed: the first rung of the obligation's ladder \
         that lies before the breach (`at: 80%`, `at: 2h before`), else when 80 % of the limit that binds is used, in time that \
         counts. As of `onus_minima_timestamp_seconds`.";
    /// See its words.
    DUTIES_DISPUTED: "onus_duties_disputed", Gauge, Partners, OF,
        "Duties of whose act one source says that it was done, another only that it failed.",
        "Open or ended, by what was told last; it changes no verdict. Of acts whose failure has an event of its own: \
         `credential.rotated`, `change.executed`.";
    /// See its words.
    VERDICTS: "onus_verdicts", Gauge, Partners, &[PARTNER, OBLIGATION, ENDED],
        "Duties that have ended, by how they stand now.",
        "The net since the shard began: what was reopened or withdrawn is taken off again. `breached`: cancelled after its \
         deadline, or a finding that stands. `waived`: its breach is covered by a waiver. With `onus_duties` it adds up to every \
         duty ever told and not withdrawn; these are the counts of `onus check`.";
    /// See its words.
    DUTIES_ENDED: "onus_duties_ended_total", Counter, Partners, &[PARTNER, OBLIGATION, ENDED],
        "How often it was told that a duty had ended so.",
        "History: a duty that is reopened and ends again counts twice, and nothing is taken off. Rests on the journal and goes \
         on after a restart. Alert on gauges, not on its rate: a first-ever breach is no increase that Prometheus can see.";
    /// See its words.
    BREACHES: "onus_breaches_total", Counter, Partners, OF,
        "Breaches that were told, whatever became of them.",
        "Each time a deadline or a rule was found broken for certain: duties and findings, waived ones too. Less \
         `onus_breaches_withdrawn_total` it is the `breached` of `onus check`.";
    /// See its words.
    BREACHES_WITHDRAWN: "onus_breaches_withdrawn_total", Counter, Partners, OF,
        "Breaches that were told and then taken back by later news.",
        "The duty was done in time, or no longer follows from the facts, or it is unknown again.";
    /// See its words.
    FINDINGS_OPEN: "onus_findings_open", Gauge, Partners, OF,
        "Findings that stand: rules that were broken at an instant.",
        "Of obligations with `requires` only: told, neither waived nor withdrawn nor unknown. A finding does not end; it stands \
         until later news or a waiver takes it off.";
    /// See its words.
    ACTIONS: "onus_actions_total", Counter, Partners,
        &[
            PARTNER,
            OBLIGATION,
            CONTROL,
            label("attributed", "`true`: somebody answers for it; `false`: nobody that is known"),
        ],
        "Acts that were judged by whether somebody answers for them.",
        "Of obligations whose `requires` asks who: that the act names its `actor`, or that an `approved`, `requested` or \
         `...-requested` came before it. `true`: it was told `met`; `false`: it was told broken, waived or not. History, like \
         `onus_duties_ended_total`: an act of which later news says otherwise counts once in each. An act that two obligations \
         ask about counts for each: choose one by `obligation`. Acts about which no obligation asks are not counted at all.";
    /// See its words.
    COMPLIANCE_RATIO: "onus_compliance_ratio", Gauge, Partners, &[PARTNER, OBLIGATION, WINDOW],
        "Share of the window's verdicts that were met in time.",
        "met / (met + breached) of `onus_window_verdicts`; absent where there is no verdict. 1 is not shown of nothing.";
    /// See its words.
    WINDOW_VERDICTS: "onus_window_verdicts", Gauge, Partners, &[PARTNER, OBLIGATION, WINDOW, VERDICT],
        "Verdicts of the window: duties met in time, and breaches.",
        "A duty met in time counts at the instant of its end; a breach at its deadline, done late or not done, excused or not. \
         Waived, cancelled, exempt, unknown and withdrawn ones count nowhere. Windows are those of the obligation's target \
         where that is by month, quarter, half-year or year, else calendar months, in the contract's zone, by the judge's clock.";
    /// See its words.
    TARGET_RATIO: "onus_target_ratio", Gauge, Partners, OF,
        "Share that the contract asks to be met in time.",
        "The `at-least` of the obligation's `target`; absent where there is none, or one by averages.";
    /// See its words.
    ALLOWANCE_REMAINING: "onus_allowance_remaining", Gauge, Partners, OF,
        "Further breaches that the current window has room for.",
        "floor(met / target) - (met + breached): so many more breaches, and nothing else, and the target is still reached. \
         Negative: missed as things stand. Absent without a target, or where the target is by week, by day or by averages.";
    /// See its words.
    WINDOW_END: "onus_window_end_timestamp_seconds", Gauge, Partners, OF,
        "When the current window ends.",
        "The first instant after it.";
    /// See its words.
    NEXT_DEADLINE: "onus_next_deadline_timestamp_seconds", Gauge, Partners, OF,
        "Earliest deadline of a duty that is open.",
        "Of duties that are `open`, or `unknown` until the deadline is believed to be missed. Less `time()` it is what is left. \
         Absent where none is open. As of `onus_minima_timestamp_seconds`.";
    /// See its words.
    OLDEST_BREACH: "onus_oldest_breach_timestamp_seconds", Gauge, Partners, OF,
        "Since when the oldest breach stands that has not ended.",
        "Its deadline, of duties that are `breached` and not done. Absent where there is none. As of \
         `onus_minima_timestamp_seconds`.";
    /// See its words.
    HOLDER_DUTIES: "onus_holder_duties", Gauge, Partners, &[PARTNER, SIDE],
        "Duties that have not ended, by the side that must act next.",
        "Open, breached and unknown ones: the obligor's side. Paused ones: the other side. Waived and exempt ones: the customer, \
         who holds the risk. As of `onus_minima_timestamp_seconds`.";
    /// See its words.
    WAIVERS_ACTIVE: "onus_waivers_active", Gauge, Partners, &[PARTNER],
        "Approved deviations in force.",
        "Written into its contracts, approved for the partner as a whole, or for subjects with duties that have not ended; a \
         waiver of several subjects counts once by its name. As of `onus_minima_timestamp_seconds`.";
    /// See its words.
    CREDENTIALS: "onus_credentials", Gauge, Partners,
        &[
            PARTNER,
            label("kind", "the kind of subject, as contracts have it: `credential`, `grant`, ..."),
            label("state", "`live`, `waived`, `paused`, `open`, `at-risk`, `unknown`, `breached`"),
        ],
        "Credentials and the like, as far as contracts ask after them, by how their duties stand.",
        "Each subject stands in one series: by the worst of the duties about it that have not ended, which is the last of these \
         words that fits. `live`: no duty about it is open, and it lives. Kinds are `credential` and `grant` where an obligation \
         is about one, and every kind of which a contract says `per: KIND` or `{every: KIND}`, but tickets, changes, incidents, \
         evidence, drills and findings. **No inventory**: `live` is known only of kinds that some contract names by \
         `{every: KIND}`, and of the others only those are counted about which a duty is open. One that was turned off lives. \
         As of `onus_minima_timestamp_seconds`.";
    /// See its words.
    PARTNER_BLIND: "onus_partner_blind", Gauge, Partners, &[PARTNER],
        "1: a source on which its duties rest has stopped.",
        "A source that may tell of an act, pause or requirement of one of its obligations is halted, cannot be read, or promised \
         a heartbeat and missed three. What such a source would tell is unknown: no green is to be believed.";
    /// See its words.
    SOURCE_EVENTS: "onus_source_events_total", Counter, Sources,
        &[SOURCE, label("result", "`taken`, `idle` (no contract names its type), `unbound` (nor its partner), `refused`, `skipped`")],
        "Records that came, by what became of them.",
        "Since the process began. `refused` are dead letters, `skipped` tell nothing, as it should be. Repeats are `taken`: they change nothing.";
    /// See its words.
    SOURCE_SKIPPED: "onus_source_skipped_total", Counter, Sources,
        &[SOURCE, label("reason", "the word that `onus adapt` says: `tombstone`, `deleted-row`, `duplicate`, `not-relevant`, ... \
            (docs/sources)")],
        "Records that tell nothing, as it should be, by why.",
        "Since the process began: those that `onus_source_events_total` counts as `skipped`, passed over as they were unwrapped or \
         by their adapter. A reason is there once there was one.";
    /// See its words.
    SOURCE_VIOLATIONS: "onus_source_violations_total", Counter, Sources,
        &[SOURCE, label("kind", "`unauthorised`: it may not say that, in which case it is a dead letter; `catalogue`: it names another \
            partner than the catalogue, which is judged as it says")],
        "Events that a source is not bound to say, or that contradict the catalogue.",
        "Since the process began. What a source may say is `partners` and `types` in its settings. Each is in the dead letters or \
         the log.";
    /// See its words.
    SOURCE_LAST_VIOLATION: "onus_source_last_violation_timestamp_seconds", Gauge, Sources, &[SOURCE],
        "When the latest event came that the source may not say.",
        "It is there once there was one since the process began.";
    /// See its words.
    SOURCE_UP: "onus_source_up", Gauge, Sources, &[SOURCE],
        "1: the source can be read, or has come to its end.",
        "0 while it cannot be reached, and while it is halted.";
    /// See its words.
    SOURCE_HALTED: "onus_source_halted", Gauge, Sources, &[SOURCE],
        "1: the source waits for somebody's decision.",
        "Until `onus sources resume`.";
    /// See its words.
    SOURCE_LAG: "onus_source_lag_records", Gauge, Sources, &[SOURCE],
        "Records there that have not come.",
        "Over all partitions, when it was last asked.";
    /// See its words.
    SOURCE_WAITING: "onus_source_waiting_records", Gauge, Sources, &[SOURCE],
        "Records that were read and wait for their turn.",
        "Of each partition some pieces wait; beyond that it is not read, and `onus_source_lag_records` counts what is there.";
    /// See its words.
    SOURCE_QUOTA_HELD: "onus_source_quota_held_seconds_total", Counter, Sources, &[SOURCE],
        "How long records at hand waited for the source's quota.",
        "Since the process began. Absent where it has none.";
    /// See its words.
    SOURCE_QUOTA_TURNED: "onus_source_quota_turned_away_total", Counter, Sources, &[SOURCE],
        "Requests that were answered with 429 because of the source's quota.",
        "Since the process began. Absent where it has none; 0 where nobody pushes.";
    /// See its words.
    SOURCE_LAST_RECORD: "onus_source_last_record_timestamp_seconds", Gauge, Sources, &[SOURCE],
        "When something last came.",
        "A record's arrival, or a tick's time. Absent where nothing came since the process began.";
    /// See its words.
    SOURCE_FRONTIER: "onus_source_frontier_timestamp_seconds", Gauge, Sources, &[SOURCE],
        "Up to when the source has been heard.",
        "The event time up to which everything is believed to have come. Absent where it was not heard at all.";
    /// See its words.
    SOURCE_EXPECTED: "onus_source_expected_interval_seconds", Gauge, Sources, &[SOURCE],
        "How often the source promises to say something.",
        "Its `heartbeat`; absent where it promises none.";
    /// See its words.
    CLOCK: "onus_clock_timestamp_seconds", Gauge, Process, &[SHARD],
        "The judge's now.",
        "As of the last commit; while nothing is committed, of a second ago.";
    /// See its words.
    MINIMA: "onus_minima_timestamp_seconds", Gauge, Process, &[SHARD],
        "As of when duties were last looked through.",
        "The judge's now when the pass began from which at-risk duties, deadlines, oldest breaches, holders and waivers are shown.";
    /// See its words.
    DETECTION_DELAY: "onus_detection_delay_seconds", Histogram, Process, &[],
        "From a deadline to the commit that says that it was missed.",
        "Of duties that were known before their deadline, by this process. Where a feed was behind, from the instant at which it \
         was heard beyond the deadline, by the judge's clock. In OpenMetrics each bucket has the last duty as its exemplar.";
    /// See its words.
    LEDGER_ENTRIES: "onus_ledger_entries", Gauge, Process, &[SHARD],
        "Entries that the ledger ever had.",
        "The number of the last one.";
    /// See its words.
    LEDGER_VERIFIED: "onus_ledger_last_verified_timestamp_seconds", Gauge, Process, &[SHARD],
        "When the ledger was last read from its first entry to its last.",
        "By the wall clock. A minute after the start, then each hour, slowly: a hundred million entries take half an hour. Absent before the first time.";
    /// See its words.
    LEDGER_OK: "onus_ledger_ok", Gauge, Process, &[SHARD],
        "1: every entry of the ledger follows from the one before it. 0: one does not.",
        "As of when it was last read. Absent before the first time. `onus store verify` says more, of everything.";
    /// See its words.
    SENT: "onus_notifications_sent_total", Counter, Receivers, &[RECEIVER],
        "Notices that a receiver accepted.", "Since the process began.";
    /// See its words.
    ERRORS: "onus_notifications_errors_total", Counter, Receivers, &[RECEIVER],
        "Sendings that failed.", "Since the process began; what failed is tried again.";
    /// See its words.
    DROPPED: "onus_notifications_dropped_total", Counter, Receivers, &[RECEIVER],
        "Notices that were given up.", "Since the process began.";
    /// See its words.
    QUEUE: "onus_notifications_queue", Gauge, Receivers, &[RECEIVER],
        "Notices that wait to be sent.", "Decided and written, and not accepted yet.";
    /// See its words.
    HALTED: "onus_notifications_halted", Gauge, Receivers, &[RECEIVER],
        "1: the receiver refuses what it is told.", "Nothing goes on to it until somebody has mended that.";
    /// See its words.
    LAST_SUCCESS: "onus_notifications_last_success_timestamp_seconds", Gauge, Receivers, &[RECEIVER],
        "When a receiver last accepted something.", "Absent where it accepted nothing since the process began.";
    /// See its words.
    LATENCY: "onus_notifications_latency_seconds", Histogram, Receivers, &[RECEIVER],
        "From when a notice was read in the ledger to the receiver's word.", "Of notices that were accepted and were news.";
    /// See its words.
    ALERTS_FIRING: "onus_alerts_firing", Gauge, Receivers, &[label("severity", "`note`, `ticket` or `page`")],
        "Alerts that are believed to fire.", "Sent, and not resolved. Absent where no pages are pushed.";
    /// See its words.
    BUILD_INFO: "onus_build_info", Info, Process, &[label("version", "of this program")],
        "Always 1: which Onus this is.", "The version of the program.";
    /// See its words.
    START_TIME: "onus_start_time_seconds", Gauge, Process, &[],
        "When the process began.", "By the wall clock.";
    /// See its words.
    COMMIT_SECONDS: "onus_commit_seconds", Histogram, Process, &[],
        "How long commits took.", "Of this process, in the store alone.";
    /// See its words.
    EXCHANGE_EVENTS: "onus_exchange_written_events_total", Counter, Process, &[],
        "Events that the exchange has from this intake.",
        "Of an intake alone. Since it began; what it wrote a second time after a crash of the one before it counts again.";
    /// See its words.
    EXCHANGE_WAITING: "onus_exchange_waiting_events", Gauge, Process, &[],
        "Events that are kept in the store until the brokers have them.",
        "Of an intake alone. It reads no further meanwhile, so this is one batch at most; one that stays means that the brokers \
         take nothing.";
    /// See its words.
    EXCHANGE_LAST: "onus_exchange_last_write_timestamp_seconds", Gauge, Process, &[],
        "When the brokers last took events of this intake.",
        "Of an intake alone. No series: nothing was written yet.";
    /// See its words.
    COMMITS: "onus_commits_total", Counter, Process, &[],
        "Commits to the store.", "Since the process began.";
    /// See its words.
    UNOWNED: "onus_unowned_subjects", Gauge, Process, &[],
        "Subjects whose events name no partner, and that no scope and no catalogue has given to one.",
        "Their events wait, and no duty begins. The customer's risk owner answers for them until a contract's `scope` or the \
         catalogue says whose they are.";
    /// See its words.
    MOVED: "onus_moved_subjects", Gauge, Process, &[],
        "Subjects of which a later event fits another partner's contract.",
        "They stay where they were placed first, with their clocks. Since the journal began.";
    /// See its words.
    DEAD_LETTERS: "onus_dead_letters_total", Counter, Process, &[label("reason", "as `onus dead-letters` has it")],
        "Records that could not be used, by reason.", "Since the process began.";
    /// See its words.
    FACTS: "onus_facts_total", Counter, Process,
        &[SHARD, label("result", "`placed`, `repeat`, `conflict`, `late` (judged again), `recalled` (from the archive)")],
        "Facts of contracted subjects, by what became of them.",
        "Since the shard began; goes on after a restart. Those that are late or recalled are among those placed.";
    /// See its words.
    JOURNAL_SEQUENCE: "onus_journal_sequence", Gauge, Process, &[SHARD],
        "Sequence of the last commit.", "Since the shard began.";
    /// See its words.
    SUBJECTS: "onus_subjects", Gauge, Process, &[SHARD],
        "Subjects in memory.", "With open duties, or not settled yet.";
    /// See its words.
    RECOUNTS_WRONG: "onus_recounts_wrong_total", Counter, Process, &[],
        "Recounts that did not agree with the counts.",
        "Every hour the duties in memory are counted anew. Any increase is a defect of Onus: the log says where they differ, and \
         the counts stay as they are.";
    /// See its words.
    RECOUNT_TIME: "onus_recount_timestamp_seconds", Gauge, Process, &[SHARD],
        "When counts were last held against the duties in memory.", "By the judge's clock. Absent before the first time.";
    /// See its words.
    SHARDS_ALL: "onus_pool_shards", Gauge, Process, &[],
        "Shards that judges share.",
        "Partitions of the exchange; each of the judges says the same number. Where `onus_shards_held` of all of them does not come to it, \
         something is not judged.";
    /// See its words.
    SHARDS_HELD: "onus_shards_held", Gauge, Process, &[],
        "Shards that this process owns.",
        "Of a judge that shares the exchange's partitions: those that it judges, may speak for, and shows figures of. Added up over all \
         judges it is the number of partitions; less: some are between two owners.";
    /// See its words.
    SHARDS_TAKEN: "onus_shards_taken_total", Counter, Process, &[],
        "Shards that this process took.",
        "Since the process began: at its start, when another one gave them up or was gone, and anew after a failure.";
    /// See its words.
    LEASE_AGE: "onus_lease_age_seconds", Gauge, Process, &[],
        "How long ago this process's leases were renewed.",
        "Each third of `[run] lease`. Beyond the lease it tells nothing and shows no figures of its shards, for another one may own them, until \
         it is renewed. Absent before the first time.";
    /// See its words.
    DENIED: "onus_metrics_denied_total", Counter, Process,
        &[label("reason", "`missing`, `unknown`, `expired`, `foreign` (another partner's token), `nobody` (no such partner)")],
        "Requests for figures that were refused.",
        "Of `/partners/PARTNER/metrics`, and of `/metrics` where it wants a token. Whoever asked was told nothing but 404.";
    /// See its words.
    TRUNCATED: "onus_metrics_truncated_total", Counter, Process, &[label("family", "the family's name")],
        "Series that went into `_other` for want of room.",
        "Added up over all pages made. The family is there at 0.";
    /// See its words.
    PROCESS_CPU: "process_cpu_seconds_total", Counter, Process, &[],
        "User and system time of the process, in seconds.", "As the system counts it; like the five that follow, on Linux.";
    /// See its words.
    PROCESS_OPEN_FDS: "process_open_fds", Gauge, Process, &[],
        "Open files of the process.", "Sockets among them.";
    /// See its words.
    PROCESS_MAX_FDS: "process_max_fds", Gauge, Process, &[],
        "Files that the process may have open.", "The soft limit.";
    /// See its words.
    PROCESS_VIRTUAL_MEMORY: "process_virtual_memory_bytes", Gauge, Process, &[],
        "Address space of the process, in bytes.", "Much of it is never touched.";
    /// See its words.
    PROCESS_RESIDENT_MEMORY: "process_resident_memory_bytes", Gauge, Process, &[],
        "Memory of the process, in bytes.", "What is in memory now.";
    /// See its words.
    PROCESS_THREADS: "process_threads", Gauge, Process, &[],
        "Threads of the process.", "Those of the Kafka client among them.";
}
