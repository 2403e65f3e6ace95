"""The verbs on people's data: a list with names for who may have them, a person forgotten, and the record of both."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from workbench.verbs.arguments import add_person


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verbs to the command line."""
    forget = commands.add_parser("forget", help="remove a person from all that is kept; exit 1 if found again")
    forget.add_argument("name", metavar="PERSON", help="identifier as the source has it, or pseudonym; - reads a line")
    forget.add_argument(
        "--files", nargs="+", type=Path, default=[], metavar="FILE", help="delivered files to write anew without him"
    )
    forget.add_argument("--reason", required=True, metavar="TEXT", help="who asked, and when")
    add_person(forget)
    forget.set_defaults(call=_forget)
    identify = commands.add_parser("identify", help="a list of a study with the source's identifiers; signed, logged")
    identify.add_argument("study", metavar="STUDY", help="name of the study: sample_customers")
    identify.add_argument("table", metavar="LIST", help="name of the list: save, or mart__list_save")
    identify.add_argument("--purpose", required=True, metavar="TEXT", help="what the names are for")
    identify.add_argument("--out", type=Path, required=True, metavar="FILE", help="CSV outside the workbench's folder")
    identify.add_argument("--period", default="once", metavar="PERIOD", help="2018, 2018-Q1 or 2018-03")
    add_person(identify)
    identify.set_defaults(call=_identify)
    accesses = commands.add_parser("accesses", help="who was given names, what for, and who was forgotten")
    accesses.set_defaults(call=_accesses)


def _forget(args: argparse.Namespace) -> int:
    import sys

    from workbench.reporting import site
    from workbench.runs import forgetting

    person = sys.stdin.readline().strip() if args.name == "-" else args.name.strip()
    done = forgetting.forget(person, args.reason, args.person, args.key, args.files)
    site.write()
    print(f"forgotten: {done.rows:,} rows in {done.files:,} files of {', '.join(done.studies)} made anew")
    print(f"searched again: {done.hits:,} hits in {done.searched:,} files")
    print(f"models that learnt from the person stay: {', '.join(done.models) or 'none did'}")
    for r in done.sources:
        print(f"{r.path.name}: {r.rows:,} rows taken out, {r.before[:12]} became {r.after[:12]}")
    others = "other source files" if done.sources else "source files"
    print(f"{others} are the bank's and were not touched; the intake leaves the person out from now on")
    print(f"head of the chain {done.head}; `workbench run` makes the pages anew")
    return 1 if done.hits else 0


def _identify(args: argparse.Namespace) -> int:
    from workbench.params import Key
    from workbench.runs import identifying

    key = Key(args.study, args.period)
    asked = identifying.Asked(key, args.table, args.purpose, args.person, args.out, args.key)
    given = identifying.write(asked)
    print(f"{args.out}: {given.rows:,} rows, for {args.person} alone; head of the chain {given.head}")
    if given.light == "red":
        print("the page that made this list is red: look at what it says before anybody acts on it", file=sys.stderr)
    return 0


def _accesses(args: argparse.Namespace) -> int:
    from workbench.registry import on_data

    listed = on_data.listing()
    for e in listed:
        facts = "; ".join(f"{n} {v}" for n, v in e.details.items() if n != "table" and v)
        print(f"  {e.seq}  {e.at}  {e.verb}  {e.person} ({e.role})  {facts}")
    print("" if listed else "nobody was given names, nobody was forgotten", end="" if listed else "\n")
    return 0
