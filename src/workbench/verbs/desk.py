"""The verb that opens the service desk on this machine: questions in, approved texts or a person out."""

from __future__ import annotations

import argparse
from pathlib import Path


def add(commands: argparse._SubParsersAction) -> None:
    """Add the verb to the command line."""
    desk = commands.add_parser("desk", help="the service desk of a study, by its champion (loopback only)")
    desk.add_argument("study", metavar="STUDY", help="a study with the step actions/service: service_desk")
    desk.add_argument("--port", type=int, default=8100, help="0: any free one (default: 8100)")
    desk.add_argument("--trial", action="store_true", help="the study's own version, approved or not; says so")
    desk.add_argument("--records", type=Path, metavar="FILE", help="customers' own records (CSV, by entity_id)")
    desk.add_argument("--login", default="", metavar="ID", help="print a session for this pseudonym, half an hour")
    desk.set_defaults(call=_desk)


def _desk(args: argparse.Namespace) -> int:
    from datetime import datetime

    from workbench import home, pseudonyms
    from workbench.actions import desk_app, opening, sessions
    from workbench.runs import servers

    desk, notice = opening.opened(Path(args.study).stem, args.trial, args.records)
    bound = servers.bound(args.port)
    address = f"http://{servers.LOOPBACK}:{bound.getsockname()[1]}"
    if args.login:
        address += f"/#{sessions.token(args.login, pseudonyms.key(home.mlruns()), datetime.now())}"
    print(f"service desk: {address}", flush=True)
    desk_app.serve(bound, desk, notice)
    return 0
