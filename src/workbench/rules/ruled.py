"""Parameters that look rules up: by the step's own day, with the study's own values above them."""

from __future__ import annotations

from workbench.rules.book import Rules, load


class Ruled:
    """What the parameters of a step with the fields `rules_as_of` and `thresholds` share.

    Stands before `params.Params`, and is no model: a step's fields keep the order of its notebook's parameters.
    """

    def verify(self) -> None:
        """Raise `UserError` for an unknown rule, or a wrong value of one."""
        self.rules()

    def rules(self) -> Rules:
        """Return the rules in force, the study's own values above them."""
        step = type(self).__module__.removeprefix("workbench.").replace(".", "/")
        return load(self.rules_as_of, self.thresholds, f"{step}: thresholds")
