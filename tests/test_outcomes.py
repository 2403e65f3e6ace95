"""Studies of outcomes that are no default run whole, and their pages speak of their own outcome."""

import html
import re
from collections.abc import Callable

import pytest

from running import home_of, sketched, workbench

OF_DEFAULT = r"\bPDs?\b|\bdefault rate|\bdefaults\b|\bdefaulted\b|\bbad rate|\bbads\b|\bgoods\b|\briskiest\b|\bsafest\b"
FEWER = ("models/development.folds=2", "customers/segments.resamples=4", "customers/segments.k_to=4")
pytestmark = pytest.mark.whole
STEPS = ("panel/build", "customers/profile", "customers/segments", "models/development")


@pytest.fixture
def run(tmp_path, bank_files) -> Callable[..., dict[str, str]]:
    """Return a function that runs a study on a few rows; it returns the words of pages by step."""

    def _run(study: str, rows: int) -> dict[str, str]:
        home_of(tmp_path, study)
        few = [f"--set={value}" for value in (f"portfolios/intake.sample_rows={rows}", *FEWER)]
        done = workbench(tmp_path, "run", f"params/{study}.yaml", *few, WORKBENCH_DATA=str(bank_files), **sketched())
        assert done.returncode == 0, done.stdout + done.stderr
        pages = {name: next((tmp_path / "reports" / study).glob(f"**/{name}.html")) for name in STEPS}
        return {name: _words(page.read_text(encoding="utf-8")) for name, page in pages.items()}

    return _run


def _words(page: str) -> str:
    shown = re.sub(r"<svg.*?</svg>|<style.*?</style>|src=\"data:[^\"]*\"|<pre.*?</pre>", "", page, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", shown)).split())


def _speaks_of(pages: dict[str, str], rate: str, predicted: str) -> None:
    for name, text in pages.items():
        wrong = [text[max(0, m.start() - 40) : m.end() + 40] for m in re.finditer(OF_DEFAULT, text)]
        assert rate in text and not wrong, f"{name}: {wrong}"
    assert predicted in pages["models/development"]


def test_a_subscription_is_spoken_of_as_one(run):
    pages = run("bank_marketing", 1000)
    _speaks_of(pages, "share subscribed", "probability to subscribe")
    assert "AUC" in pages["models/development"]


def test_a_loss_given_default_is_spoken_of_as_one(run, bank_file):
    bank_file("sba_loans.parquet")
    pages = run("sba_lgd", 2000)
    _speaks_of(pages, "loss given default", "LGD")
    assert "R²" in pages["models/development"] and "AUC" not in pages["models/development"]
