"""Questions named again by the validator: those of development by models that haven't seen them, the others as registered.

What development wrote of right and wrong is not read. A model of intents knows the questions it learnt from by heart; its
confidence was calibrated on questions left out of it, and is tested on such.
"""

from __future__ import annotations

import pandas as pd

from workbench.models import naming
from workbench.models.scorer import Scorer


def named_again(known: pd.DataFrame, model: Scorer) -> pd.DataFrame:
    """Return rows of a panel of questions with named_code, predicted (confidence) and outcome (1 where named rightly).

    Development: out of fold, by the settings, folds and seed that the registered version records.
    """
    facts, is_learnt = model.facts, known["sample"] == "development"
    learn, others = known[is_learnt], known[~is_learnt]
    crossed = naming.out_of_fold(learn, facts["settings"], int(facts["folds"]), int(facts["seed"]))
    columns = {"named_code": crossed["named"], "outcome": crossed["right"]}
    learn = learn.assign(predicted=model.calibration.apply(crossed["raw"].to_numpy()), **columns)
    return pd.concat([learn, naming.asked(model, others).drop(columns="grade_code")]).loc[known.index]
