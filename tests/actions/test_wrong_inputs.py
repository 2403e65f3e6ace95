"""What a study's section of a customer step can't mean is told in one line, before a kernel starts."""

from __future__ import annotations

import pandas as pd
import pytest

from workbench import home, tables
from workbench.actions import conversion, events, relationship, retention
from workbench.actions.named_codes import must_be_known
from workbench.params import UserError
from workbench.runs import study

FILE = home.root() / "params" / "sample_customers.yaml"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("actions/retention.campaigns=[]", "actions/retention: 'campaigns' = []: name at least one"),
        ("actions/groups.campaigns=[]", "actions/groups: 'campaigns' = []: name at least one"),
        ("actions/conversion.contact_kinds=[]", "actions/conversion: 'contact_kinds' = []: name at least one"),
        ("actions/events.match_on=[]", "actions/events: 'match_on' = []: name at least one"),
        (
            "actions/retention.capacity=1000000000000000000000",
            "actions/retention: 'capacity' = 1000000000000000000000: a number here is at most 1,000,000,000,000",
        ),
        (
            "actions/conversion.budget=.inf",
            "actions/conversion: 'budget' = inf: a number here is at most 1,000,000,000,000",
        ),
        (
            "actions/early_warning.areas=[regio_code]",
            "actions/early_warning: areas 'regio_code' is no column of core__account; did you mean 'region_code'?",
        ),
        (
            'actions/early_warning.start="delay_month > 0"',
            "actions/early_warning: start 'delay_month' is no column of core__month; did you mean 'delay_months'?",
        ),
        (
            "actions/conversion.split_by=chanel_code",
            "actions/conversion: split_by 'chanel_code' is no column of core__account or core__event; "
            "did you mean 'channel_code'?",
        ),
        (
            "actions/events.match_on=[n_login]",
            "actions/events: match_on 'n_login' is no column of core__month or core__account; did you mean 'n_logins'?",
        ),
        (
            "actions/events.hold=case",
            "actions/events: hold 'case' is no column of core__event; did you mean 'case_id'?",
        ),
        (
            'actions/events.outcome="left_bnk > 0"',
            "actions/events: outcome 'left_bnk' is no column of core__month; did you mean 'left_bank'?",
        ),
        (
            'panel/build@churn.outcome={name: churn, window_months: 3, event: "left = 1"}',
            "panel/build@churn: outcome.event 'left' is no column of core__month; did you mean 'left_bank'?",
        ),
        (
            "actions/events.steps=[approved, paid_out, approved]",
            "actions/events: steps: 'approved' stands twice; name each once",
        ),
        (
            "actions/events.panel=mart__chrn",
            "'actions/events' reads 'mart__chrn', which no step writes; did you mean 'mart__churn'?",
        ),
        (
            "actions/service.answers=nofile.yaml",
            "actions/service: file 'nofile.yaml' is not there (looked from the workbench's folder; or set WORKBENCH_DATA)",
        ),
        (
            "models/development@churn.choice=linear",
            "models/development@churn: choice 'linear' does not fit outcome 'churn'; these do: scorecard, tree, boosted",
        ),
        (
            "actions/early_warning.areas=[region_code, region_code]",
            "actions/early_warning: areas: 'region_code' stands twice; name each once",
        ),
        (
            "actions/conversion.panel=mart__churn",
            "actions/conversion: scores 'mart__scores_conversion' is of mart__conversion (models/development@conversion), "
            "not of mart__churn; write panel: mart__conversion, or name what is learnt from mart__churn",
        ),
        (
            "actions/conversion.model=churn",
            "actions/conversion: model 'churn' is of mart__churn (models/development@churn), not of mart__conversion; "
            "write panel: mart__churn, or name what is learnt from mart__conversion",
        ),
        (
            "actions/retention.panel=mart__conversion",
            "actions/retention: scores 'mart__scores_churn' is of mart__churn (models/development@churn), not of "
            "mart__conversion; write panel: mart__churn, or name what is learnt from mart__conversion",
        ),
        (
            "actions/retention.scores=mart__scores_conversion",
            "actions/retention: scores 'mart__scores_conversion' is of mart__conversion (models/development@conversion), "
            "not of mart__churn; write panel: mart__conversion, or name what is learnt from mart__churn",
        ),
        (
            "actions/early_warning.model=churn",
            "actions/early_warning: model 'churn' is of mart__churn (models/development@churn), not of mart__warning; "
            "write panel: mart__churn, or name what is learnt from mart__warning",
        ),
        (
            "customers/tags.account=C0000049",
            "customers/tags: account is no pseudonym (customer_ and 16 of 0-9a-f); give the one that stands on the lists; "
            "`workbench identify` tells whose it is",
        ),
        (
            "actions/relationship.calendar=Mars",
            "actions/relationship: calendar 'Mars' is no country or market; write a code such as DE or XECB, or leave it "
            "empty",
        ),
    ],
)
def test_it_is_told_in_one_line(monkeypatch, given, words):
    monkeypatch.delenv("WORKBENCH_DATA", raising=False)
    with pytest.raises(UserError) as e:
        study.load(FILE, (given,))
    assert str(e.value).removeprefix("sample_customers.yaml: ") == words


def test_a_profile_of_somebody_is_asked_for_by_pseudonym():
    with pytest.raises(UserError) as e:
        study.load(home.root() / "params" / "simulated_bank.yaml", ("customers/profile.account=C0000049",))
    assert str(e.value).startswith("simulated_bank.yaml: customers/profile: account is no pseudonym")
    assert "C0000049" not in str(e.value)


@pytest.mark.parametrize(
    ("module", "given", "words"),
    [
        (
            events,
            {"path_start": "complant"},
            "actions/events: path_start 'complant' is no event_kind of the data; did you mean 'complaint'?",
        ),
        (
            events,
            {"steps": ["complaint", "cal"]},
            "actions/events: steps 'cal' is no event_kind of the data; did you mean 'call'?",
        ),
        (
            relationship,
            {"changes": {"platinum_card": "2018-06"}},
            "actions/relationship: changes 'platinum_card' is no product_code of the data; did you mean 'credit_card'?",
        ),
        (
            retention,
            {"campaigns": ["save_9"]},
            "actions/retention: campaigns 'save_9' is no campaign_code of the data; did you mean 'save_1'?",
        ),
        (
            conversion,
            {"contact_kinds": ["call", "phonecall"]},
            "actions/conversion: contact_kinds 'phonecall' is no event_kind of the data; did you mean 'call'?",
        ),
    ],
)
def test_a_code_that_only_the_data_know_is_refused_with_the_nearest(monkeypatch, module, given, words):
    data = pd.DataFrame(
        {
            "event_kind": ["complaint", "call"],
            "campaign_code": ["save_1", None],
            "product_code": ["credit_card", "mortgage"],
        }
    )
    monkeypatch.setattr(tables, "scan", lambda key, name: data)
    step = {events: "log", relationship: "changes", retention: "trial_rows", conversion: "from_contact"}[module]
    with pytest.raises(UserError) as e:
        getattr(module, step)(module.Params(**given))
    assert str(e.value) == words


def test_data_without_any_code_say_so():
    with pytest.raises(UserError) as e:
        must_be_known(["x"], pd.DataFrame({"campaign_code": pd.Series([None], dtype=object)}), "campaign_code", "a: b")
    assert str(e.value) == "a: b 'x' is no campaign_code of the data; they hold none"
