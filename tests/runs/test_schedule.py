"""The schedule: periods and when they are due, each made once and in order, told once; failures tried again, later."""

import dataclasses
import json
import re
import shutil
import time
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path

import nbformat
import pytest

import certificate
import receivers
import running
from receivers import Offered
from running import sketched, workbench
from short import shortened
from workbench import cli, home
from workbench.params import Key, UserError
from workbench.registry import current, reported, store
from workbench.registry.reported import Attempt
from workbench.reporting import mail, telling, webhook
from workbench.reporting.telling import About, Message
from workbench.runs import schedule, slots
from workbench.runs.schedule import ATTEMPTS, PAUSE, Scheduler
from workbench.runs.slots import Report, Schedule

AS_OF = "2018-07-10"
SIX = [f"2018-{m:02d}" for m in range(1, 7)]
MONTHLY = {"study": "small", "cron": "0 6 3 * *", "time_zone": "Asia/Shanghai", "period": "month", "since": "2018-01"}
WEBHOOK = {"webhook": ["http://127.0.0.1:9/hook"]}


@pytest.fixture
def own_home(tmp_path, empty_store, monkeypatch) -> Path:
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    (tmp_path / "params").mkdir()
    (tmp_path / "params" / "small.yaml").write_text("steps: {}")
    (tmp_path / "mlruns").mkdir()
    shutil.copy(empty_store, tmp_path / "mlruns")
    return tmp_path


def _written(home: Path, text: str) -> None:
    (home / "params" / "schedule.yaml").write_text(text)


def _scheduled(**values) -> Schedule:
    return Schedule(reports={"monthly": Report(**{**MONTHLY, **values})})


def _message(name: str, report: Report, period: str, kind: str = "report") -> Message:
    return Message(f"{name} {period} {kind}", kind, name, report.study, period, "red", f"{name} {period}", ("psi 0.3",))


class _World:
    """Stands for what a scheduler does: notes what it makes and sends, fails where it is told to."""

    def __init__(self):
        self.made, self.sent, self.broken = [], [], set()
        self.clock = time.time()

    def make(self, name, report, period, _):
        if period in self.broken:
            raise ValueError("no data for li.wei@bank.example")
        self.made.append(period)
        return [_message(name, report, period), _message(name, report, period, "breach")]

    def deliver(self, _, kind, to, message):
        if "mail" in self.broken:
            raise OSError("mail server is down")
        self.sent.append(message.name)

    def once(self, scheduled, as_of=AS_OF, **options):
        ended = Scheduler(scheduled, self.make, self.deliver, clock=lambda: self.clock, **options).once(as_of)
        return [(e.period, e.status) for e in ended]


# when


def test_a_report_is_due_at_the_first_fire_time_after_its_period_in_its_time_zone():
    report = Report(**MONTHLY)
    assert report.due("2018-12").isoformat() == "2019-01-03T06:00:00+08:00"
    assert report.due_by(datetime(2018, 4, 2, 21, 59, tzinfo=UTC)) == ["2018-01", "2018-02"]
    assert report.due_by(datetime(2018, 4, 2, 22, 0, tzinfo=UTC)) == ["2018-01", "2018-02", "2018-03"]
    quarterly = Report(**{**MONTHLY, "period": "quarter", "since": "2017-Q4", "time_zone": "UTC"})
    assert quarterly.due_by(datetime(2018, 8, 1, tzinfo=UTC)) == ["2017-Q4", "2018-Q1", "2018-Q2"]
    yearly = Report(**{**MONTHLY, "period": "year", "since": "2016", "time_zone": "UTC"})
    assert yearly.due_by(datetime(2018, 8, 1, tzinfo=UTC)) == ["2016", "2017"]


@pytest.mark.parametrize(
    ("cron", "due"),
    [
        ("30 2 31 3 *", "2019-03-31T03:30:00+02:00"),  # this hour isn't there: an hour later
        ("30 2 27 10 *", "2019-10-27T02:30:00+02:00"),  # this one is there twice: the first
    ],
)
def test_daylight_saving_moves_a_report_and_neither_drops_nor_doubles_it(own_home, cron, due):
    scheduled, world = _scheduled(time_zone="Europe/Berlin", since="2019-02", cron=cron), _World()
    report = scheduled.reports["monthly"]
    assert report.due("2019-02").isoformat() == due
    moment = report.due("2019-02").astimezone(UTC)
    made = [world.once(scheduled, (moment + timedelta(minutes=m)).isoformat()) for m in range(-90, 150, 30)]
    assert [e for rows in made for e in rows if e[0] == "2019-02"] == [("2019-02", "made")]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"cron": "0 6 3 *"}, "cron: write five fields: minute, hour, day, month, day of week"),
        ({"cron": "61 6 3 * *"}, "cron: '61' is no minute; write 0 to 59, or *"),
        ({"cron": "0 6 * foo *"}, "cron: 'foo' is no month; write 1 to 12 or jan to dec, or *"),
        ({"cron": "0 6 * * funday"}, "cron: 'funday' is no day of week; write mon to sun, or *"),
        ({"cron": "0 6 * * 1"}, "cron: write days of the week by name (mon-fri): their numbers differ between tools"),
        (
            {"cron": "0 6 3 * mon"},
            "cron: give a day of the month or a day of the week, not both: tools differ on what both mean",
        ),
        ({"time_zone": "Peking"}, "time_zone: 'Peking' is no time zone; write one such as Asia/Shanghai or UTC"),
        ({"since": "2018-Q1"}, "since: '2018-Q1' is no month"),
        ({"since": "9999-12"}, "since: '9999-12' lies beyond the years 1900 to 2099"),
        ({"grace_hours": 99999999999}, "grace_hours: write 8784 or less"),
        ({"grace_hours": float("inf")}, "grace_hours: write 8784 or less"),
        ({"grace_hours": float("nan")}, "grace_hours: write 8784 or less"),
        ({"study": "smal"}, "no study 'smal'; did you mean 'small'?"),
        (
            {"tell": {"webhook": ["ftp://x"]}},
            "tell.webhook.0: a webhook is an http(s) address, or $NAME of an environment variable that holds one",
        ),
    ],
)
def test_what_is_wrong_with_the_schedule_is_one_line(own_home, values, message):
    import yaml

    _written(own_home, yaml.safe_dump({"reports": {"monthly": {**MONTHLY, **values}}}))
    with pytest.raises(UserError) as e:
        slots.load()
    joint = ": " if message.startswith(("since", "no study")) else "."
    assert str(e.value) == f"params/schedule.yaml: reports.monthly{joint}{message}"


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"grace_hour": 3}, "reports.monthly.grace_hour: unknown; did you mean 'grace_hours'?"),
        ({"studi": "small", "study": None}, "reports.monthly.studi: unknown; did you mean 'study'?"),
        ({"language": "zh"}, "reports.monthly.language: write 'en' or 'zh_CN'"),
        ({"tell": {"mail": ["owner"]}}, "reports.monthly.tell.mail.0: write a mail address: a name, @ and a domain"),
        ({"tell": ["owner"]}, "reports.monthly.tell: write pairs: {name: value}"),
        ({"cron": None}, "reports.monthly.cron: add it"),
    ],
)
def test_a_mistake_in_the_file_is_told_in_our_words(own_home, changed, words):
    report = {k: v for k, v in {**MONTHLY, **changed}.items() if v is not None}
    _written(own_home, json.dumps({"reports": {"monthly": report}}))
    with pytest.raises(UserError) as e:
        slots.load()
    assert str(e.value) == f"params/schedule.yaml: {words}"


def test_a_study_without_a_period_is_refused_when_the_schedule_is_read(own_home, capsys):
    (own_home / "params" / "small.yaml").write_text("title: Small\nsteps:\n  portfolios/intake:\n")
    _written(own_home, f"reports: {{monthly: {json.dumps(MONTHLY)}}}")
    for verb in ("list", "check", "once", "run"):
        assert cli.main(["schedule", verb]) == 2
        assert capsys.readouterr() == (
            "",
            "workbench: params/schedule.yaml: reports.monthly: small.yaml: no step's parameters hold {period}, "
            "{period_from}, {period_to}; write one there\n",
        )
    for text in (MONTHLY_STUDY, "title: Small\nsteps: {panel/build: {as_of_to: {period_to}}}", "title: [not a study"):
        (own_home / "params" / "small.yaml").write_text(text)
        assert "monthly" in slots.load().reports


def test_mail_needs_a_server_and_the_schedule_a_file(own_home):
    with pytest.raises(UserError, match=r"^params/schedule.yaml is not there; docs/schedule.md shows one$"):
        slots.load()
    telling_by_mail = {**MONTHLY, "tell": {"mail": ["a@bank.example"]}}
    _written(own_home, f"reports: {{monthly: {json.dumps(telling_by_mail)}}}")
    with pytest.raises(UserError) as e:
        slots.load()
    assert str(e.value) == ("params/schedule.yaml: reports.monthly tells by mail; name the server under `mail`")


# made once, in order


def test_missed_periods_are_caught_up_in_order_and_twice_makes_and_tells_nothing_twice(own_home):
    scheduled, world = _scheduled(tell=WEBHOOK), _World()
    assert world.once(scheduled) == [(p, "made") for p in SIX]
    assert world.made == SIX and len(world.sent) == 12
    assert world.once(scheduled) == [] and world.made == SIX and len(world.sent) == 12
    assert world.once(scheduled, "2018-08-04") == [("2018-07", "made")]
    world.clock -= 86_400 * 400  # the clock is set back by more than a year: what is done stays done
    assert world.once(scheduled, AS_OF) == [] and len(world.made) == 7


def test_what_is_yet_to_come_is_not_made(own_home):
    with pytest.raises(UserError, match=r"^--as-of 2999-01-01 is yet to come; give a moment that has passed$"):
        _World().once(_scheduled(), "2999-01-01")


def test_a_failed_report_holds_later_ones_back_is_tried_again_with_growing_pauses_then_told(own_home):
    scheduled, world = _scheduled(tell=WEBHOOK, since="2018-04"), _World()
    world.broken = {"2018-05"}
    assert world.once(scheduled) == [("2018-04", "made"), ("2018-05", "failed")]
    for n in range(1, ATTEMPTS):
        began = world.clock
        world.clock = began + PAUSE * 2 ** (n - 1) - 60
        assert world.once(scheduled) == [("2018-05", "waiting")]
        world.clock = time.time() + PAUSE * 2 ** (n - 1) + 1
        rows = world.once(scheduled)
        assert rows[0] == ("2018-05", "failed")
        world.clock = time.time()
    assert rows[1:] == [("2018-06", "made")]  # given up: those after it come
    assert world.sent.count(f"small monthly 2018-05 failure {ATTEMPTS}") == 1
    assert world.once(scheduled) == [] and len(world.sent) == 5
    assert "given up: 2018-05" in schedule.states(scheduled, AS_OF)[0].state
    world.broken = set()
    assert world.once(scheduled, retry=True) == [("2018-05", "made")]


def test_an_error_is_masked_before_it_is_kept_or_told(own_home):
    scheduled, world = _scheduled(since="2018-06"), _World()
    world.broken = {"2018-06"}
    ended = Scheduler(scheduled, world.make, world.deliver).once(AS_OF)
    assert ended[0].message == "no data for l*.w**@b***.e******"


def test_a_message_that_was_not_taken_is_sent_the_next_time_and_those_that_were_are_not(own_home):
    scheduled, world = _scheduled(tell=WEBHOOK, since="2018-06"), _World()
    world.broken = {"mail"}
    assert world.once(scheduled) == [("2018-06", "made"), ("2018-06", "untold")]
    assert schedule.states(scheduled, AS_OF)[0].state == "not told: 2018-06"
    world.broken = set()
    assert world.once(scheduled) == [] and len(world.sent) == 2 and world.made == ["2018-06"]


def test_the_long_running_scheduler_says_things_once_and_never_sleeps_long(own_home):
    scheduled, world, lines, slept = _scheduled(since="2018-06"), _World(), [], []
    world.broken = {"2018-06"}
    world.clock = datetime(2018, 7, 10, tzinfo=UTC).timestamp()

    def sleep(seconds):
        slept.append(seconds)
        world.clock += seconds
        if len(slept) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        Scheduler(scheduled, world.make, world.deliver, clock=lambda: world.clock).forever(lines.append, sleep)
    assert slept == [60, 60, 60]
    assert lines == ["monthly 2018-06 failed error no data for l*.w**@b***.e******"]


def test_an_attempt_whose_process_is_gone_is_ended_and_its_report_made(own_home):
    scheduled, world = _scheduled(), _World()
    gone = reported.begin(Key("small", "2018-01"), "monthly")
    store.client().set_tag(gone, "runner", f"{home.machine()}:999999999:1")
    world.once(scheduled)
    statuses = [a.status for a in schedule.history("monthly", scheduled.reports["monthly"]).attempts["2018-01"]]
    assert sorted(statuses) == ["FINISHED", "KILLED"]


def test_what_was_made_is_in_mlflow(own_home):
    _World().once(_scheduled(since="2018-06"))
    client = store.client()
    (run,) = client.search_runs([client.get_experiment_by_name("small").experiment_id])
    tags = {name: run.data.tags[name] for name in ("study", "report", "period", "verdict")}
    assert tags == {"study": "small", "report": "monthly", "period": "2018-06", "verdict": "red"}
    assert run.info.status == "FINISHED"


def test_a_second_scheduler_leaves_a_report_alone(own_home):
    scheduled, world = _scheduled(), _World()
    with home.locked("report-monthly") as mine:
        assert mine and world.once(scheduled) == [("", "busy")]
    with current.holding("small"):  # someone runs the study by hand
        assert world.once(scheduled) == [("2018-01", "busy")]
    assert len(world.once(scheduled)) == 6
    assert len(schedule.history("monthly", scheduled.reports["monthly"]).attempts["2018-01"]) == 1


# told


def test_a_mail_has_text_and_html_pages_and_the_same_id_when_it_is_sent_again(tmp_path, monkeypatch):
    monkeypatch.delenv(mail.USER, raising=False)
    page = tmp_path / "through_time.html"
    page.write_text("<p>ok</p>")
    message = dataclasses.replace(
        _message("monthly", Report(**MONTHLY), "2018-03"),
        subject="月报，2018-03：红灯\r\nBcc: x@y.z",
        lines=("<script>1</script>",),
    )
    with receivers.smtp() as server:
        to = mail.Server(host="127.0.0.1", port=server.port, sender="w@bank.example", security="none")
        for _ in range(2):
            mail.send(to, "owner@bank.example", message, [page])
        first, second = server.mails
    assert first["Subject"] == "月报，2018-03：红灯 Bcc: x@y.z" and first["Bcc"] is None
    assert first["Message-ID"] == second["Message-ID"] and first["Auto-Submitted"] == "auto-generated"
    assert "<script>" in first.get_body(("plain",)).get_content()
    assert "&lt;script&gt;" in first.get_body(("html",)).get_content()
    assert [a.get_filename() for a in first.iter_attachments()] == ["through_time.html"]


def test_a_password_goes_over_an_encrypted_connection_only(monkeypatch):
    monkeypatch.setenv(mail.USER, "workbench")
    server = mail.Server(host="127.0.0.1", port=9, sender="w@bank.example", security="none")
    with pytest.raises(UserError) as e:
        mail.send(server, "owner@bank.example", _message("monthly", Report(**MONTHLY), "2018-03"))
    assert str(e.value) == ("mail: WORKBENCH_SMTP_USER is set, but security is none; a password is sent encrypted only")


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> dict:
    """A server's side of TLS and the file its client trusts, by what comes of it."""
    one, two, three = (tmp_path_factory.mktemp("certificate") for _ in range(3))
    good, authority = certificate.made(one)
    return {
        "good": (good, authority),
        "of an unknown authority": (certificate.made(two)[0], authority),
        "of another address": certificate.made(three, "127.0.0.2"),
    }


@pytest.fixture
def encrypted(certificates, monkeypatch):
    """Return a server that is reached with a user and a password, its certificate by name."""
    monkeypatch.setenv(mail.USER, "workbench")
    monkeypatch.setenv(mail.PASSWORD, "s3cret")

    def offered(security: str, name: str = "good", **otherwise) -> Offered:
        context, authority = certificates[name]
        monkeypatch.setenv("SSL_CERT_FILE", str(authority))
        return dataclasses.replace(Offered(context, security == "tls", ("workbench", "s3cret")), **otherwise)

    return offered


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_mail_goes_encrypted_to_a_trusted_server_that_knows_the_password(encrypted, security):
    with receivers.smtp(encrypted(security)) as server:
        to = mail.Server(host="127.0.0.1", port=server.port, sender="w@bank.example", security=security)
        mail.send(to, "owner@bank.example", _message("monthly", Report(**MONTHLY), "2018-03"))
    assert [m["Subject"] for m in server.mails] == ["monthly 2018-03"]
    assert (server.encrypted, server.users) == ([True], ["workbench"])


UNTRUSTED = "has a certificate that is not trusted ({}); let SSL_CERT_FILE name its authority's"
UNKNOWN = UNTRUSTED.format("unable to get local issuer certificate")
ELSEWHERE = UNTRUSTED.format("IP address mismatch, certificate is not valid for '127.0.0.1'.")
NO_TLS = {"context": None, "from_the_first": False}
REFUSED = [
    ("starttls", "of an unknown authority", {}, UNKNOWN),
    ("tls", "of an unknown authority", {}, UNKNOWN),
    ("starttls", "of another address", {}, ELSEWHERE),
    ("tls", "of another address", {}, ELSEWHERE),
    (
        "starttls",
        "good",
        {"login": ("workbench", "another")},
        "refused user or password (535); look at WORKBENCH_SMTP_USER and WORKBENCH_SMTP_PASSWORD",
    ),
    ("tls", "good", {"login": None}, "offers no login; unset WORKBENCH_SMTP_USER"),
    ("starttls", "good", NO_TLS, "offers no STARTTLS; write security: tls and its port, or ask who runs it"),
    ("tls", "good", NO_TLS, "speaks no TLS on this port; write security: starttls, or the port that does"),
]


@pytest.mark.parametrize(("security", "name", "otherwise", "line"), REFUSED)
def test_a_mail_refused_is_one_line_and_is_sent_at_the_next_call(own_home, encrypted, security, name, otherwise, line):
    world, report = _World(), Report(**{**MONTHLY, "since": "2018-06", "tell": {"mail": ["owner@bank.example"]}})

    def once(offered: Offered) -> tuple[list[tuple[str, str]], receivers.Received]:
        with receivers.smtp(offered) as server:
            to = mail.Server(host="127.0.0.1", port=server.port, sender="w@bank.example", security=security)
            scheduled = Schedule(reports={"monthly": report}, mail=to)
            ended = Scheduler(scheduled, world.make, schedule.deliver).once(AS_OF)
        return [(e.status, e.message.replace(str(server.port), "PORT")) for e in ended], server

    ended, server = once(encrypted(security, name, **otherwise))
    assert ended == [("made", "monthly 2018-06"), ("untold", f"mail: server 127.0.0.1:PORT {line}")]
    assert server.mails == []
    ended, server = once(encrypted(security))
    assert ended == [] and len(server.mails) == 2 and world.made == ["2018-06"]


def test_of_a_mail_servers_answer_the_code_alone_is_shown(monkeypatch):
    monkeypatch.delenv(mail.USER, raising=False)
    message = _message("monthly", Report(**MONTHLY), "2018-03")
    with receivers.smtp() as server:
        to = mail.Server(host="127.0.0.1", port=server.port, sender="w@bank.example", security="none")
        server.refusals = [451]
        with pytest.raises(OSError, match=rf"^server 127.0.0.1:{server.port} answered 451$"):
            mail.send(to, "owner@bank.example", message)
        server.unknown = {"owner@bank.example"}
        with pytest.raises(OSError, match=rf"^server 127.0.0.1:{server.port} refused the recipient \(550\)$"):
            mail.send(to, "owner@bank.example", message)
    with pytest.raises(OSError, match=rf"^server 127.0.0.1:{server.port} could not be reached: Connection refused$"):
        mail.send(to, "owner@bank.example", message)


def test_a_webhook_is_tried_again_and_names_no_secret(monkeypatch):
    message = _message("monthly", Report(**MONTHLY), "2018-03")
    with receivers.webhooks() as server:
        url = f"http://127.0.0.1:{server.port}/s3cret"
        server.refusals = [503, 429]
        webhook.post(url, message, (0.01, 0.01, 0.01))
        assert [p["name"] for p in server.posts] == [message.name] and len(server.keys[0]) == 32
        server.refusals = [404]
        with pytest.raises(OSError, match=rf"^webhook at 127.0.0.1:{server.port}: answered 404$"):
            webhook.post(url, message, (0.01,))
        monkeypatch.setenv("HOOK", url)
        webhook.post("$HOOK", message, ())
    with pytest.raises(OSError, match=r"^webhook at \$HOOK: ") as e:
        webhook.post("$HOOK", message, (0.01,))
    assert "s3cret" not in str(e.value)
    monkeypatch.delenv("HOOK")
    with pytest.raises(UserError, match=r"^webhook: environment variable HOOK holds no http\(s\) address; set it$"):
        webhook.post("$HOOK", message)


def test_bad_news_comes_first_in_both_languages():
    from workbench.evidence import Evidence, Verdict
    from workbench.registry.current import Record
    from workbench.words import say

    def record(step, verdict):
        return Record("small", "2018-03", step, step, "r", "k", "FINISHED", verdict, "", 0.0, 0.0)

    def evidence(key, verdict, **facts):
        question = say("When did the alarm first ring, and for what?") if key == "b" else f"{key}?"
        e = Evidence(key=key, question=question, verdict=verdict, answer=say("AUC {auc:.4f} on {n:,} rows.", **facts))
        return e.record()

    runs = [record("panel/build", "green"), record("monitoring/through_time", "red")]
    content = {
        "panel/build": [evidence("rows", Verdict.green, auc=0.8, n=9)],
        "monitoring/through_time": [
            evidence("a", Verdict.red, auc=0.6, n=5),
            evidence("b", Verdict.error, auc=0.5, n=4),
        ],
    }
    read = lambda r: {"evidence": content[r.step]}  # noqa: E731
    english = telling.made(About("monthly", "small", "2018-03", "en", address="https://w.bank.example/"), runs, read)
    assert [m.subject for m in english] == [
        "monthly, 2018-03: error; 2 breaches",
        "monthly, 2018-03: error in Monitoring through time: When did the alarm first ring, and for what?",
        "monthly, 2018-03: red in Monitoring through time: a?",
    ]
    assert english[0].lines == ("AUC 0.5000 on 4 rows.", "AUC 0.6000 on 5 rows.")
    assert english[0].link == "https://w.bank.example/small/2018-03/monitoring/through_time.html"
    chinese = telling.made(About("monthly", "small", "2018-03", "zh_CN", "zh_CN/"), runs, read)
    assert chinese[0].subject.startswith("月度，2018-03：") and "breaches" not in chinese[0].subject
    assert chinese[1].subject == "月度，2018-03：跨期监控为出错：何时首次报警，因何报警？"
    assert chinese[0].link == "reports/zh_CN/small/2018-03/monitoring/through_time.html"


def test_the_mail_counts_what_the_pack_counts(monkeypatch):
    from workbench.evidence import Evidence, Verdict
    from workbench.registry.current import Record
    from workbench.runs import schedule

    def record(step, period, *reads, key="a", verdict="red"):
        run = Record("small", period, step, step, key, "k", "FINISHED", verdict, "", 0.0, 0.0, reads=reads)
        return run, Evidence(key=key, question="?", verdict=Verdict(verdict), answer=f"{step} says.").record()

    read = ("evidence:validation/battery", "evidence:panel/build", "evidence:monitoring/m")
    made = [
        record("panel/build", "once", verdict="green"),
        record("validation/battery", "once"),
        record("monitoring/m", "once"),  # of the time before the study had periods
        record("monitoring/m", "2018-02"),
        record("monitoring/m", "2018-03"),
        record("registry/committee", "2018-03", *read),
        record("reporting/pack", "2018-03", *read, key="breaches"),
        record("actions/gone", "once"),  # a step the study has no more
    ]
    monkeypatch.setattr(schedule.current, "everything", lambda study: [r for r, _ in made])
    steps = ["panel/build", "validation/battery", "monitoring/m", "registry/committee", "reporting/pack"]
    runs = schedule._told("small", "2018-03", steps)
    assert [r.step for r in runs] == ["panel/build", "validation/battery", "monitoring/m", "reporting/pack"]
    about, content = About("monthly", "small", "2018-03", "en"), {id(r): {"evidence": [e]} for r, e in made}
    first, *news = telling.made(about, runs, lambda r: content[id(r)])
    assert first.subject == "monthly, 2018-03: red; 2 breaches" and len(news) == 2
    assert first.lines == ("validation/battery says.", "monitoring/m says.")
    assert [p.removeprefix("small/") for p in first.pages] == [
        "2018-03/reporting/pack.html",
        "once/validation/battery.html",
        "2018-03/monitoring/m.html",
    ]
    again, *news = telling.made(about, runs, lambda r: content[id(r)], ["validation/battery"])
    assert again.subject == first.subject and [m.pages for m in news] == [("small/2018-03/monitoring/m.html",)]


# the command line


MONTHLY_STUDY = running.MONTHLY_STUDY + "  reporting/pack:\n"


def test_once_runs_a_study_for_every_missed_month_and_tells(own_home, monkeypatch):
    monkeypatch.delenv(mail.USER, raising=False)
    shortened(own_home / "notebooks")  # the pack is whole
    (own_home / "params" / "small.yaml").write_text(MONTHLY_STUDY)
    with ExitStack() as stack:
        smtp, hooks = stack.enter_context(receivers.smtp()), stack.enter_context(receivers.webhooks())
        _written(
            own_home,
            f"""
mail: {{host: 127.0.0.1, port: {smtp.port}, sender: w@bank.example, security: none}}
reports:
  monthly:
    {{study: small, cron: "0 6 3 * *", period: month, since: "2005-07", language: zh_CN,
      tell: {{mail: [owner@bank.example], webhook: ["http://127.0.0.1:{hooks.port}/"]}}}}
""",
        )
        late = workbench(own_home, "schedule", "check", "--as-of", "2005-09-10")
        assert (late.returncode, late.stdout) == (1, "monthly overdue: 2005-07, 2005-08 (due: 2005-07 and 1 more)\n")
        done = workbench(own_home, "schedule", "once", "--as-of", "2005-09-10", **sketched())
        assert done.returncode == 0, done.stdout + done.stderr
        made = [row.split()[:3] for row in done.stdout.splitlines() if row.startswith("monthly ")]
        assert made == [["monthly", "2005-07", "made"], ["monthly", "2005-08", "made"]]
        reports = [p for p in hooks.posts if p["kind"] == "report"]
        assert [p["period"] for p in reports] == ["2005-07", "2005-08"] and len(smtp.mails) == len(hooks.posts)
        assert (own_home / reports[0]["link"]).exists() and len(set(hooks.keys)) == len(hooks.keys)
        assert reports[0]["link"].endswith("reporting/pack.html")
        (attached,) = smtp.mails[0].iter_attachments()
        assert (attached.get_filename(), attached.get_content_type()) == ("pack.pdf", "application/pdf")
        printed = own_home / "reports" / "zh_CN" / "small" / "2005-07" / "reporting" / "pack.pdf"
        assert attached.get_content() == printed.read_bytes() and printed.read_bytes().startswith(b"%PDF-")
        again = workbench(own_home, "schedule", "once", "--as-of", "2005-09-10")
        assert (again.returncode, again.stdout) == (0, "nothing is due\n") and len(smtp.mails) == len(hooks.posts)
        assert len([p for p in hooks.posts if p["kind"] == "report"]) == 2
    assert workbench(own_home, "schedule", "check", "--as-of", "2005-09-10").returncode == 0
    late = workbench(own_home, "schedule", "check")  # now: years of months are due
    assert late.returncode == 1
    assert re.match(r"monthly overdue: 2005-09, 2005-10, 2005-11 and \d{3} more \(due: 2005-09 and", late.stdout)
    assert workbench(own_home, "schedule", "list").returncode == 0
    listed = workbench(own_home, "schedule", "list", "--as-of", "2005-09-10").stdout
    assert "2005-08" in listed and "2005-10-03 06:00" in listed and "up to date" in listed


def test_install_prints_or_writes_what_calls_once(own_home, monkeypatch):
    (own_home / "notebooks").mkdir()
    line = workbench(own_home, "schedule", "install", "--cron").stdout
    assert line.startswith(f"*/15 * * * * cd {own_home} && ") and "-m workbench.cli schedule once >>" in line
    files = workbench(own_home, "schedule", "install", "--systemd", "--out", str(own_home / "units")).stdout.split()
    assert [Path(f).name for f in files] == ["workbench-schedule.service", "workbench-schedule.timer"]
    assert f'Environment="WORKBENCH_HOME={own_home}"' in Path(files[0]).read_text()
    dag = workbench(own_home, "schedule", "install", "--airflow").stdout
    compile(dag, "dag.py", "exec")
    assert "schedule once" in dag and "catchup=False" in dag
    job = nbformat.reads(workbench(own_home, "schedule", "install", "--jupyter").stdout, 4)
    nbformat.validate(job)
    assert job.metadata.kernelspec.name == "loan-workbench" and str(own_home) in job.cells[-1].source
    bad = workbench(own_home, "schedule", "once", "--as-of", "soon")
    assert bad.returncode == 2
    assert "'soon' is no moment; write 2018-07-03 or 2018-07-03T09:00" in bad.stderr


def test_the_shipped_schedule_is_whole():
    assert slots.load().reports["simulated_bank_monthly"].due("2018-01").isoformat() == "2018-02-03T06:00:00+08:00"


def test_an_attempt_of_another_machine_is_not_ours_to_end():
    attempt = Attempt("r", "2018-03", "RUNNING", 0.0, "elsewhere:17:1700000000", "", frozenset(), False)
    assert not attempt.abandoned
    assert dataclasses.replace(attempt, runner=f"{home.machine()}:999999999:1").abandoned
