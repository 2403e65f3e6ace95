"""The shipped schedule's example, caught up month by month through the crisis year: what rang when, and who was told.

    python benchmarks/crisis_year.py [FOLDER]

A new home (FOLDER, else a temporary one) gets the shipped schedule with a mail server and a webhook that listen here,
then `workbench schedule once --as-of 2019-12-10` is called twice. Drift is planted in 2018-03, the crisis in 2019-01.
Outcomes it hit are known from 2019-01 on, a whole window of them in 2019-07. Exit code 1 where months are missing or
out of order, the first red isn't the drift's month, nothing new rings while the crisis becomes known, a breach was told
otherwise than once each way when it was new, or the second call made or told anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import yaml

CHECKOUT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(CHECKOUT / "tests"))

import receivers  # noqa: E402 - the servers that the tests have
from receivers import Received  # noqa: E402
from workbench.evidence import Verdict  # noqa: E402
from workbench.registry.reported import Attempt  # noqa: E402
from workbench.runs import schedule, slots  # noqa: E402

NAME, AS_OF, DRIFT = "simulated_bank_monthly", "2019-12-10", "2018-03"
CRISIS = ("2019-01", "2019-07")  # the months in which it becomes known
BAD = (Verdict.red, Verdict.error)


def furnish(home: Path, mail_port: int, hook_port: int) -> None:
    """Lay out a home: the shipped notebooks, study and schedule, the latter told whom to tell."""
    (home / "params").mkdir(parents=True)
    (home / "notebooks").symlink_to(CHECKOUT / "notebooks")
    for name in (f"{NAME}.yaml", "governance.yaml"):
        (home / "params" / name).write_bytes((CHECKOUT / "params" / name).read_bytes())
    shipped = yaml.safe_load((CHECKOUT / slots.FILE).read_text(encoding="utf-8"))
    server = {"host": "127.0.0.1", "port": mail_port, "sender": "workbench@bank.example", "security": "none"}
    tell = {"mail": ["model.owner@bank.example"], "webhook": [f"http://127.0.0.1:{hook_port}/"]}
    report = {**shipped["reports"][NAME], "tell": tell}
    text = yaml.safe_dump({"mail": server, "reports": {NAME: report}})
    (home / slots.FILE).write_text(text, encoding="utf-8")


def start(home: Path) -> subprocess.Popen[str]:
    """Call the command; what it prints goes to a file of the home."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_SMTP")} | {"WORKBENCH_HOME": str(home)}
    command = [sys.executable, "-m", "workbench.cli", "schedule", "once", "--as-of", AS_OF]
    with (home / "printed").open("w") as out:
        return subprocess.Popen(command, cwd=home, env=env, stdout=out, stderr=subprocess.STDOUT, text=True)


def attempts() -> list[Attempt]:
    """Return every attempt at the report that has ended, as they ended."""
    past = schedule.history(NAME, slots.load().reports[NAME])
    return sorted((a for rows in past.attempts.values() for a in rows if a.status != "RUNNING"), key=lambda a: a.ended)


def kinds(hooks: Received, period: str) -> list[str]:
    """Return which breaches the webhook was told of in a period: step and key of the evidence."""
    posts = [p["name"] for p in hooks.posts if p["period"] == period and p["kind"] == "breach"]
    return [name.partition(" breach ")[2] for name in posts]


def row(attempt: Attempt, began: float, smtp: Received, hooks: Received) -> str:
    """Return a month as a line of the table."""
    period, new = attempt.period, ", ".join(kinds(hooks, attempt.period)) or "–"
    posts = sum(p["period"] == period for p in hooks.posts)
    return f"| {period} | {attempt.verdict} | {new} | {mails(smtp, period)} | {posts} | {attempt.ended - began:.0f} |"


def mails(smtp: Received, period: str) -> int:
    """Return how many mails came about a period."""
    return sum(period in m["Subject"] for m in smtp.mails)


def followed(process: subprocess.Popen[str], smtp: Received, hooks: Received) -> None:
    """Print a line per month as soon as everybody has been told of it, until the command ends."""
    print("| month | light | new breaches | mails | webhooks | s |\n| --- | --- | --- | --- | --- | --- |")
    shown, ended, began = 0, False, time.time()
    while not ended:
        ended = process.poll() is not None
        known = attempts()
        for attempt in known[shown:]:
            if not (attempt.all_told or ended):
                break
            print(row(attempt, known[shown - 1].ended if shown else began, smtp, hooks), flush=True)
            shown += 1
        time.sleep(0 if ended else 10)


def wrong(made: list[Attempt], due: list[str], smtp: Received, hooks: Received) -> list[str]:
    """Return what came out otherwise than in order, where planted, and once."""
    red = [a.period for a in made if a.verdict in BAD]
    out = [] if [a.period for a in made] == due else [f"made {len(made)} of {len(due)} months, or out of order"]
    out += [] if red[:1] == [DRIFT] else [f"the first red is {red[:1]}, the drift {DRIFT}"]
    news = {p["period"] for p in hooks.posts if p["kind"] == "breach"}
    out += [] if any(CRISIS[0] <= p <= CRISIS[1] for p in news) else ["nothing new rings for the crisis"]
    times = Counter(p["name"] for p in hooks.posts)
    out += [f"told {n} times: {name}" for name, n in times.items() if n != 1]
    for period in due:
        posts = [p["kind"] for p in hooks.posts if p["period"] == period]
        out += [f"{period}: {posts.count('report')} reports"] if posts.count("report") != 1 else []
        out += [f"{period}: {n} mails, {len(posts)} webhooks"] if (n := mails(smtp, period)) != len(posts) else []
    return out


def main(home: Path) -> int:
    """Call twice, print what came of it."""
    os.environ["WORKBENCH_HOME"] = str(home)
    with receivers.smtp() as smtp, receivers.webhooks() as hooks:
        furnish(home, smtp.port, hooks.port)
        began = time.monotonic()
        followed(start(home), smtp, hooks)
        seconds, sent = time.monotonic() - began, (len(smtp.mails), len(hooks.posts))
        made, report = attempts(), slots.load().reports[NAME]
        problems = wrong(made, report.due_by(report.moment(AS_OF, datetime.now(UTC))), smtp, hooks)
        problems += [f"the first call: {(home / 'printed').read_text(encoding='utf-8')}"] if problems else []
        code, printed = start(home).wait(), (home / "printed").read_text(encoding="utf-8")
        if code or "nothing is due" not in printed or sent != (len(smtp.mails), len(hooks.posts)):
            problems.append(f"the second call, exit code {code}: {printed}")
    sums = f"{len(made)} months in {seconds:.0f} s, {sent[0]} mails, {sent[1]} webhooks"
    print(f"\n{sums}; the second call ended with {code}")
    print("\n".join(problems) or "in order, once, red from the drift on, news of the crisis")
    return int(bool(problems))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(Path(folder) / "home"))
