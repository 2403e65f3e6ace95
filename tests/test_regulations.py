"""The register of regulations: whole in both languages, known by how code cites them, none of the cited ones rescinded."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from pydantic import ValidationError

from workbench.rules import regulations
from workbench.rules.regulations import Regulation

PACKAGE = Path(regulations.__file__).parents[1]
OF_AUTHORITIES = re.compile(
    r"SR \d|OCC \d|SS\d/\d|\bEBA\b|\bECB\b|\bCFR\b|575/2013|Basel|WP ?14|办法|指引|银监发|金规|JR/T|GL/\d{4}"
)


def _cited() -> list[str]:
    """Return every source of an answer and every reference of a rule that sounds like an authority's."""
    code = [
        p.read_text(encoding="utf-8")
        for p in PACKAGE.rglob("*.py")
        if p.parent.name in ("validation", "monitoring", "models")
    ]
    words = [m for text in code for m in re.findall(r'(?:source=|SOURCE = )"([^"]+)"', text)]
    for path in (PACKAGE / "rules").glob("*.yaml"):
        words += [rule["reference"] for rule in yaml.safe_load(path.read_text(encoding="utf-8")).values()]
    return [w for w in words if OF_AUTHORITIES.search(w)]


def test_every_rule_that_the_product_cites_is_registered_and_none_is_rescinded():
    words = _cited()
    assert len(words) > 10
    assert [w for w in words if not regulations.cited([w])] == []
    assert [str(t) for t in regulations.rescinded(words)] == []


def test_every_rule_has_its_facts_in_both_languages():
    for name, r in regulations.register().items():
        pairs = [r.title, r.authority, r.source, *(demand.what for demand in r.asks)]
        assert all(not pair.empty_in for pair in pairs) and r.read_on, name
        assert len(r.note.empty_in) in (0, 2), name


def test_the_rules_the_field_works_by_are_there():
    asked = ["SR 26-2", "SR 11-7", "SS1/23", "ECB (2019)", "EBA (2023)", "AI Act", "互联网贷款管理暂行办法"]
    asked += ["银监发〔2009〕104号", "金规〔2025〕9号", "JR/T 0221"]
    assert all(regulations.cited([words]) for words in asked)
    old = regulations.register()["sr_11_7"]
    assert (old.status, old.ended, old.superseded_by) == ("rescinded", "2026-04-17", "sr_26_2")


def test_a_rescinded_rule_has_its_day_and_no_other_has():
    facts = {"title": "t", "authority": "a", "source": "s", "read_on": "2026-11-23"}
    for more in ({"status": "rescinded"}, {"status": "in force", "ended": "2026-01-01"}):
        with pytest.raises(
            ValidationError, match="a rescinded rule has the day on which it ended, and no other has one"
        ):
            Regulation.model_validate(facts | more)
