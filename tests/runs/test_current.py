"""The registry says what the current runs say, and follows when they change."""

import dataclasses

import pytest

from running import COPY, copied
from workbench.registry import current, runs, standing, store
from workbench.runs import settling


@pytest.fixture(scope="module")
def home(sample_home, tmp_path_factory):
    """A copy of the sample's home."""
    copy = copied(sample_home / COPY, tmp_path_factory.mktemp("current") / "home")
    with pytest.MonkeyPatch.context() as here:
        here.setenv("WORKBENCH_HOME", str(copy))
        store.client()  # takes the copied store into its new place
        yield copy


def _tags(record: current.Record) -> dict[str, str]:
    tagged = record.tags["model__pd"]
    return dict(store.client().get_model_version(tagged["name"], tagged["version"]).tags)


def test_tags_and_alias_follow_the_current_run_and_an_edited_tag_is_put_right(home):
    first = next(r for r in current.everything() if r.step == "validation/battery")
    tagged = first.tags["model__pd"]
    other = {"model__pd": {**tagged, "tags": {"validation.verdict": "refuse", "validation.more": "x"}}}
    another = next(r.run_id for r in current.everything() if r.step == "panel/build")
    with current.holding("sample"):
        settling.settle(dataclasses.replace(first, run_id=another, tags=other))
        assert _tags(first)["validation.verdict"] == "refuse" and _tags(first)["validation.more"] == "x"
        settling.settle(first)
        assert {k: _tags(first)[k] for k in tagged["tags"]} == tagged["tags"] and "validation.more" not in _tags(first)
        store.client().set_model_version_tag(tagged["name"], tagged["version"], "validation.verdict", "forged")
        assert not standing.says(tagged)
        settling.settle(first)
        assert _tags(first)["validation.verdict"] == tagged["tags"]["validation.verdict"]
        development = next(r for r in current.everything() if r.step == "models/development")
        store.client().delete_registered_model_alias(tagged["name"], standing.ALIAS)
        settling.settle(development)
    assert store.client().get_model_version_by_alias(tagged["name"], standing.ALIAS).version == int(tagged["version"])


def test_a_model_whose_file_was_changed_or_version_deleted_does_not_count(home):
    record = next(r for r in current.everything() if r.step == "models/development")
    assert settling.stands(record)
    entry = record.models["model__pd"]
    file = home / "mlruns" / entry["folder"] / "artifacts" / "model.json"
    content = file.read_bytes()
    file.write_bytes(content + b" ")
    assert not settling.stands(record)
    file.write_bytes(content)
    assert settling.stands(record)
    assert not settling.stands(dataclasses.replace(record, models={"model__pd": {**entry, "version": "999"}}))


def test_figures_by_period_are_metrics_whose_step_is_the_month(home):
    record = next(r for r in current.everything() if r.step == "monitoring/through_time")
    history = store.client().get_metric_history(record.run_id, "expected")
    assert [m.step for m in history] == [runs.month_number(f"2005-0{m}") for m in (6, 7, 8)]
    table = runs.fetch(record.run_id, "series.json").read_text()
    assert '"2005-06"' in table and '"columns": ["figure", "period", "value"]' in table


def test_a_record_from_before_it_had_a_description_keeps_its_digest():
    about = {"study": "s", "period": "once", "step": "a/b", "slug": "a-b", "run_id": "1", "step_key": "k"}
    record = current.Record(**about, status="FINISHED", verdict="green", headline="h", start=1.5, seconds=2.0)
    assert record.digest == "2f769bb021aec2f414c10027e2f148aa33d768f358624105e1daff97b8b4de03"
    described = dataclasses.replace(record, description="cards of Taiwan")
    assert described.digest != record.digest and current.from_json(described.to_json()) == described
    assert current.from_json((spoken := dataclasses.replace(record, language="zh_CN")).to_json()) == spoken
