//! The stable names of what can be wrong, and how much it matters. What each means, at length, is in `explain`.

use super::explain::{Explanation, clocks, files, gaps, mappers, names, sense, several, shape, values};
use serde::{Serialize, Serializer};
use std::fmt;

/// How much a problem matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Level {
    /// The contract cannot be used.
    Error,
    /// The contract can be used, and may say other than what was meant.
    Warning,
}

macro_rules! codes {
    ($($(#[doc = $doc:literal])+ $name:ident = $text:literal: $room:ident::$explanation:ident,)+) => {
        /// What kind of problem it is: `E` an error, `W` a warning. The hundreds group them.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $($(#[doc = $doc])+ $name,)+
        }

        impl Code {
            /// Every code, in order.
            pub const ALL: &[Code] = &[$(Code::$name,)+];

            /// The stable text, `E101`.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Code::$name => $text,)+
                }
            }

            /// What is wrong, in a sentence.
            pub fn what(self) -> &'static str {
                match self {
                    $(Code::$name => concat!($($doc),+).trim_ascii(),)+
                }
            }

            /// Why it is refused or warned of, what to do, and an example.
            pub fn explain(self) -> &'static Explanation {
                match self {
                    $(Code::$name => &$room::$explanation,)+
                }
            }
        }
    };
}

codes! {
    /// The file cannot be read.
    Unreadable = "E001": files::UNREADABLE,
    /// The file is not UTF-8.
    NotUtf8 = "E002": files::NOT_UTF8,
    /// The file is over 1 MiB.
    TooLarge = "E003": files::TOO_LARGE,
    /// A control character, or another that is not seen.
    ControlCharacter = "E004": files::CONTROL_CHARACTER,
    /// Not YAML.
    Syntax = "E005": files::SYNTAX,
    /// One key twice in a map.
    DuplicateKey = "E006": files::DUPLICATE_KEY,
    /// An anchor or an alias.
    Alias = "E007": files::ALIAS,
    /// A merge key.
    MergeKey = "E008": files::MERGE_KEY,
    /// A tag.
    Tag = "E009": files::TAG,
    /// More than one document in a file.
    SecondDocument = "E010": files::SECOND_DOCUMENT,
    /// Nested deeper than 64.
    TooDeep = "E011": files::TOO_DEEP,
    /// Nothing in the file.
    EmptyFile = "E012": files::EMPTY_FILE,
    /// A key that is no text.
    KeyNotText = "E013": files::KEY_NOT_TEXT,
    /// More problems than are shown.
    TooMany = "E014": files::TOO_MANY,
    /// A key that means nothing here.
    UnknownKey = "E101": shape::UNKNOWN_KEY,
    /// A key that must be there.
    MissingKey = "E102": shape::MISSING_KEY,
    /// Text where a map or a list belongs, or the other way round.
    WrongShape = "E103": shape::WRONG_SHAPE,
    /// Plain text that YAML reads as a number or truth value, where that would change it.
    MustQuote = "E104": shape::MUST_QUOTE,
    /// An empty text, list or map.
    Empty = "E105": shape::EMPTY,
    /// Not one of the words possible here.
    UnknownWord = "E107": shape::UNKNOWN_WORD,
    /// A name with characters that names cannot have.
    BadName = "E108": shape::BAD_NAME,
    /// A length or limit that cannot be read, or that is of a kind that cannot stand here.
    BadLength = "E201": values::BAD_LENGTH,
    /// An event type that is neither built in nor declared.
    UnknownEvent = "E202": values::UNKNOWN_EVENT,
    /// No instant with an offset.
    BadInstant = "E203": values::BAD_INSTANT,
    /// A date that cannot be read or does not exist.
    BadDate = "E204": values::BAD_DATE,
    /// No time zone of the IANA table.
    UnknownZone = "E205": values::UNKNOWN_ZONE,
    /// A bad percentage.
    BadPercent = "E206": values::BAD_PERCENT,
    /// A bad time of day, window or weekday.
    BadTime = "E207": values::BAD_TIME,
    /// Neither a side nor a role of one.
    BadParty = "E208": values::BAD_PARTY,
    /// No number.
    BadNumber = "E209": values::BAD_NUMBER,
    /// A test of a field that cannot be read.
    BadTest = "E210": values::BAD_TEST,
    /// No calendar of that name.
    NoCalendar = "E301": names::NO_CALENDAR,
    /// No control of that name.
    NoControl = "E302": names::NO_CONTROL,
    /// No obligation of that id.
    NoObligation = "E303": names::NO_OBLIGATION,
    /// No value of that name.
    NoValue = "E304": names::NO_VALUE,
    /// No holiday set of that name.
    NoHolidays = "E305": names::NO_HOLIDAYS,
    /// No escalation ladder of that name.
    NoLadder = "E306": names::NO_LADDER,
    /// No role of that name, though the contract lists its roles.
    NoRole = "E307": names::NO_ROLE,
    /// One name twice.
    DuplicateName = "E308": names::DUPLICATE_NAME,
    /// Obligations that wait for each other.
    ObligationCycle = "E309": names::OBLIGATION_CYCLE,
    /// Calendars that are made of each other.
    CalendarCycle = "E310": names::CALENDAR_CYCLE,
    /// Business time with no calendar in force.
    NoBusiness = "E311": names::NO_BUSINESS,
    /// None, or more than one, of the three sentences.
    NoSentence = "E401": sense::NO_SENTENCE,
    /// A key that this sentence cannot have.
    WrongSentence = "E402": sense::WRONG_SENTENCE,
    /// Rows that are not as deep as `depends-on` is long.
    TableDepth = "E403": sense::TABLE_DEPTH,
    /// A table without a row for a value of the contract, or for the rest where there must be one.
    NoRow = "E404": sense::NO_ROW,
    /// An end that does not come after its beginning.
    EndsFirst = "E405": sense::ENDS_FIRST,
    /// A calendar without a zone.
    NoZone = "E406": sense::NO_ZONE,
    /// A `should` that is not shorter than its `must`.
    ShouldNotShorter = "E407": sense::SHOULD_NOT_SHORTER,
    /// Date rows out of order.
    DateOrder = "E408": sense::DATE_ORDER,
    /// A waiver that the wrong party grants.
    WaiverParty = "E409": sense::WAIVER_PARTY,
    /// A selector that names no event, or says it in two ways.
    SelectorHead = "E410": sense::SELECTOR_HEAD,
    /// A filter that cannot stand here.
    WrongFilter = "E411": sense::WRONG_FILTER,
    /// A time that its teller would choose.
    OwnTime = "E415": sense::OWN_TIME,
    /// Subjects of several kinds where one is meant.
    KindsDiffer = "E416": sense::KINDS_DIFFER,
    /// A key in a row of a table that can only stand around it.
    KeyInRow = "E417": sense::KEY_IN_ROW,
    /// Holidays that do not agree with the years that their set covers.
    UncoveredHoliday = "E420": sense::UNCOVERED_HOLIDAY,
    /// One version of one contract twice.
    DuplicateVersion = "E501": files::DUPLICATE_VERSION,
    /// A directory without contracts.
    NoContracts = "E502": files::NO_CONTRACTS,
    /// An included file that is not there.
    NoPart = "E503": several::NO_PART,
    /// An included file outside the folders that are read.
    IncludeOutside = "E504": several::INCLUDE_OUTSIDE,
    /// Files that include each other.
    IncludeCycle = "E505": several::INCLUDE_CYCLE,
    /// A key of the contract itself in an included file.
    WrongPart = "E506": several::WRONG_PART,
    /// Versions of one contract that bind other partners, and some in common.
    PartnersDiffer = "E507": several::PARTNERS_DIFFER,
    /// A version that would move what has ended.
    Backdated = "E520": several::BACKDATED,
    /// A mapper that says neither what happened nor how rows stand, or both.
    NoReading = "E601": mappers::NO_READING,
    /// No path in a record.
    BadPath = "E602": mappers::BAD_PATH,
    /// No regular expression.
    BadPattern = "E603": mappers::BAD_PATTERN,
    /// Something of a mapper where it cannot stand.
    Misplaced = "E604": mappers::MISPLACED,
    /// A partner that the record names at will.
    FreePartner = "E605": mappers::FREE_PARTNER,
    /// No state of that name.
    NoState = "E606": mappers::NO_STATE,
    /// A state of which nothing is said at first sight.
    UntoldState = "E607": mappers::UNTOLD_STATE,
    /// An example that shows nothing.
    BadExample = "E608": mappers::BAD_EXAMPLE,
    /// Part of the language, but not supported yet where ignoring it would change a standing.
    Unsupported = "E900": sense::UNSUPPORTED,
    /// More warnings than are shown.
    MoreWarnings = "W001": files::MORE_WARNINGS,
    /// A clock of acknowledging, notifying or revoking that can be paused.
    PausableAnswer = "W101": clocks::PAUSABLE_ANSWER,
    /// A table without a row for the rest.
    NoRest = "W102": clocks::NO_REST,
    /// A table by priority that lacks one.
    NoPriority = "W103": clocks::NO_PRIORITY,
    /// A table by date whose first row begins after the contract does.
    LateFirstRow = "W104": clocks::LATE_FIRST_ROW,
    /// A `should` that may end after its `must`.
    LateShould = "W105": clocks::LATE_SHOULD,
    /// A fixed instant that lies before the contract takes effect.
    PastLimit = "W106": clocks::PAST_LIMIT,
    /// Rungs of a ladder out of order.
    RungOrder = "W107": clocks::RUNG_ORDER,
    /// A limit that leaves no time for the promise it serves.
    ServesTooLate = "W108": clocks::SERVES_TOO_LATE,
    /// A pause that nobody confirms and nothing caps.
    EndlessPause = "W109": clocks::ENDLESS_PAUSE,
    /// A side that may stop its own clock unconfirmed.
    OwnPause = "W110": clocks::OWN_PAUSE,
    /// An incident's notice that is due in business time.
    NoticeInBusinessTime = "W111": clocks::NOTICE_IN_BUSINESS_TIME,
    /// A field that nothing reads, and one letter from a known one.
    MisspeltField = "W112": clocks::MISSPELT_FIELD,
    /// An act that comes once and has come when it is owed.
    ActOfThePast = "W113": clocks::ACT_OF_THE_PAST,
    /// A contract that begins so early that the year is probably wrong.
    WrongYear = "W114": clocks::WRONG_YEAR,
    /// A window that ends at 23:59.
    MinuteToMidnight = "W201": clocks::MINUTE_TO_MIDNIGHT,
    /// Windows of one day that overlap.
    Overlap = "W202": clocks::OVERLAP,
    /// A calendar whose holidays leave out a year of the contract.
    YearRunsOut = "W203": clocks::YEAR_RUNS_OUT,
    /// A calendar without holidays.
    NoHolidaysAtAll = "W204": clocks::NO_HOLIDAYS_AT_ALL,
    /// A name that nothing uses.
    Unused = "W205": clocks::UNUSED,
    /// A window that a change of the clocks swallows.
    SwallowedWindow = "W206": clocks::SWALLOWED_WINDOW,
    /// Names that differ in capital letters only.
    AlikeNames = "W207": clocks::ALIKE_NAMES,
    /// A control that does not say who requests, approves, executes and reviews.
    NoRaci = "W301": gaps::NO_RACI,
    /// A control of high risk, or with `mode: operational`, on which the partner approves its own acts.
    NotApproved = "W302": gaps::NOT_APPROVED,
    /// A control whose risk owner is not a role of the customer.
    NoRiskOwner = "W303": gaps::NO_RISK_OWNER,
    /// A control that no obligation is about.
    NothingOwed = "W304": gaps::NOTHING_OWED,
    /// A control that the partner executes and of which no evidence is owed.
    NoEvidence = "W305": gaps::NO_EVIDENCE,
    /// Rotation without retirement of what was replaced.
    NoRetirement = "W306": gaps::NO_RETIREMENT,
    /// Grants that nothing ends.
    EndlessGrants = "W307": gaps::ENDLESS_GRANTS,
    /// Nothing is owed when a person leaves.
    NoLeavers = "W308": gaps::NO_LEAVERS,
    /// Nothing is owed when the contract ends.
    NoExit = "W309": gaps::NO_EXIT,
    /// No drill.
    NoDrill = "W310": gaps::NO_DRILL,
    /// No review of the risk by its owner in every quarter.
    NoRiskReview = "W311": gaps::NO_RISK_REVIEW,
    /// Nobody of the customer approves deviations.
    NoApprover = "W312": gaps::NO_APPROVER,
    /// Waivers without a longest.
    NoLongest = "W313": gaps::NO_LONGEST,
    /// A waiver that lasts longer than the contract lets one.
    CutWaiver = "W314": gaps::CUT_WAIVER,
    /// A waiver's approver that owes something itself.
    ApproverOwes = "W315": gaps::APPROVER_OWES,
    /// Rotation of which a failure needs nobody's approval and has no duty.
    NoFailurePath = "W316": gaps::NO_FAILURE_PATH,
    /// Nothing is owed of the feeds that the judging rests on.
    NoFeedDuty = "W317": gaps::NO_FEED_DUTY,
    /// More waivers of one obligation than may be renewed.
    TooManyWaivers = "W318": gaps::TOO_MANY_WAIVERS,
    /// Nothing that the customer can force at once.
    NoForcedAct = "W320": gaps::NO_FORCED_ACT,
    /// A level that is an average and no share.
    AverageOnly = "W321": gaps::AVERAGE_ONLY,
    /// Time between two versions in which none is in force.
    VersionGap = "W501": gaps::VERSION_GAP,
    /// A version that ends after the next one takes effect.
    VersionOverlap = "W502": gaps::VERSION_OVERLAP,
    /// A part that no contract of the run includes.
    UnusedPart = "W503": several::UNUSED_PART,
    /// A contract that yields to one that is not there.
    YieldsToNobody = "W504": several::YIELDS_TO_NOBODY,
    /// A scope that cannot say whose an event is.
    ScopeOfMany = "W505": several::SCOPE_OF_MANY,
    /// A version that moves what has ended, on purpose.
    Restated = "W520": several::RESTATED,
    /// Changes of state of which nothing is said.
    UntoldChange = "W601": mappers::UNTOLD_CHANGE,
    /// A mapper without examples.
    NoExamples = "W602": mappers::NO_EXAMPLES,
    /// Approved waivers that may say neither their end nor what they waive.
    OpenWaiver = "W603": mappers::OPEN_WAIVER,
}

impl Code {
    /// Errors stop a contract from being used, warnings do not.
    pub fn level(self) -> Level {
        if self.as_str().starts_with('E') { Level::Error } else { Level::Warning }
    }

    /// The code of that text, in any case.
    pub fn find(text: &str) -> Option<Code> {
        Code::ALL.iter().copied().find(|code| code.as_str().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        assert!(Code::ALL.windows(2).all(|w| w[0].as_str() < w[1].as_str()));
    }

    #[test]
    fn a_code_is_found_however_it_is_typed() {
        assert_eq!(Code::find("e201"), Some(Code::BadLength));
        assert_eq!(Code::find("W1"), None);
    }
}
