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


def once(home: Path) -> tuple[str, float]:
    """Call the command, and return what it printed and its seconds."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("WORKBENCH_SMTP")} | {"WORKBENCH_HOME": str(home)}
    command, began = [sys.executable, "-m", "workbench.cli", "schedule", "once", "--as-of", AS_OF], time.monotonic()
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, text=True)
    return f"{done.stdout}{done.stderr}exit code {done.returncode}", time.monotonic() - began


def kinds(hooks: Received, period: str) -> list[str]:
    """Return which breaches the webhook was told of in a period: step and key of the evidence."""
    posts = [p["name"] for p in hooks.posts if p["period"] == period and p["kind"] == "breach"]
    return [name.partition(" breach ")[2] for name in posts]


def table(attempts: list[Attempt], began: float, mails: Counter[str], hooks: Received) -> None:
    """Print a line per month."""
    print("| month | light | new breaches | mails | webhooks | s |\n| --- | --- | --- | --- | --- | --- |")
    for attempt in attempts:
        new = ", ".join(kinds(hooks, attempt.period)) or "–"
        posts = sum(p["period"] == attempt.period for p in hooks.posts)
        seconds, began = attempt.ended - began, attempt.ended
        print(f"| {attempt.period} | {attempt.verdict} | {new} | {mails[attempt.period]} | {posts} | {seconds:.0f} |")


def wrong(attempts: list[Attempt], due: list[str], mails: Counter[str], hooks: Received) -> list[str]:
    """Return what came out otherwise than in order, where planted, and once."""
    red = [a.period for a in attempts if a.verdict in BAD]
    out = [] if [a.period for a in attempts] == due else [f"made {len(attempts)} of {len(due)} months, or out of order"]
    out += [] if red[:1] == [DRIFT] else [f"the first red is {red[:1]}, the drift {DRIFT}"]
    news = {p["period"] for p in hooks.posts if p["kind"] == "breach"}
    out += [] if any(CRISIS[0] <= p <= CRISIS[1] for p in news) else ["nothing new rings for the crisis"]
    times = Counter(p["name"] for p in hooks.posts)
    out += [f"told {n} times: {name}" for name, n in times.items() if n != 1]
    for period in due:
        posts = [p["kind"] for p in hooks.posts if p["period"] == period]
        out += [f"{period}: {posts.count('report')} reports"] if posts.count("report") != 1 else []
        out += [f"{period}: {mails[period]} mails, {len(posts)} webhooks"] if mails[period] != len(posts) else []
    return out


def main(home: Path) -> int:
    """Call twice, print what came of it."""
    with receivers.smtp() as smtp, receivers.webhooks() as hooks:
        furnish(home, smtp.port, hooks.port)
        os.environ["WORKBENCH_HOME"] = str(home)
        began = time.time()
        printed, seconds = once(home)
        report = slots.load().reports[NAME]
        past = schedule.history(NAME, report)
        due = report.due_by(report.moment(AS_OF, schedule.datetime.now(schedule.UTC)))
        attempts = sorted((a for rows in past.attempts.values() for a in rows), key=lambda a: a.ended)
        mails = Counter(p for m in smtp.mails for p in due if p in m["Subject"])
        table(attempts, began, mails, hooks)
        sent = len(smtp.mails), len(hooks.posts)
        again, more = once(home)
        problems = wrong(attempts, due, mails, hooks)
        if "nothing is due\nexit code 0" not in again or sent != (len(smtp.mails), len(hooks.posts)):
            problems.append(f"the second call: {again}")
    sums = f"{len(attempts)} months in {seconds:.0f} s, {sent[0]} mails, {sent[1]} webhooks"
    print(f"\n{sums}; once more: {more:.0f} s")
    print("\n".join(problems) or "in order, once, nothing before the drift", printed if problems else "", sep="\n")
    return int(bool(problems))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.exit(main(Path(sys.argv[1]).resolve()))
    with tempfile.TemporaryDirectory() as folder:
        sys.exit(main(Path(folder) / "home"))
