//! Several files: what is included, and contracts side by side.

use super::{Example, Explanation};

pub(crate) const NO_PART: Explanation = Explanation {
    name: "no-part",
    remedy: "Put the file where it is looked for, or name its folder with `--library`. The hint lists the places.",
    why: "What stands in the file is part of what is owed. Without it the contract would say less than was agreed.",
    example: Example::Around {
        broken: "acme.yaml:   include: holidays/nl        (no file holidays/nl.yaml)",
        mended: "acme.yaml:   include: holidays/nl\nholidays/nl.yaml:   holidays: {nl: {2026-12-25: Christmas Day}}",
    },
};

pub(crate) const INCLUDE_OUTSIDE: Explanation = Explanation {
    name: "include-outside",
    remedy: "Move the file below the folder of the one that includes it, or give its folder with `--library`.",
    why: "Whoever may write a contract must not thereby read any file of the machine: a path with `..`, an absolute \
          one, or a link that leads out of the folder is not followed.",
    example: Example::Around {
        broken: "acme.yaml:   include: ../shared/exit.yaml",
        mended: "acme.yaml:   include: exit.yaml\nonus lint acme.yaml --library ../shared",
    },
};

pub(crate) const INCLUDE_CYCLE: Explanation = Explanation {
    name: "include-cycle",
    remedy: "Take one of the `include`s out. A file that two others share is read once, so each may include it.",
    why: "Files that include each other have no outermost one, and it is the outermost that may give a value anew.",
    example: Example::Around {
        broken: "exit.yaml:    include: terms.yaml\nterms.yaml:   include: exit.yaml",
        mended: "exit.yaml:    include: terms.yaml\nterms.yaml:   (includes nothing)",
    },
};

pub(crate) const WRONG_PART: Explanation = Explanation {
    name: "wrong-part",
    remedy: "Move the key into the contract.",
    why: "Who is bound, from when, to what scope, and who may waive is read in one place: in the contract itself. An \
          included file that said it too would change it where nobody looks.",
    example: Example::Around {
        broken: "terms.yaml:   waivers: {approve: customer.ciso-office, longest: 90 days}",
        mended: "acme.yaml:    include: terms.yaml\n              waivers: {approve: customer.ciso-office, longest: 90 days}",
    },
};

pub(crate) const UNUSED_PART: Explanation = Explanation {
    name: "unused-part",
    remedy: "Include it, or move it out of the folder. If it is meant as a contract it lacks `contract`, `partner`, \
             `customer` and `effective`.",
    why: "A file among the contracts that none of them includes owes nothing: its duties are not judged.",
    example: Example::Around {
        broken: "contracts/acme.yaml:   (includes nothing)\ncontracts/exit.yaml:   obligations: [..]",
        mended: "contracts/acme.yaml:   include: exit.yaml\ncontracts/exit.yaml:   obligations: [..]",
    },
};
