//! Files and YAML; several files.

use super::{Example, Explanation};

pub(crate) const UNREADABLE: Explanation = Explanation {
    name: "unreadable",
    remedy: "Check the path and who may read it.",
    why: "A contract that is named and not read would leave its duties unjudged, and nobody would notice. So nothing is \
          judged until it can be read.",
    example: Example::Around { broken: "onus lint contracts/acme.yml", mended: "onus lint contracts/acme.yaml" },
};

pub(crate) const NOT_UTF8: Explanation = Explanation {
    name: "not-utf8",
    remedy: "Save the file as UTF-8; the place is the first byte that is not.",
    why: "In any other encoding the same bytes are different letters to different readers, and a name that was changed \
          on the way matches nothing.",
    example: Example::Around {
        broken: "customer: Banco Espa\\xf1ol      (ISO 8859-1)",
        mended: "customer: Banco Español         (UTF-8)",
    },
};

pub(crate) const TOO_LARGE: Explanation = Explanation {
    name: "too-large",
    remedy: "Split the contract.",
    why: "A contract is read by people. Over 1 MiB it is more likely an export or a mistake, and reading it could cost \
          any amount of memory.",
    example: Example::Around {
        broken: "everything.yaml (3 MiB)",
        mended: "access.yaml, rotation.yaml, incidents.yaml",
    },
};

pub(crate) const CONTROL_CHARACTER: Explanation = Explanation {
    name: "control-character",
    remedy: "Remove the character at the place shown.",
    why: "It is not seen by whoever reviews the contract, and can hide text from them, show it in another order (U+202E), \
          make two texts that look alike two (U+200B), or end one early in another tool. So neither a key, a text nor a \
          comment has control characters, marks of direction, joiners or others without width, as themselves or as an \
          escape.",
    example: Example::Contract {
        broken: "- {id: ack, clause: \"4.1\", says: \"Within \\u202E an hour\", when: ticket.opened, do: ticket.acknowledged, within: 1h}",
        mended: "- {id: ack, clause: \"4.1\", says: \"Within an hour\", when: ticket.opened, do: ticket.acknowledged, within: 1h}",
    },
};

pub(crate) const SYNTAX: Explanation = Explanation {
    name: "syntax",
    remedy: "Mend the YAML at the place shown. Nothing after it has been looked at.",
    why: "The file cannot be taken apart into keys and values. Often a bracket is not closed, a text with a colon wants \
          quotes, or a line is not under the one it belongs to.",
    example: Example::Contract {
        broken: "- {id: ack, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: {P1: 1h}",
        mended: "- {id: ack, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: {P1: 1h}}",
    },
};

pub(crate) const DUPLICATE_KEY: Explanation = Explanation {
    name: "duplicate-key",
    remedy: "Keep one of them.",
    why: "Some readers of YAML take the first, some the last. What is owed must not depend on who reads it.",
    example: Example::Contract {
        broken: "- id: restore\n  clause: \"4.2\"\n  when: ticket.opened\n  do: ticket.resolved\n  within: 4h\n  within: 8h",
        mended: "- id: restore\n  clause: \"4.2\"\n  when: ticket.opened\n  do: ticket.resolved\n  within: 8h",
    },
};

pub(crate) const ALIAS: Explanation = Explanation {
    name: "alias",
    remedy: "Write it out, or use `defaults` or `values`. A text that begins with `*` or `&` wants quotes.",
    why: "With anchors and aliases a clause means what is written somewhere else, and a small file can unfold into a \
          huge one. The language has visible ways to say a thing once.",
    example: Example::Contract {
        broken: "values: {restore: &limit 8h}\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: *limit}",
        mended: "values: {restore: 8h}\nobligations:\n  - {id: restore, clause: \"4.2\", when: ticket.opened, do: ticket.resolved, within: $restore}",
    },
};

pub(crate) const MERGE_KEY: Explanation = Explanation {
    name: "merge-key",
    remedy: "Use `defaults` or `values`.",
    why: "Merge keys left YAML with version 1.2: some readers merge, others see a key named `<<`.",
    example: Example::Contract {
        broken: "- <<: {trust: system}\n  id: restore\n  clause: \"4.2\"\n  when: ticket.opened\n  do: ticket.resolved\n  within: 8h",
        mended: "defaults: {trust: system}\nobligations:\n  - id: restore\n    clause: \"4.2\"\n    when: ticket.opened\n    do: ticket.resolved\n    within: 8h",
    },
};

pub(crate) const TAG: Explanation = Explanation {
    name: "tag",
    remedy: "Leave the tag out; quote what must be text.",
    why: "A tag changes the type of a value by rules that differ from reader to reader.",
    example: Example::Contract {
        broken: "- {id: ack, clause: !!str 4.1, when: ticket.opened, do: ticket.acknowledged, within: 1h}",
        mended: "- {id: ack, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: 1h}",
    },
};

pub(crate) const SECOND_DOCUMENT: Explanation = Explanation {
    name: "second-document",
    remedy: "One contract version a file.",
    why: "A version is reviewed, signed and replaced as a whole; many readers would take the first document and drop \
          the rest without a word.",
    example: Example::Around {
        broken: "acme.yaml:        contract: acme ...\n                  ---\n                  contract: acme ...",
        mended: "acme-2026.yaml:   contract: acme ...\nacme-2027.yaml:   contract: acme ...",
    },
};

pub(crate) const TOO_DEEP: Explanation = Explanation {
    name: "too-deep",
    remedy: "Flatten it; no part of the language nests so deep.",
    why: "Nesting without end is a way to exhaust whoever reads the file.",
    example: Example::Around { broken: "within: [[[[[[ ... 4h ... ]]]]]]", mended: "within: 4h" },
};

pub(crate) const EMPTY_FILE: Explanation = Explanation {
    name: "empty-file",
    remedy: "Write a contract, or remove the file.",
    why: "A file without a contract judges nothing. If it was meant to, that should be known before the month's report.",
    example: Example::Around { broken: "# acme.yaml: to be written", mended: "contract: acme ..." },
};

pub(crate) const KEY_NOT_TEXT: Explanation = Explanation {
    name: "key-not-text",
    remedy: "Keys are text, and not empty.",
    why: "YAML lets a list or a map be a key. Nothing in the language is said so, and most tools cannot show it.",
    example: Example::Contract {
        broken: "- {id: ack, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: {[P1, P2]: 1h, P3: 4h}}",
        mended: "- {id: ack, clause: \"4.1\", when: ticket.opened, do: ticket.acknowledged, within: {P1: 1h, P2: 1h, P3: 4h}}",
    },
};

pub(crate) const TOO_MANY: Explanation = Explanation {
    name: "too-many",
    remedy: "Mend those that are shown and look again.",
    why: "Nobody reads on after some hundreds, and a file of noise must not take minutes to refuse.",
    example: Example::Around { broken: "500 problems, then 12 more", mended: "those 12, once the 500 are mended" },
};

pub(crate) const MORE_WARNINGS: Explanation = Explanation {
    name: "more-warnings",
    remedy: "Mend those that are shown and look again, or leave a kind out with `--allow`.",
    why: "Nobody reads on after some hundreds. The rest are counted.",
    example: Example::Around { broken: "500 warnings, then 12 more", mended: "onus lint --allow W102 contracts/" },
};

pub(crate) const DUPLICATE_VERSION: Explanation = Explanation {
    name: "duplicate-version",
    remedy: "Give the version an `effective` of its own, or the contract another name.",
    why: "Two files say what holds from one instant on. Which of them was agreed cannot be told from the files.",
    example: Example::Around {
        broken: "acme.yaml:        contract: acme   effective: 2026-01-01T00:00:00Z\nacme-new.yaml:    contract: acme   effective: 2026-01-01T00:00:00Z",
        mended: "acme.yaml:        contract: acme   effective: 2026-01-01T00:00:00Z\nacme-new.yaml:    contract: acme   effective: 2026-07-01T00:00:00Z",
    },
};

pub(crate) const NO_CONTRACTS: Explanation = Explanation {
    name: "no-contracts",
    remedy: "Contracts end in `.yaml` or `.yml`.",
    why: "A folder without contracts judges nothing; more likely the path is wrong.",
    example: Example::Around { broken: "onus lint contract/", mended: "onus lint contracts/" },
};
