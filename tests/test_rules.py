"""Rules: looked up as of a day, a home's above the shipped, a study's above both; every rule is whole."""

from pathlib import Path

import pytest
import yaml

from workbench import home, rules
from workbench.params import UserError
from workbench.rules import book

CASES = yaml.load((Path(__file__).parent / "cases" / "rules.yaml").read_text(), yaml.BaseLoader)
ALL = {n: r for p in book.SHIPPED.glob("*.yaml") for n, r in yaml.safe_load(p.read_text()).items()}


def _value(case: dict, key: str):
    """Numbers as YAML reads them; days stay text."""
    return yaml.safe_load(yaml.safe_dump(case[key]).replace("'", "")) if key in case else None


@pytest.fixture
def own_home(tmp_path, monkeypatch):
    (tmp_path / "params" / "rules").mkdir(parents=True)
    monkeypatch.setenv("WORKBENCH_HOME", str(tmp_path))
    assert home.root() == tmp_path.resolve()
    return tmp_path / "params" / "rules"


def test_a_day_before_the_first_value_of_any_rule_is_refused():
    early = "2000-01-01"  # before any that a new validation test brings along
    with pytest.raises(UserError, match=f"rule '[a-z_]+' has no value on {early}; its first is of 20"):
        rules.load(early)


@pytest.mark.parametrize("case", CASES, ids=lambda c: c["name"])
def test_the_value_that_holds(case, own_home):
    if "home" in case:
        content = {case["rule"]: {**ALL[case["rule"]], "values": _value(case, "home")}}
        (own_home / "stability.yaml").write_text(yaml.safe_dump(content))
    overrides = {case.get("study_name", case["rule"]): _value(case, "study")} if "study" in case else {}
    expected = case["expect"]
    if isinstance(expected, str) and not expected.replace(".", "").isdigit():
        with pytest.raises(UserError) as e:
            rules.load(case["as_of"], overrides, "study")
        assert str(e.value) == expected
        return
    in_force = rules.load(case["as_of"], overrides, "study")
    if isinstance(expected, dict):
        rule = in_force[case["rule"]]
        assert (rule.amber, rule.red) == (float(expected["amber"]), float(expected["red"]))
        assert (rule.instead_of is not None) == ("study" in case)
    else:
        assert in_force.number(case["rule"]) == float(expected)


def test_until_a_homes_rule_is_in_force_the_shipped_one_holds(own_home):
    of_bank = {**ALL["psi"], "owner": "our bank", "values": {"2027-01-01": {"amber": 0.05, "red": 0.2}}}
    (own_home / "stability.yaml").write_text(yaml.safe_dump({"psi": of_bank}))
    before, after = rules.load("2026-12-31"), rules.load("2027-01-01")
    assert (before["psi"].amber, before["psi"].owner) == (0.10, ALL["psi"]["owner"])
    assert (after["psi"].amber, after["psi"].owner) == (0.05, "our bank")
    with pytest.raises(UserError, match="its first is of 20"):
        rules.load("2000-01-01")


def test_every_rule_says_what_whose_and_why():
    for name, content in ALL.items():
        assert all(content[k] for k in ("description", "unit", "owner", "reference", "values")), name
    assert len(ALL) > 40


def test_an_override_is_shown_as_one():
    text = str(rules.load("2026-11-24", {"gini": [0.5, 0.3]})["gini"].text)
    assert text.endswith("amber below 0.5, red below 0.3 (the study's; the rule has 0.4 and 0.25).")
    assert rules.load("2026-11-24")["gini"].text.in_language("en").endswith("(convention, since 2026-11-24).")


def test_the_digest_changes_when_a_value_does(own_home):
    before = rules.load("2026-11-24").digest()
    assert before == rules.load("2026-11-25").digest() != rules.load("2026-11-24", {"psi": [0.1, 0.2]}).digest()


def test_a_name_in_two_files_or_an_unknown_one_is_refused(own_home):
    (own_home / "a.yaml").write_text(yaml.safe_dump({"psi": ALL["psi"]}))
    (own_home / "b.yaml").write_text(yaml.safe_dump({"psi": ALL["psi"]}))
    with pytest.raises(UserError) as e:
        rules.load("2026-11-24")
    assert str(e.value) == "b.yaml: rule 'psi' stands in a.yaml, too; keep one"
    (own_home / "b.yaml").write_text(yaml.safe_dump({"pssi": ALL["psi"]}))
    with pytest.raises(UserError) as e:
        rules.load("2026-11-24")
    assert str(e.value) == "b.yaml: rules: unknown 'pssi'; did you mean 'psi'?"
    with pytest.raises(UserError) as e:
        rules.load("2026-11-24", where="x")
    (own_home / "b.yaml").unlink()
    with pytest.raises(UserError) as e:
        _ = rules.load("2026-11-24")["ginii"]
    assert str(e.value) == "rules: unknown 'ginii'; did you mean 'gini'?"


def test_a_file_of_rules_by_another_ending_is_refused_and_not_passed_over(own_home):
    (own_home / "README.md").write_text("who decides on these")
    rules.load("2026-11-24")
    for name in ("own.yml", "own.YAML"):
        (own_home / name).write_text(yaml.safe_dump({"psi": ALL["psi"]}))
        with pytest.raises(UserError) as e:
            rules.load("2026-11-24")
        assert str(e.value) == f"params/rules/{name}: a file of rules ends in .yaml; rename it own.yaml"
        (own_home / name).unlink()


@pytest.mark.parametrize(
    ("changed", "line"),
    [
        ({"description": None}, "psi.description: add it"),
        ({"ownr": "us"}, "psi.ownr: unknown; did you mean 'owner'?"),
        ({"worse": "up"}, "psi.worse: write 'higher' or 'lower'"),
        ({"actions": {"ambr": "watch"}}, "psi.actions.ambr: unknown; did you mean 'amber'?"),
        ({"values": {"2026-01-01": {"amber": 0.1}}}, "psi.values.2026-01-01.red: add it"),
        ({"values": {"2026-01-01": "low"}}, "psi.values.2026-01-01: write {amber: 0.1, red: 0.25}, or one number"),
        ({"values": {"2026-01-01": {"amber": -1, "red": 1}}}, "psi.values.2026-01-01.amber: write 0 or more"),
        ({"values": {"soon": 1}}, "psi.values.soon: write a day, YYYY-MM-DD"),
    ],
)
def test_what_is_wrong_in_a_homes_rule_is_told_with_what_to_write(changed, line, own_home):
    content = {field: value for field, value in {**ALL["psi"], **changed}.items() if value is not None}
    (own_home / "x.yaml").write_text(yaml.safe_dump({"psi": content}))
    with pytest.raises(UserError) as e:
        rules.load("2026-11-24")
    assert str(e.value) == f"x.yaml: {line}"


def test_a_rule_that_was_not_in_force_yet_is_asked_in_vain():
    before, after = rules.load("2026-11-26"), rules.load("2026-11-27")
    with pytest.raises(UserError) as e:
        _ = before["twins"]
    assert str(e.value) == "rule 'twins' has no value on 2026-11-26; its first is of 2026-11-27"
    assert after["twins"].red == 0.05 and before["gini"].red == after["gini"].red
