"""The studies themselves: the simulated bank's planted truth is found; a bank's own file comes out as known."""

import json
import re
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
import yaml

from running import home_of, sketched, workbench

SMALLER = {
    "simulated_bank": {
        "n_customers: 6000": "n_customers: 3000",
        "every_months: 3": "every_months: 6",
        "models/development:": "models/development: {max_development_rows: 3000}",
    },
    "sba_loans": {"models/development:": "models/development: {max_development_rows: 400}"},
}
FEWER = ("models/development.folds=2", "customers/segments.resamples=4", "customers/segments.k_to=4")
pytestmark = pytest.mark.whole


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    """A home in which the simulated bank has run."""
    return _ran(tmp_path_factory.mktemp("studies"), "simulated_bank")


@pytest.fixture(scope="module")
def sba(tmp_path_factory, bank_file) -> Path:
    data = bank_file("sba_loans.parquet").parent
    return _ran(tmp_path_factory.mktemp("studies"), "sba_loans", WORKBENCH_DATA=str(data))


def _ran(folder: Path, study: str, **more: str) -> Path:
    """Run a study on fewer rows; what is planted or known of it is as it was."""
    home_of(folder, study, SMALLER[study])
    words = [f"--set={value}" for value in FEWER]
    done = workbench(folder, "run", f"params/{study}.yaml", *words, **more, **sketched())
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def _evidence(home: Path, study: str, step: str) -> dict[str, dict]:
    import mlflow

    client = mlflow.MlflowClient(f"sqlite:///{home}/mlruns/mlflow.db")
    ids = [client.get_experiment_by_name(study).experiment_id]
    run = client.search_runs(ids, f"tags.step = '{step}'", max_results=1)[0]
    with TemporaryDirectory() as folder:  # MLflow leaves one of its own behind
        path = client.download_artifacts(run.info.run_id, "evidence/evidence.json", folder)
        record = json.loads(Path(path).read_text())
    return {e["key"]: e for e in record["evidence"]}


def test_the_alarm_rings_within_three_months_of_the_planted_drift_and_not_before(home):
    cards = _evidence(home, "simulated_bank", "monitoring/planted")
    assert cards["planted_drift"]["verdict"] == "green" and "2018-03" <= cards["planted_drift"]["value"] <= "2018-06"
    assert cards["planted_crisis"]["verdict"] == "green"
    assert _evidence(home, "simulated_bank", "monitoring/through_time")["alarm"]["value"] >= "2018-03"


def test_the_planted_leak_is_refused(home):
    answer = _evidence(home, "simulated_bank", "portfolios/intake")["leakage"]["answer"]
    assert "Known only afterwards and refused: recovered after default." in answer


def test_simulated_stands_on_every_page(home):
    pages = list((home / "reports" / "simulated_bank").glob("once/*/*.html"))
    steps = yaml.safe_load((home / "params" / "simulated_bank.yaml").read_text(encoding="utf-8"))["steps"]
    assert len(pages) == len(steps) and all("simulated, not real customers" in p.read_text() for p in pages)


def test_term_is_found_to_leak_and_later_fields_are_refused(sba):
    answer = _evidence(sba, "sba_loans", "portfolios/intake")["leakage"]["answer"]
    assert (
        "Suspected leak and refused: term of the loan." in str(answer) and "refused: charged off, paid out." in answer
    )


def test_pds_are_brought_back_to_the_true_base_rate_and_the_report_says_so(sba):
    import pandas as pd

    pin = json.loads((sba / "mlruns/tables/sba_loans/once/mart__panel.json").read_text())
    panel = pd.read_parquet(sba / f"mlruns/tables/sba_loans/once/mart__panel/{pin['digest'][:16]}.parquet")
    weighted = panel.assign(
        bad=panel["outcome"] * panel["weight"], year=(panel["as_of_date"] + pd.DateOffset(months=3)).dt.year
    )
    rates = weighted.groupby("year")[["bad", "weight"]].sum().pipe(lambda g: g["bad"] / g["weight"])
    published = {1994: 0.02, 2000: 0.11, 2005: 0.25, 2007: 0.43, 2010: 0.14}  # by fiscal year
    assert {y: round(rates[y], 2) for y in published} == pytest.approx(published, abs=0.015)
    text = (sba / "reports/sba_loans/once/panel/build.html").read_text()
    assert "17.5" in text and "case-control" in text


def test_the_crisis_shows(sba):
    cards = _evidence(sba, "sba_loans", "monitoring/through_time")
    assert cards["alarm"]["verdict"] == "red"
    pin = json.loads((sba / "mlruns/tables/sba_loans/once/mart__alarms_pd.json").read_text())
    import pandas as pd

    lights = pd.read_parquet(sba / f"mlruns/tables/sba_loans/once/mart__alarms_pd/{pin['digest'][:16]}.parquet")
    ratio = lights[lights["kind"] == "calibration"].set_index("period")["value"]
    assert ratio["2007-Q1":"2008-Q2"].min() > 1.5


def test_no_borrower_stands_in_a_page(sba, bank_file):
    import pandas as pd

    names = pd.read_parquet(bank_file("sba_loans.parquet"), columns=["name"])["name"].dropna()
    long = set(names[names.str.len() > 14].head(3000))
    text = "".join(p.read_text() for p in (sba / "reports" / "sba_loans").glob("once/*/*.html"))
    between = re.sub(
        r"[A-Za-z0-9+/=]{1000,}", lambda m: f"{m[0][:200]} … {m[0][-200:]}", text
    )  # no picture holds a space
    assert len(text) > len(between) and max(map(len, long)) < 200
    assert not [n for n in long if n in (between if " " in n else text)]
