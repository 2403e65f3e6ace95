"""How often the battery refuses, or shows an amber on, a sound model: 100 in each of four settings.

    python benchmarks/false_alarms.py [MODELS]

Every model is developed on a simulated book of its own (`sound_models.py`), in which nothing changes after development.
The refits of `specification` cost as much as all other tests together: every fourth model has them. Not evaluated are
models of which a mandatory test could not be; the raw months of a book are made where it has one date a year.
"""

from __future__ import annotations

import sys
import time
import warnings
from collections import Counter
from dataclasses import replace

from sound_models import SETTINGS, Setting, book, developed, months

from workbench.validation import battery

MODELS, REFITS_EVERY = 100, 4
REFITS = "specification"


def lights(setting: Setting, seed: int) -> tuple[str, dict[str, str]]:
    """Return the verdict on one sound model, and the light of every test."""
    panel, names = book(setting, seed), set(battery.tests("binary"))
    tested = developed(panel, seed)
    tested = replace(tested, served=tested.model.scored, raw=months(panel) if setting.dates == 1 else None)
    items = battery.run(tested, names=names if seed % REFITS_EVERY == 0 else names - {REFITS})
    return str(battery.verdict(items, tested).value), {e.key: str(e.verdict) for e in items}


def main(models: int) -> None:
    """Print one row per setting, then the tests that were amber or red at all."""
    warnings.simplefilter("ignore")
    bad: Counter[tuple[str, str]] = Counter()
    words: Counter[str] = Counter()
    any_amber, began = 0, time.process_time()
    print("| setting | models | refused | referred | any amber | not evaluated |")
    print("| --- | --- | --- | --- | --- | --- |")
    for i, setting in enumerate(SETTINGS):
        here, ambers, unknown = Counter(), 0, 0
        for seed in range(models):
            word, by_test = lights(setting, 1000 * i + seed)
            here[word] += 1
            ambers += any(v in ("amber", "red", "error") for v in by_test.values())
            unknown += any(by_test[n] == "not_evaluated" for n in battery.mandatory("binary"))
            bad.update((name, v) for name, v in by_test.items() if v not in ("green", "info", "not_evaluated"))
        words += here
        any_amber += ambers
        shares = (here["refuse"], here["refer"], ambers, unknown)
        print(f"| {setting.name} | {models} | {' | '.join(f'{n / models:.0%}' for n in shares)} |", flush=True)
    total = models * len(SETTINGS)
    refused, referred, amber = (n / total for n in (words["refuse"], words["refer"], any_amber))
    print(f"| all | {total} | {refused:.1%} | {referred:.1%} | {amber:.1%} | |")
    print(f"\n{time.process_time() - began:.0f} CPU seconds\n\n| test | light | models |\n| --- | --- | --- |")
    for (name, light), n in sorted(bad.items(), key=lambda item: -item[1]):
        print(f"| {name} | {light} | {n / total:.1%} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else MODELS)
