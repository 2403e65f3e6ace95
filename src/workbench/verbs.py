"""The command line's verbs of model governance: parse, call, print."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path
from typing import Any

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
    _add_key(keygen)
    keygen.set_defaults(call=_keygen)
    policy = commands.add_parser("policy", help="adopt params/governance.yaml and the rules in force, signed")
    _add_person(policy)
    policy.set_defaults(call=_policy)
    models = commands.add_parser("models", help="the inventory: every version, its state, tier, owner, next review")
    models.add_argument("--json", action="store_true", help="as JSON")
    models.add_argument("--rebuild", action="store_true", help="make tags and aliases from the chain of moves")
    models.set_defaults(call=_models)
    for verb, what in ONE_STEP.items():
        _add_move(commands, verb, what)
    _add_on_record(commands)
    findings = commands.add_parser("findings", help="the register: findings and conditions, owner, day, how closed")
    findings.add_argument("--json", action="store_true", help="as JSON")
    findings.set_defaults(call=_findings)
    history = commands.add_parser("history", help="every move of a model")
    history.add_argument("model", metavar="MODEL", help="study.model, such as taiwan_cards.pd")
    history.set_defaults(call=_history)
    as_of = commands.add_parser("as-of", help="which version was champion on a day, with conditions and thresholds")
    as_of.add_argument("day", metavar="DATE", help="YYYY-MM-DD")
    as_of.add_argument("--json", action="store_true", help="as JSON, with every rule then in force")
    as_of.set_defaults(call=_as_of)
    diff = commands.add_parser("diff", help="what differs between two versions: inputs, points, parameters")
    for name in ("first", "second"):
        diff.add_argument(name, type=_version, metavar="MODEL/VERSION")
    diff.set_defaults(call=_diff)
    _add_proofs(commands)


def _add_proofs(commands: argparse._SubParsersAction) -> None:
    """Add the verbs by which others look at a version: made again, its documents, the audit of them all."""
    reproduce = commands.add_parser(
        "reproduce",
        help="make a version again from its record alone; exit 0 identical or equal, 1 different, 2 lacking",
    )
    reproduce.add_argument("version", type=_version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    reproduce.add_argument("--as", dest="person", default="", metavar="ID", help="sign what it came to, as a validator")
    _add_key(reproduce)
    reproduce.add_argument("--locked", action="store_true", help="install the packages its commit locks, and run there")
    reproduce.add_argument("--json", action="store_true", help="as JSON")
    reproduce.set_defaults(call=_reproduce)
    _add_documents(commands)
    audit = commands.add_parser("audit", help="recompute files, data, metrics, chain, signatures; exit 1 on findings")
    audit.add_argument(
        "--anchor", type=Path, metavar="FILE", help="compare the chain with heads kept there, add this one"
    )
    audit.set_defaults(call=_audit)
    journal = commands.add_parser("journal", help="what a guarded server has journalled; exit 1 if altered")
    journal.add_argument("file", type=Path, metavar="FILE", help="WORKBENCH_JOURNAL of the server: docs/server.md")
    journal.set_defaults(call=_journal)


def _add_documents(commands: argparse._SubParsersAction) -> None:
    adopt = commands.add_parser("adopt", help="take a model made elsewhere into a study, and validate it as ours")
    adopt.add_argument("source", metavar="models:/NAME/VERSION")
    adopt.add_argument("study", type=Path, metavar="STUDY", help="file of the study: params/taiwan_cards.yaml")
    adopt.add_argument("--panel", default="mart__panel", metavar="TABLE", help="panel it predicts")
    adopt.add_argument("--model", default="adopted", metavar="NAME", help="its name within the study")
    adopt.add_argument("--runs-code", default="", metavar="TEXT", help="why a format that runs code is let in")
    adopt.set_defaults(call=_adopt)
    documents = commands.add_parser("documents", help="every document of a version; exit 1 where a claim doesn't hold")
    documents.add_argument("version", type=_version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    documents.add_argument("--lang", choices=("en", "zh_CN"), default="en", help="language of the documents")
    documents.add_argument("--pdf", action="store_true", help="as PDF, too")
    documents.set_defaults(call=_documents)


def _add_move(commands: argparse._SubParsersAction, verb: str, what: str) -> None:
    move = commands.add_parser(verb, help=what)
    move.add_argument("version", type=_version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    _add_person(move)
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
        parser.add_argument("version", type=_version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
        _add_person(parser)
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


def _add_person(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="person", required=True, metavar="ID", help="who signs")
    _add_key(parser)


def _add_key(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--key", type=Path, metavar="FILE", help="private key (default: in the configuration folder)")


def _version(text: str) -> tuple[str, str]:
    model, _, version = text.removeprefix("models:/").rpartition("/")
    if not model or not (version.isascii() and version.isdecimal()):
        raise argparse.ArgumentTypeError(f"'{text[:80]}' names no version; write MODEL/VERSION: taiwan_cards.pd/1")
    return model, str(int(version))


def _keygen(args: argparse.Namespace) -> int:
    from workbench.registry import signatures

    public = signatures.generate(args.person, args.key)
    print(f"private key: {args.key or signatures.place(args.person)}, for {args.person} alone")
    print("to params/governance.yaml, below `people`, with the person's own roles:")
    print(f"  {args.person}: {{roles: [developer], key: {public}}}")
    return 0


def _policy(args: argparse.Namespace) -> int:
    from workbench.registry import moves

    event = moves.adopt(args.person, args.key)
    print(f"policy adopted by {event.person}; head of the chain {event.seq}:{event.digest}")
    return 0


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
    site.write()
    detail = event.details
    put = event.verb if event.source == event.target else f"{event.source} → {event.target}"
    print(f"{model} version {version}: {put}, by {event.person} ({event.role})")
    if detail.get("missing_approvals"):
        print(f"approvals still missing: {detail['missing_approvals']}")
    if detail.get("replaces"):
        print(f"version {detail['replaces']} retired with this move")
    print(f"head of the chain {event.seq}:{event.digest}")
    return 0


def _models(args: argparse.Namespace) -> int:
    from workbench.registry import events, guarded, inventory, labels
    from workbench.runs import progress

    if args.rebuild:
        for d in labels.rebuild(events.read()):
            print(f"{d.model}{f' version {d.version}' if d.version else ''}: {d.words}; put right")
    entries = inventory.listing()
    if args.json:
        print(json.dumps([e.to_json() for e in entries], ensure_ascii=False, indent=1))
        return 0
    out = progress.output()
    out.print(progress.table(inventory.table(entries)) if entries else "no model is registered yet", markup=False)
    out.print(f"head of the chain {events.read().head}; level: {guarded.level()}", markup=False)
    return 0


def _history(args: argparse.Namespace) -> int:
    from workbench.registry import inventory

    for e in inventory.history(args.model):
        each = [
            f"{n}: {v if isinstance(v, str) else json.dumps(v, ensure_ascii=False)}" for n, v in e.details.items() if v
        ]
        moved = e.verb if e.source == e.target else f"{e.source} → {e.target}"
        words = f"  {e.seq}  {e.at}  version {e.version}  {moved}  {e.person} ({e.role})"
        print("; ".join([words, *each]))
    return 0


def _as_of(args: argparse.Namespace) -> int:
    from workbench.registry import inventory

    rows = inventory.as_of(args.day)
    if args.json:
        print(json.dumps(rows, ensure_ascii=False, indent=1))
        return 0
    for row in rows:
        print(
            f"{row['model']} version {row['version']}: {row['state']} since {row['champion_since']}, tier {row['tier']}"
        )
        for condition in row["conditions"]:
            print(f"  condition: {condition}")
        for name, least in row.get("minimum", {}).items():
            print(f"  at least: {name} {least:g}")
    print("" if rows else f"no model had a champion on {args.day}", end="" if rows else "\n")
    return 0


def _diff(args: argparse.Namespace) -> int:
    from workbench.registry import differing
    from workbench.runs import progress

    table = differing.versions(args.first, args.second)
    progress.output().print(progress.table(table) if len(table) else "nothing differs", markup=False)
    return 0


def _reproduce(args: argparse.Namespace) -> int:
    from workbench.registry import moves
    from workbench.registry.request import Request
    from workbench.runs import progress, reproduction

    model, version = args.version
    with progress.console() as lines:
        lines.started(model, f"version {version}")
        watch = partial(lines.cell, model, f"version {version}")
        result = reproduction.of(model, version, watch, locked=args.locked)
    if args.json:
        print(json.dumps(result.to_json(), ensure_ascii=False, indent=1))
    else:
        print("\n".join(result.lines()))
    if args.person:
        more = {"verdict": result.verdict, "commit": result.commit, "arises": result.arises}
        request = Request("reproduce", model, version, args.person, more=more, attached=result.to_json())
        event = moves.make(request, args.key)
        print(f"signed by {event.person} ({event.role}); head of the chain {event.seq}:{event.digest}")
    return 0 if result.is_same else 1


def _findings(args: argparse.Namespace) -> int:
    from workbench.registry import events, obligations
    from workbench.runs import progress

    table = obligations.table(events.read())
    if args.json:
        print(json.dumps(table.to_dict("records"), ensure_ascii=False, indent=1))
        return 0
    progress.output().print(progress.table(table) if len(table) else "nothing is owed, nothing was", markup=False)
    return 0


def _adopt(args: argparse.Namespace) -> int:
    from workbench.runs import adopting

    steps = adopting.add(args.study, args.source, args.panel, args.model, args.runs_code)
    print(f"{args.study}: added {' and '.join(steps)}; `workbench run {args.study}`")
    return 0


def _documents(args: argparse.Namespace) -> int:
    from workbench.reporting import documents, site

    made = documents.write(*args.version, "" if args.lang == "en" else args.lang, as_pdf=args.pdf)
    site.write("" if args.lang == "en" else args.lang)
    for path in made.paths:
        print(path)
    for words in made.findings:
        print(f"finding: {words}")
    for words in made.contradicted:
        print(f"claim: {words}")
    return 1 if made.contradicted else 0


def _audit(args: argparse.Namespace) -> int:
    from workbench.registry import audit

    result = audit.run(args.anchor)
    for finding in result.findings:
        print(f"{finding.place}: {finding.what}")
    count = len(result.findings)
    words = f"{count or 'no'} finding{'' if count == 1 else 's'} in {result.looked_at}"
    print(f"{words}; head of the chain {result.head}; level: {result.level}")
    return 1 if count else 0


def _journal(args: argparse.Namespace) -> int:
    from workbench.params import UserError
    from workbench.registry.guard.journal import Journal

    if not args.file.is_file():
        raise UserError(f"{args.file} is not there; name the file that the server's WORKBENCH_JOURNAL names")
    journal = Journal(args.file)
    entries, faults = journal.entries(), journal.faults()
    for e in entries:
        what = " ".join(f"{n} {v}" for n, v in e.get("what", {}).items() if n != "method" and v)
        who = e.get("user", "") or "nobody"
        print(f"  {e.get('n', '?')}  {e.get('at', '')}  {who}  {what}; {e.get('outcome', '')}")
    for fault in faults:
        print(f"{args.file}: {fault}")
    print(f"{len(entries)} lines, {len(faults) or 'none'} altered or out of order")
    return 1 if faults else 0
