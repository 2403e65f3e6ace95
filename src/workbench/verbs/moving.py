"""The verbs that move a version or put something on record about it, and those that make keys and policy."""

from __future__ import annotations

import argparse
import contextlib
from typing import Any

from workbench.verbs.arguments import add_key, add_person, version

ONE_STEP = {  # verb → what it does
    "submit": "put a version forward for validation",
    "validate": "take a submitted version into validation",
    "approve": "approve a version, with conditions where there are any",
    "reject": "reject a version, with a reason",
    "promote": "make an approved version champion; the one before it retires with the same move",
    "review": "look at a champion's approval anew; it goes on deciding",
    "confirm": "confirm a champion after its review",
    "exempt": "let a version be used without an approval, until a day",
    "retire": "use a version no more",
}


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs to the command line."""
    keygen = commands.add_parser("keygen", help="make a person's private key outside the repository; print the public")
    keygen.add_argument("person", metavar="ID", help="work id, as in params/governance.yaml")
    add_key(keygen)
    keygen.set_defaults(call=_keygen)
    policy = commands.add_parser("policy", help="adopt params/governance.yaml and the rules in force, signed")
    add_person(policy)
    policy.set_defaults(call=_policy)
    for verb, what in ONE_STEP.items():
        _add_move(commands, verb, what)
    _add_on_record(commands)


def _add_move(commands: argparse._SubParsersAction, verb: str, what: str) -> None:
    move = commands.add_parser(verb, help=what)
    move.add_argument("version", type=version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    add_person(move)
    move.add_argument("--reason", default="", metavar="TEXT")
    if verb in ("approve", "confirm"):
        move.add_argument("--condition", action="append", default=[], metavar="TEXT", help="may be given several times")
    if verb == "exempt":
        move.add_argument("--until", default="", metavar="DAY", help="last day, YYYY-MM-DD")
    move.set_defaults(call=_move, verb=verb)


def _add_on_record(commands: argparse._SubParsersAction) -> None:
    """Add the moves that put something on record about a version and leave it where it stands."""
    verbs = {
        "plan": "sign the battery's tests, thresholds and code, before its results count",
        "finding": "put a finding on record: severity, owner, day",
        "close": "close a finding; its test stays, and every later version has to pass it",
        "meet": "put on record that a condition was met",
    }
    made = {verb: commands.add_parser(verb, help=what) for verb, what in verbs.items()}
    for parser in made.values():
        parser.add_argument("version", type=version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
        add_person(parser)
    for verb in ("finding", "close", "meet"):
        made[verb].add_argument("--reason", default="", metavar="TEXT", help="what of it, in words")
    made["finding"].add_argument("--severity", default="", metavar="LEVEL", help="high, medium or low")
    made["finding"].add_argument("--owner", default="", metavar="ID", help="who sees to it")
    made["finding"].add_argument("--due", default="", metavar="DAY", help="YYYY-MM-DD")
    made["finding"].add_argument("--evidence", default="", metavar="PLACE", help="page, figure or notebook cell")
    made["close"].add_argument("--finding", type=int, default=0, metavar="N", help="its number: `workbench findings`")
    made["close"].add_argument("--test", default="", metavar="TEST", help="`calibration_line is green`, `auc >= 0.7`")
    made["meet"].add_argument("--condition", default="", metavar="TEXT", help="the condition, word for word")
    names = {"plan": (), "finding": ("severity", "owner", "due", "evidence"), "close": ("finding", "test")}
    for verb, parser in made.items():
        parser.set_defaults(call=_move, verb=verb, more=names.get(verb, ("condition",)))


def _keygen(args: argparse.Namespace) -> int:
    from workbench.registry import signatures

    public = signatures.generate(args.person, args.key)
    print(f"private key: {args.key or signatures.place(args.person)}, for {args.person} alone")
    print("to params/governance.yaml, below `people`, with the person's own roles:")
    print(f"  {args.person}: {{roles: [developer], key: {public}}}")
    return 0


def _policy(args: argparse.Namespace) -> int:
    from workbench.registry import inventory, moves, policy

    event = moves.adopt(args.person, args.key)
    print(f"policy adopted by {event.person}; head of the chain {event.seq}:{event.digest}")
    for doubt in inventory.doubts(policy.load()):
        print(f"note: {policy.FILE}: {doubt}")
    return 0


def _follow(study: str) -> None:
    """Let the pages of runs that have read the life cycle say that it moved on; a run under way does so at its end."""
    from workbench.params import UserError
    from workbench.registry import current
    from workbench.runs import following

    with contextlib.suppress(UserError), current.holding(study):
        following.pages(study)


def _move(args: argparse.Namespace) -> int:
    from workbench.registry import moves
    from workbench.registry.request import Request
    from workbench.reporting import site

    model, version = args.version
    more: dict[str, Any]
    if args.verb in ("approve", "confirm", "exempt"):
        more = {"conditions": tuple(getattr(args, "condition", ())), "until": getattr(args, "until", "")}
    else:
        more = {"more": {name: value for name in getattr(args, "more", ()) if (value := getattr(args, name))}}
    if args.verb == "plan":
        from workbench.runs import planning

        more["attached"] = planning.plan(model)
    event = moves.make(Request(args.verb, model, version, args.person, getattr(args, "reason", ""), **more), args.key)
    _follow(model.partition(".")[0])
    site.write()
    detail = event.details
    put = event.verb if event.source == event.target else f"{event.source} → {event.target}"
    print(f"{model} version {version}: {put}, by {event.person} ({event.role})")
    if detail.get("deviations"):
        print(f"the battery did otherwise than planned: {'; '.join(detail['deviations'])}")
    if detail.get("missing_approvals"):
        print(f"approvals still missing: {detail['missing_approvals']}")
    if detail.get("replaces"):
        print(f"version {detail['replaces']} retired with this move")
    print(f"head of the chain {event.seq}:{event.digest}")
    return 0
