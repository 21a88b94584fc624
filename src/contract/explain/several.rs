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

pub(crate) const PARTNERS_DIFFER: Explanation = Explanation {
    name: "partners-differ",
    remedy: "Let every version of a contract name the same partners. Terms for one of them alone are a contract with \
             another name; a contract that names a partner wins over a pattern, from its `effective` on.",
    why: "Versions follow each other. Of a partner that both name, and a list that is not the same, nobody can say which \
          version follows which.",
    example: Example::Around {
        broken: "2026.yaml:   contract: berths, partner: \"berth-*\"\n2027.yaml:   contract: berths, partner: [berth-7]",
        mended: "2026.yaml:   contract: berths, partner: \"berth-*\"\n2027.yaml:   contract: berth-7-own, partner: berth-7",
    },
};

pub(crate) const YIELDS_TO_NOBODY: Explanation = Explanation {
    name: "yields-to-nobody",
    remedy: "Check the name, and that the other contract is among those that are read.",
    why: "A tie-break that names a contract that is not there breaks no tie.",
    example: Example::Around {
        broken: "rotation.yaml:   yields-to: contoso-vaults",
        mended: "rotation.yaml:   yields-to: contoso-vault\nvault.yaml:      contract: contoso-vault",
    },
};

pub(crate) const SCOPE_OF_MANY: Explanation = Explanation {
    name: "scope-of-many",
    remedy: "Give each partner a contract with its scope, or let events name their partner.",
    why: "An event that names no partner belongs to the one partner of the contract whose scope it fits. Of a list or a \
          pattern nobody could say which, so this scope places no event.",
    example: Example::Contract {
        broken: "partner: [acme, bolt]\nscope: {assignment-groups: [\"NW *\"]}",
        mended: "partner: acme\nscope: {assignment-groups: [\"NW *\"]}",
    },
};

pub(crate) const BACKDATED: Explanation = Explanation {
    name: "backdated",
    remedy: "Let the change be a new version that takes effect from now on. If the past is to be judged anew, say why: \
             `restates: \"..\"`.",
    why: "Duties that have ended were judged by the text that was in force, and people were told. A text that is changed \
          backwards moves them unseen, so it is refused unless it is meant.",
    example: Example::Around {
        broken: "onus lint acme/ --against agreed/ --as-of 2026-06-01\nagreed/acme.yaml:   effective: 2026-01-01T00:00:00Z, .. within: 4h\nacme/acme.yaml:     effective: 2026-01-01T00:00:00Z, .. within: 8h",
        mended: "agreed/acme.yaml:   effective: 2026-01-01T00:00:00Z, .. within: 4h\nacme/acme.yaml:     (as agreed)\nacme/acme-2.yaml:   effective: 2026-07-01T00:00:00Z, .. within: 8h",
    },
};

pub(crate) const RESTATED: Explanation = Explanation {
    name: "restated",
    remedy: "Nothing, if it is meant. `onus whatif` shows which duties stand otherwise under the new text.",
    why: "The version says with `restates` that it changes the past on purpose. What has ended is judged anew.",
    example: Example::Around {
        broken: "agreed/acme.yaml:   effective: 2026-01-01T00:00:00Z, .. within: 4h\nacme/acme.yaml:     effective: 2026-01-01T00:00:00Z, restates: \"misprint in 4.2\", .. within: 8h",
        mended: "agreed/acme.yaml:   effective: 2026-01-01T00:00:00Z, .. within: 4h\nacme/acme.yaml:     (as agreed)",
    },
};
