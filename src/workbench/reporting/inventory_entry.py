"""The entry of a version in the inventory: identity, purpose, risk, data, people, state, calendar, limits.

The list is a superset of what SR 26-2's predecessor (p. 20), SS1/23 1.2 and OSFI E-23 ask of an inventory.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from workbench.models.kinds import named
from workbench.registry import written
from workbench.registry.claims import CLAIM
from workbench.registry.events import Event
from workbench.registry.lifecycle import EXCEPTION, READY, RETIRED
from workbench.registry.policy import FILE, Model
from workbench.reporting import dossier, excerpts, monitoring_report, owed
from workbench.reporting.document import NOBODY, Document, Row, Rows, chapter, event
from workbench.reporting.dossier import Dossier
from workbench.reporting.models import stated
from workbench.words import Text, heard, say

NAME = "inventory_entry"
ADOPTION = "registry/adoption"  # the step by which a model made elsewhere is taken in
UNNAMED = say("{file} has no place for it", file=FILE)
UNLISTED = say("the model isn't listed in {file}", file=FILE)
NO_MOVE = say("no such move was made")


def document(d: Dossier) -> Document:
    """Return the entry; its last chapter counts how many of its items are there."""
    chapters = (
        chapter("identity", say("Identity"), Rows(tuple(_identity(d)))),
        chapter("purpose", say("Purpose"), Rows(tuple(_purpose(d)))),
        chapter("risk", say("Risk"), Rows(tuple(_risk(d)))),
        chapter("reproducibility", say("Data and reproducibility"), Rows(tuple(_data(d)))),
        chapter("people", say("People"), Rows(tuple(_people(d)))),
        chapter("state", say("State"), Rows(tuple(_state(d)))),
        chapter("calendar", say("Calendar"), Rows(tuple(_calendar(d)))),
        chapter("limits", say("Limits"), Rows(tuple(_limits(d)))),
    )
    done, of = Document(NAME, chapters).completeness
    counted = say("{done} of {of: items are} there: {share:.0%}.", done=done, of=of, share=done / of)
    complete = chapter("completeness", say("Completeness"), Rows((Row("complete", say("Items"), counted),)))
    return Document(NAME, (*chapters, complete))


def _listed(d: Dossier) -> Model | None:
    return d.adopted.policy.models.get(d.registered.model) if d.adopted else None


def _by_policy(d: Dossier, key: str, what: Text, value: object, *, typed: bool = False) -> Row:
    adopted = d.chain.policy()
    source = f"{event(adopted.seq)} · {FILE}" if adopted else ""
    return Row(key, what, str(value) if value else "", source, UNLISTED, typed)


def _written(d: Dossier, key: str, what: Text, chapter_: str) -> Row:
    text = CLAIM.sub(r"\1 \2 \3", str(d.chapters.text(chapter_)))
    return Row(key, what, text, written.place(d.registered.model), NOBODY, typed=True)


def _identity(d: Dossier) -> Iterator[Row]:
    r, made = d.registered, excerpts.source(d.development, "") if d.development else ""
    libraries = ", ".join(_libraries(d))
    submitted = next((e for e in reversed(d.moves) if e.verb == "submit"), None)
    yield Row("name", say("Name"), r.model)
    yield Row("version", say("Version"), r.version)
    yield Row("digest", say("Digest over all its files (SHA-256)"), dossier.files_digest(d), "MLflow")
    yield Row("model_digest", say("Digest of the model file (SHA-256)"), d.model.get("digest", ""), made)
    yield Row("method", say("Kind of model"), named(d.model["kind"]) if d.model else "", made)
    outcome = d.contract.outcome if d.contract else None
    yield Row("predicts", say("What it predicts"), outcome.predicted if outcome else "", made)
    yield Row("origin", say("Origin"), _origin(d), made)
    yield Row("library", say("Language and libraries"), f"Python, {libraries}" if libraries else "", "requirements.txt")
    yield Row("run", say("Registered by run"), r.run_id, "MLflow")
    yield Row("account", say("Under the account"), excerpts.facts(d.development).get("user", ""), made)
    who = say("{person} on {day}", person=submitted.person, day=submitted.at[:10]) if submitted else ""
    yield Row("submitted", say("Submitted by"), who, event(submitted.seq) if submitted else "", NO_MOVE)


def _origin(d: Dossier) -> Text:
    step = d.development.record.step
    if step.partition("@")[0] != ADOPTION:
        return say("made in the workbench by {step}", step=step)
    return say("taken in by {step} from {source}", step=step, source=excerpts.parameters(d.development)["source"])


def _libraries(d: Dossier) -> list[str]:
    place = dossier.folder(d) / "requirements.txt"
    return place.read_text(encoding="utf-8").split() if place.exists() else []


def _purpose(d: Dossier) -> Iterator[Row]:
    listed, record = _listed(d), d.development.record
    yield _written(d, "intended_use", say("Intended use"), "developer.intended_use")
    yield Row("products", say("Products and customers"), heard(record.title), excerpts.source(d.development, ""))
    yield _by_policy(d, "decisions", say("Decisions it drives"), _purpose_of(listed))
    yield Row("regulatory_use", say("Regulatory use"), absent=UNNAMED)
    yield _written(d, "restrictions", say("Restrictions and prohibited uses"), "developer.restrictions")
    yield Row("jurisdictions", say("Jurisdictions"), absent=UNNAMED)
    yield Row("ai_act", say("Class under the EU AI Act"), absent=UNNAMED)
    yield Row("impact_assessment", say("Reference of the impact assessment"), absent=UNNAMED)


def _purpose_of(listed: Model | None) -> str:
    """Return what the policy says the model is for, in words: some of its words mean other things elsewhere."""
    return str(_PURPOSES.get(listed.purpose, listed.purpose)) if listed else ""


_PURPOSES = {
    "decision": say("decisions on customers"),
    "provisioning": say("provisions for losses"),
    "monitoring": say("watching the book"),
    "research": say("research alone"),
}


def _risk(d: Dossier) -> Iterator[Row]:
    listed = _listed(d)
    yield _by_policy(d, "tier", say("Tier"), d.entry.tier)
    yield _by_policy(d, "exposure", say("Exposure"), heard(listed.exposure) if listed else "")
    yield _by_policy(d, "purpose_class", say("Class of purpose"), _purpose_of(listed))
    yield Row("complexity", say("Score of complexity"), absent=say("the policy tiers by exposure and purpose alone"))
    reason = listed.justification if listed else ""
    yield _by_policy(d, "justification", say("Justification of the tier"), reason, typed=True)
    yield Row("tier_override", say("Override of the tier"), absent=say("the policy knows none"))
    upstream = [f"{run.record.step} ({run.record.run_id[:8]})" for run in d.upstream.values()]
    yield Row("dependencies", say("Stands on"), ", ".join(upstream), "MLflow")
    downstream = [r.step for r in dossier.readers(d)]
    nobody = say("no current run reads it")
    yield Row("readers", say("Read by"), ", ".join(downstream), "MLflow", nobody)


def _data(d: Dossier) -> Iterator[Row]:
    panel, values = d.step("panel/build"), excerpts.parameters(d.development)
    given, made = excerpts.parameters(panel), excerpts.source(d.development, "params")
    where = excerpts.source(panel, "params") if panel else ""
    facts = excerpts.facts(d.development)
    taken_in = excerpts.parameters(d.step("portfolios/intake"))
    yield Row("source", say("Source"), str(taken_in.get("portfolio", "")), where)
    yield Row("source_owner", say("Owner of the study"), heard(d.development.record.owner), made)
    yield Row("window", say("Window"), dossier.window(given), where, say("the rows have no dates"))
    yield Row("definition", say("Definition of the outcome"), dossier.definition(d), where)
    yield excerpts.figure(panel, "rows", "rows", say("Rows of the panel"), "{v:,.0f}")
    read = [f"{name} {digest}" for name, digest in d.development.read.items()]
    yield Row("digests", say("Tables read (SHA-256)"), ", ".join(read), excerpts.source(d.development, "tables"))
    for key, what in _CODE.items():
        yield Row(key, what, facts.get(key, ""), excerpts.source(d.development, key))
    shown = ", ".join(f"{k}={v}" for k, v in values.items())
    yield Row("parameters", say("Parameters"), shown, made)
    yield Row("seed", say("Seed"), str(values.get("seed", "")), made)
    example = d.files.get("input_example.json", "")
    yield Row("golden_records", say("Example rows served with it (SHA-256)"), example, "input_example.json")


_CODE = {
    "commit": say("Commit of the code"),
    "notebook_digest": say("Digest of the notebook"),
    "code_digest": say("Digest of the modules"),
    "packages_digest": say("Digest of the packages' versions"),
    "environment": say("Digest of the environment"),
}


def _people(d: Dossier) -> Iterator[Row]:
    listed, by = _listed(d), {e.verb: e for e in d.moves}
    yield _by_policy(d, "owner", say("Owner"), d.entry.owner)
    yield _by_policy(d, "developers", say("Developers"), ", ".join(listed.developers) if listed else "")
    for key, verb, what in (("validator", "validate", say("Validator")), ("approver", "approve", say("Approver"))):
        people = dict.fromkeys(e.person for e in d.moves if e.verb == verb)
        yield Row(key, what, ", ".join(people), event(by[verb].seq) if verb in by else "", NO_MOVE)
    yield Row("users", say("Users"), absent=UNNAMED)
    yield Row("distinct", say("Developed, validated and approved by different people"), _distinct(d), absent=NO_MOVE)


def _distinct(d: Dossier) -> Text | str:
    listed = _listed(d)
    developing = {*d.standing.developers, *(listed.developers if listed else ())}
    each = [developing, *({e.person for e in d.moves if e.verb == verb} for verb in ("validate", "approve"))]
    several = sorted({person for a, b in combinations(each, 2) for person in a & b})
    if several:
        return say("no: {people} did more than one of these", people=several)
    return say("yes") if all(each) else ""


def _state(d: Dossier) -> Iterator[Row]:
    s, by_verb, last = d.standing, {e.verb: e for e in d.moves}, _moved(d)
    by = event(last.seq) if last else ""
    set_by = next((event(by_verb[v].seq) for v in ("confirm", "approve") if v in by_verb), "")
    yield Row("lifecycle", say("State"), heard(stated(s)), by)
    yield Row("since", say("Since"), last.at[:10] if last else "", by, NO_MOVE)
    yield Row("event", say("By event"), f"{last.seq}:{last.digest}" if last else "", by, NO_MOVE)
    yield Row("champion", say("Champion of the model"), dossier.champion(d), absent=say("the model has none"))
    conditions = "; ".join(s.conditions)
    yield Row("conditions", say("Conditions"), conditions, set_by, say("none was set"), typed=True)
    until = s.until if s.state == EXCEPTION else ""
    yield Row("exception", say("Exception until"), until, by, say("none was granted"))
    yield Row("findings", say("Open findings"), owed.open_findings(d), absent=say("none is recorded in the chain"))
    yield Row("overlays", say("Adjustments after the model"), absent=UNNAMED)


def _moved(d: Dossier) -> Event | None:
    """Return the event that brought the version where it stands: what is put on record about it moves it nowhere.

    A champion is retired by another version's promotion, which is none of its own moves.
    """
    if d.standing.state == RETIRED:
        return next((e for e in d.chain.events if e.seq == d.standing.event), None)
    return next((e for e in reversed(d.moves) if e.target != e.source), None)


def _calendar(d: Dossier) -> Iterator[Row]:
    battery, retired = d.battery, _moved(d) if d.standing.state == RETIRED else None
    approved = next((e.at[:10] for e in reversed(d.moves) if e.verb == "approve" and e.target in READY), "")
    ran = excerpts.day_of(battery) if battery else ""
    yield Row("last_validation", say("Last validation"), ran, excerpts.source(battery, "") if battery else "")
    yield Row("approved", say("Approved on"), approved, absent=NO_MOVE)
    not_champion = say("only a champion has one")
    yield Row("next_review", say("Next review"), d.entry.next_review, FILE, not_champion)
    newest = d.watched
    where = excerpts.source(newest, "") if newest else ""
    watched = monitoring_report.period(newest) if newest else ""
    yield Row("last_monitoring", say("Last monitoring"), watched, where, say("no step of monitoring watches it"))
    yield Row("launched", say("Champion since"), d.standing.champion_since, absent=not_champion)
    yield Row("retired", say("Retired on"), retired.at[:10] if retired else "", absent=say("it is not retired"))
    yield Row("retention", say("Kept until"), absent=UNNAMED)


def _limits(d: Dossier) -> Iterator[Row]:
    yield _written(d, "limitations", say("Assumptions and limitations"), "developer.limitations")
    yield _written(d, "overrides", say("Overrides"), "developer.overrides")
    watched = ", ".join(dict.fromkeys(r.record.step for r in d.monitoring))
    controls = say("monitoring by {step}", step=watched) if watched and d.standing.is_in_use else ""
    absent = say("only a champion has one") if watched else say("no step of monitoring watches it")
    yield Row("controls", say("Compensating controls"), controls, absent=absent)
