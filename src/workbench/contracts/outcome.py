"""What is predicted: a default, a churn, a subscription, a loss rate; and how a page speaks of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from workbench.words import Text, say


class Words(BaseModel):
    """How a page speaks of the outcome, in English; each is a term of the catalogue, translated where it has it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    event: str = Field("default", description="one of them, as in `the first default`")
    events: str = Field("defaults", description="several of them, as in `30 defaults`")
    rate: str = Field("default rate", description="share of rows with the event, or the mean of an amount or a rate")
    predicted: str = Field("PD", description="what a model says of one row")
    positive: str = Field("bad", description="a row with the event")
    negative: str = Field("good", description="a row without it")


class Outcome(BaseModel):
    """What is predicted.

    Recorded in the column whose role is `outcome` (of a binary one, the contract's `event_value` is the event), or an
    `event` that happens in a month after the as-of date: an SQL condition on the columns of the months. `eligible` is
    an SQL condition on the entity as of the date: who already had the event is asked nothing.

    A `time` is the months until the event, the whole window where it doesn't come in it or a competing event comes
    first: its mean is the restricted mean time to the event (Andersen (2013), Statistics in Medicine 32(30)). It is
    learnt, tested and watched as an amount of months; of a bad event a longer time is better (`favourable`).

    Of what is `named` (the intent of a customer's question) the outcome is whether it is named rightly: an event whose
    probability is the model's confidence, and which each model has anew. The step that develops the model writes it.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("default", pattern=r"^[a-z][a-z0-9_]*$", description="name of the outcome")
    kind: Literal["binary", "amount", "rate", "time", "named"] = Field("binary", description="what is measured")
    event: str = Field("", description="SQL condition on a later month; empty: the recorded outcome column")
    eligible: str = Field("", description="SQL condition on the entity as of the date; empty: everybody")
    window_months: int = Field(0, ge=0, le=120, description="length of the performance window")
    competing: tuple[str, ...] = Field((), description="SQL conditions whose earlier event ends the window")
    direction: Literal["adverse", "favourable"] = Field("adverse", description="whether more of it is worse")
    words: Words = Words()

    @property
    def is_binary(self) -> bool:
        """Whether a row has the event or not, rather than an amount or a rate of it."""
        return self.kind in ("binary", "named")

    @property
    def scale(self) -> Literal["binary", "amount", "rate", "named"]:
        """What models and tests see: a time is an amount of months."""
        return "amount" if self.kind == "time" else self.kind

    @property
    def rate(self) -> Text:
        """`default rate`, in the language spoken."""
        return say(self.words.rate)

    @property
    def events(self) -> Text:
        """`defaults`, in the language spoken."""
        return say(self.words.events)

    @property
    def event_word(self) -> Text:
        """`default`, in the language spoken."""
        return say(self.words.event)

    @property
    def predicted(self) -> Text:
        """`PD`, in the language spoken."""
        return say(self.words.predicted)

    @property
    def positive(self) -> Text:
        """`bad`, in the language spoken."""
        return say(self.words.positive)

    @property
    def negative(self) -> Text:
        """`good`, in the language spoken."""
        return say(self.words.negative)
