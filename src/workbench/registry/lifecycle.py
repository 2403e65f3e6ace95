"""The life of a model version: its states, and the moves between them with who may make each and what it needs.

The table of SR 11-7's successors (SR 26-2, SS1/23 principle 5, EBA/GL/2020/06) in one place: code, audit and
`docs/governance.md` read it here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass

CANDIDATE, SUBMITTED, IN_VALIDATION = "candidate", "submitted", "in validation"
APPROVED, CONDITIONAL, REJECTED = "approved", "approved with conditions", "rejected"
CHAMPION, UNDER_REVIEW, RETIRED, EXCEPTION = "champion", "under review", "retired", "exception use"
IN_USE = (CHAMPION, UNDER_REVIEW)  # a champion under review goes on deciding until another takes its place
READY = (APPROVED, CONDITIONAL)
BARRED = (REJECTED, RETIRED)  # may not be used
EXCEPTION_DAYS = 90
REPRODUCED = ("identical", "equal")  # what making a version again has to come to
ON_DATA = {"identify": "relationship_manager", "forget": "data_protection"}  # done with people's data: who may
ROLES = ("developer", "validator", "approver", "owner", "monitor", *ON_DATA.values())

STATES: Mapping[str, str] = {
    CANDIDATE: "registered by a run, without a person; every version is born so",
    SUBMITTED: "put forward by a developer; the digest over all its files is fixed from here on",
    IN_VALIDATION: "being challenged by a validator who has not developed it",
    APPROVED: "may become champion",
    CONDITIONAL: "may become champion; its conditions are shown wherever it is",
    REJECTED: "may not be used; it may be submitted again",
    CHAMPION: "decides; a model has one or none",
    UNDER_REVIEW: "still decides, while its approval is looked at anew",
    EXCEPTION: f"used without an approval until a day that is set, {EXCEPTION_DAYS} days away at most",
    RETIRED: "used no more; it stays readable",
}
NEEDS: Mapping[str, str] = {
    "listed": "the model stands in `params/governance.yaml` with owner, developers, tier and justification",
    "whole": "the run that registered it and every file it left are as they were",
    "files": "the digest over all its files is the one that was submitted",
    "independent": "the person has neither developed nor submitted it",
    "battery": "the validation battery speaks of this very version, and doesn't refuse it",
    "minimum": "its recorded figures reach what its tier asks",
    "chapters": "`params/chapters/STUDY.MODEL.yaml` has the developer's chapters, and what they claim holds",
    "unchanged": "the developer's chapters say what they said when it was submitted",
    "opinion": "it has the validator's, with an opinion from 1 to 4",
    "conditions": "where the battery refers it, at least one condition",
    "reason": "a reason in words",
    "until": f"the last day, {EXCEPTION_DAYS} days away at most",
    "committed": "a commit holds all the code of the run that registered it",
    "planned": "where its tier asks for a plan: one is signed, and the battery's run began after it",
    "as_planned": "the battery did what a signed plan says, or a reason says why not",
    "reproduced": "where its tier asks for it: somebody else made it again and it came to the same",
    "findings": "no finding of high severity is open on it, and it passes the tests of those that were closed",
    "owed": "who sees to it, and by which day after today",
    "closing": "the finding is open; its test, where one is given, is passed by this version",
    "condition": "the condition is open",
}
SAME = ""  # the target of a move after which a version stands where it stood: something is put on record about it
_ANY = tuple(s for s in STATES if s != RETIRED)


@dataclass(frozen=True)
class Move:
    """A move: its verb on the command line, from which states to which, whose it is, what it needs (of `NEEDS`).

    `roles`: any of them may make it; a monitor is a machine with a key of its own, and may only ask for a review.
    """

    verb: str
    sources: tuple[str, ...]
    target: str
    roles: tuple[str, ...]
    needs: tuple[str, ...]

    def reached(self, conditions: bool, missing_approvals: int, source: str) -> str:
        """Return the state it leads to: approval waits for all its approvers, and is conditional where one sets any."""
        if self.verb != "approve":
            return self.target or source
        return source if missing_approvals else CONDITIONAL if conditions else APPROVED


_PROVEN = ("listed", "whole", "files")
_PLANNED = ("planned", "as_planned")
_SOUND = ("battery", "minimum", "findings")
MOVES: Mapping[str, Move] = {
    m.verb: m
    for m in (
        Move("submit", (CANDIDATE, REJECTED), SUBMITTED, ("developer",), ("listed", "whole", "committed", "chapters")),
        Move("validate", (SUBMITTED,), IN_VALIDATION, ("validator",), (*_PROVEN, "independent")),
        Move(
            "approve",
            (IN_VALIDATION,),
            APPROVED,
            ("approver",),
            (*_PROVEN, "independent", *_SOUND, "unchanged", "opinion", *_PLANNED, "reproduced", "conditions"),
        ),
        Move("reject", (SUBMITTED, IN_VALIDATION), REJECTED, ("approver",), ("independent", "reason")),
        Move("promote", READY, CHAMPION, ("owner",), (*_PROVEN, "independent")),
        Move("review", (CHAMPION,), UNDER_REVIEW, ("validator", "monitor"), ("independent", "reason")),
        Move("confirm", (UNDER_REVIEW,), CHAMPION, ("approver",), (*_PROVEN, "independent", *_SOUND, "conditions")),
        Move(
            "exempt",
            (CANDIDATE, SUBMITTED, IN_VALIDATION, REJECTED),
            EXCEPTION,
            ("approver",),
            (*_PROVEN[:2], "independent", "reason", "until"),
        ),
        Move("retire", _ANY, RETIRED, ("owner",), ("reason",)),
        Move("plan", (SUBMITTED, IN_VALIDATION), SAME, ("validator",), (*_PROVEN, "independent")),
        Move("reproduce", (SUBMITTED, IN_VALIDATION, *READY, *IN_USE), SAME, ("validator",), (*_PROVEN, "independent")),
        Move("finding", _ANY, SAME, ("validator", "approver"), ("independent", "reason", "owed")),
        Move("close", _ANY, SAME, ("validator",), ("independent", "reason", "closing")),
        Move("meet", (CONDITIONAL, *IN_USE), SAME, ("validator",), ("independent", "reason", "condition")),
    )
}


def table() -> str:
    """Return states and moves as the tables that `docs/governance.md` holds (Markdown)."""
    states = [f"| {name} | {meaning} |" for name, meaning in STATES.items()]
    moves = [_row(m) for m in MOVES.values()]
    needs = [f"| {name} | {meaning} |" for name, meaning in NEEDS.items()]
    return "\n".join(
        [
            *("| state | meaning |", "| --- | --- |", *states, ""),
            *("| move | from | to | who | needs |", "| --- | --- | --- | --- | --- |", *moves, ""),
            *("| need | it holds where |", "| --- | --- |", *needs, ""),
        ]
    )


def _row(m: Move) -> str:
    sources = "any but retired" if m.sources == _ANY else ", ".join(m.sources)
    target = f"{APPROVED} or {CONDITIONAL}" if m.verb == "approve" else m.target or "as before"
    return f"| `{m.verb}` | {sources} | {target} | {' or '.join(m.roles)} | {', '.join(m.needs)} |"


if __name__ == "__main__":
    sys.stdout.write(table())
