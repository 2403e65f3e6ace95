"""A list that names somebody who opted out is refused by the runner, whatever step left it."""

from types import SimpleNamespace

import pandas as pd
import pytest

from workbench import tables
from workbench.contracts import Column, Contract
from workbench.params import Key, UserError
from workbench.runs import listed


@pytest.mark.parametrize("values", [{}, {"0": "no", "1": "yes"}])
def test_a_list_with_somebody_who_opted_out_is_refused_and_one_without_is_kept(tmp_path, monkeypatch, values):
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    key = Key("bank")
    out = Column(name="opted_out", type="category", role="fact", values=values)
    columns = (Column(name="entity_id", type="text", role="key"), out)
    account = pd.DataFrame({"entity_id": ["a", "b"], "opted_out": [values.get(c, c) for c in "01"]})
    tables.write(key, "core__account", account, Contract(name="a", title="A", columns=columns))
    staged = listed.tables.home.scratch() / key.place
    tables.pin(key, "core__account", tables.keep(key, "core__account", staged))
    (staged / "core__account.json").unlink()
    work, step = tmp_path / "work", SimpleNamespace(name="actions/x", key=key)
    for entities, n in ((["a"], 0), (["a", "b"], 1)):
        place = work / "evidence" / tables.STAGED / "mart__list_x.parquet"
        place.parent.mkdir(parents=True, exist_ok=True)
        pd.DataFrame({"entity_id": entities}).to_parquet(place)
        assert listed.opted_out_of(entities, key, "mart__list_x") == n
        assert listed.opted_out_of(entities, key, "mart__list_watch") == 0
        if not n:
            listed.refuse(step, work)
            assert place.exists()
    with pytest.raises(UserError) as e:
        listed.refuse(step, work)
    assert str(e.value) == (
        "actions/x: 1 on mart__list_x opted out of being approached; nothing was kept; "
        "make the list by actions/action_list.py"
    )
    assert not work.exists()
