"""The verbs that show what is registered, what was done and what is owed."""

from __future__ import annotations

import argparse
import json

from workbench.verbs.arguments import version


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs to the command line."""
    models = commands.add_parser("models", help="the inventory: every version, its state, tier, owner, next review")
    models.add_argument("--json", action="store_true", help="as JSON")
    models.add_argument("--rebuild", action="store_true", help="make tags and aliases from the chain of moves")
    models.set_defaults(call=_models)
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
    diff.add_argument("first", type=version, metavar="MODEL/VERSION")
    diff.add_argument("second", type=version, metavar="OTHER/VERSION")
    diff.set_defaults(call=_diff)


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


def _findings(args: argparse.Namespace) -> int:
    from workbench.registry import events, obligations
    from workbench.runs import progress

    table = obligations.table(events.read())
    if args.json:
        print(json.dumps(table.to_dict("records"), ensure_ascii=False, indent=1))
        return 0
    progress.output().print(progress.table(table) if len(table) else "nothing is owed, nothing was", markup=False)
    return 0


def _history(args: argparse.Namespace) -> int:
    from workbench.registry import inventory

    moves = inventory.history(args.model)
    if not moves:
        print(f"no move of {args.model} is on record")
    for e in moves:
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
    from workbench.params import UserError
    from workbench.registry import differing
    from workbench.runs import progress

    if args.first == args.second:
        raise UserError(f"diff: {'/'.join(args.first)} is named twice; name two versions")
    table = differing.versions(args.first, args.second)
    progress.output().print(progress.table(table) if len(table) else "nothing differs", markup=False)
    return 0
