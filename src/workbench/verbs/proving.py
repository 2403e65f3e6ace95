"""The verbs that prove: a version made again or taken in, its documents, the audit, a server's journal."""

from __future__ import annotations

import argparse
import json
from functools import partial
from pathlib import Path

from workbench.verbs.arguments import add_key, study_file, version


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs by which others look at a version: made again, its documents, the audit of them all."""
    reproduce = commands.add_parser(
        "reproduce",
        help="make a version again from its record and raw files; exit 0 identical or equal, 1 different, 2 lacking",
    )
    reproduce.add_argument("version", type=version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    reproduce.add_argument("--as", dest="person", default="", metavar="ID", help="sign what it came to, as a validator")
    add_key(reproduce)
    reproduce.add_argument("--locked", action="store_true", help="install the packages its commit locks, and run there")
    reproduce.add_argument(
        "--from-panel", action="store_true", help="begin at the tables it read; intake and panel aren't made again"
    )
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
    adopt.add_argument("study", type=study_file, metavar="STUDY", help="a file, or its name: taiwan_cards")
    adopt.add_argument("--panel", default="mart__panel", metavar="TABLE", help="panel it predicts")
    adopt.add_argument("--model", default="adopted", metavar="NAME", help="its name within the study")
    adopt.add_argument("--runs-code", default="", metavar="TEXT", help="why a format that runs code is let in")
    adopt.set_defaults(call=_adopt)
    documents = commands.add_parser("documents", help="every document of a version; exit 1 where a claim doesn't hold")
    documents.add_argument("version", type=version, metavar="MODEL/VERSION", help="such as taiwan_cards.pd/1")
    documents.add_argument("--lang", choices=("en", "zh_CN"), default="", help="default: that of the study")
    documents.add_argument("--pdf", action="store_true", help="as PDF, too")
    documents.set_defaults(call=_documents)


def _reproduce(args: argparse.Namespace) -> int:
    from workbench.registry import moves, registered
    from workbench.registry.request import Request
    from workbench.runs import progress, reproduction

    model, version = args.version
    registered.one(model, version)  # asked before anything is shown
    if args.person:
        moves.may("reproduce", args.person, args.key)
    with progress.console() as lines:
        lines.started(model, f"version {version}")
        watch = partial(lines.cell, model, f"version {version}")
        result = reproduction.of(model, version, watch, locked=args.locked, from_source=not args.from_panel)
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


def _adopt(args: argparse.Namespace) -> int:
    from workbench.runs import adopting

    steps = adopting.add(args.study, args.source, args.panel, args.model, args.runs_code)
    print(f"{args.study}: added {' and '.join(steps)}; `workbench run {args.study}`")
    return 0


def _documents(args: argparse.Namespace) -> int:
    from workbench.reporting import documents, site

    made = documents.write(*args.version, args.lang, as_pdf=args.pdf)
    site.write(made.folder)
    for path in made.paths:
        print(path)
    for words in made.findings:
        print(f"finding: {words}")
    for words in made.contradicted:
        print(f"claim: {words}")
    return 1 if made.contradicted else 0


def _audit(args: argparse.Namespace) -> int:
    from workbench.registry import audit

    began = args.anchor is not None and not args.anchor.exists()
    result = audit.run(args.anchor)
    for finding in result.findings:
        print(f"{finding.place}: {finding.what}")
    count = len(result.findings)
    words = f"{count or 'no'} finding{'' if count == 1 else 's'} in {result.looked_at}"
    print(f"{words}; head of the chain {result.head}; level: {result.level}")
    if began:
        then = "it begins with this head" if args.anchor.exists() else "it begins once nothing is found"
        print(f"{args.anchor}: there was no anchor to compare with; {then}")
    return 1 if count else 0


def _journal(args: argparse.Namespace) -> int:
    from workbench.params import UserError
    from workbench.registry.guard.journal import Journal

    if args.file.is_dir():
        raise UserError(f"{args.file} is a folder; name the file in it that the server's WORKBENCH_JOURNAL names")
    if not args.file.is_file():
        raise UserError(f"{args.file} is not there; name the file that the server's WORKBENCH_JOURNAL names")
    journal = Journal(args.file)
    entries, faults = journal.entries(), journal.faults()
    if entries and not any({"prev", "digest"} <= e.keys() for e in entries):  # altered ones have both, too
        raise UserError(f"{args.file} is no journal of a server; name the file that its WORKBENCH_JOURNAL names")
    for e in entries:
        what = " ".join(f"{n} {v}" for n, v in e.get("what", {}).items() if n != "method" and v)
        who = e.get("user", "") or "nobody"
        print(f"  {e.get('n', '?')}  {e.get('at', '')}  {who}  {what}; {e.get('outcome', '')}")
    for fault in faults:
        print(f"{args.file}: {fault}")
    print(f"{len(entries)} lines, {len(faults) or 'none'} altered or out of order")
    return 1 if faults else 0
