"""What was tried for the service desk's model, each a row: five-fold cross-validation on BANKING77's training part.

The published test part is never read here. `python benchmarks/service.py variants`. The rows of static embeddings want
`wordllama` and `tokenizers` beside what is locked, and are left out without them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix, hstack
from scipy.special import log_softmax, softmax
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neural_network import MLPClassifier
from sklearn.svm import SVC, LinearSVC

from workbench.actions import service
from workbench.metrics.selective import least_confidence
from workbench.models import encoder
from workbench.models.intents import SCALE, unified
from workbench.models.naming import INTENT

Views = dict[str, tuple]  # name → what is learnt from, what is asked


def main(p: service.Params, scored: int = 0) -> None:
    """Print accuracy of every variant, all answered, fold by fold, then what confidence answers and hands over."""
    learn = service.part(service.questions(p), service.TRAIN)
    texts, y = learn["question"].tolist(), learn[INTENT].to_numpy()
    rows, sure = [], []
    fixed = _fixed(texts)
    splits = list(StratifiedKFold(p.folds, shuffle=True, random_state=p.seed).split(texts, y))
    for fit, rest in splits[: scored or p.folds]:
        print(f"fold {len(rows) + 1}", flush=True)
        logs, intents = _shares(_views(texts, fixed, fit, rest), y[fit], y[rest])
        rows.append({name: (intents[log.argmax(axis=1)] == y[rest]).mean() for name, log in logs.items()})
        sure.append(_sureness(logs, intents, fixed["sentences"], (fit, rest), y).assign(seen=True))
        sure += _of_unseen(texts, y, fixed, (fit, rest), p)
    table = pd.DataFrame(rows)
    for name in table:
        print(f"{table[name].mean():.2%} {name}")
    _print_sureness(pd.concat(sure), p)


def _fixed(texts: list[str]) -> dict[str, np.ndarray]:
    """Return vectors that hang on no sample: the encoder's, and static embeddings pooled where they are installed."""
    out = {"sentences": encoder.encoded(texts)}
    if find_spec("wordllama") and find_spec("tokenizers"):
        out["static"] = _static(texts, lambda tokens: np.ones(len(tokens)))
    return out


def _static(texts: list[str], weight: Callable[[list[int]], np.ndarray]) -> np.ndarray:
    """Return WordLlama's token vectors pooled by weights of the tokens, each sentence of length one."""
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = Path(find_spec("wordllama").origin).parent
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers/l2_supercat_tokenizer_config.json"))
    (vectors,) = load_file(str(folder / "weights/l2_supercat_256.safetensors")).values()
    ids = [e.ids for e in tokenizer.encode_batch(texts, add_special_tokens=False)]
    pooled = np.array([weight(i) @ vectors[i].astype(np.float32) / weight(i).sum() for i in ids])
    return pooled / np.linalg.norm(pooled, axis=1, keepdims=True)


def _weighted(texts: list[str], fit: np.ndarray, smoothed: bool) -> np.ndarray:
    """Return static embeddings pooled by inverse document frequency, or by SIF (Arora et al. 2017)."""
    from tokenizers import Tokenizer

    folder = Path(find_spec("wordllama").origin).parent
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers/l2_supercat_tokenizer_config.json"))
    counts = np.zeros(tokenizer.get_vocab_size())
    for e in tokenizer.encode_batch([texts[i] for i in fit], add_special_tokens=False):
        counts[list(set(e.ids))] += 1
    by_token = 0.01 / (0.01 + counts / len(fit)) if smoothed else np.log((1 + len(fit)) / (1 + counts)) + 1
    return _static(texts, lambda tokens: by_token[tokens])


def _views(texts: list[str], fixed: dict[str, np.ndarray], fit: np.ndarray, rest: np.ndarray) -> Views:
    """Return what each variant may learn from: words, vectors, both side by side."""
    alike = [unified(t) for t in texts]
    learnt, asked = ([alike[i] for i in part] for part in (fit, rest))
    out: Views = {}
    for most in (4, 5):
        words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), token_pattern=r"(?u)\b\w+\b")
        parts = TfidfVectorizer(sublinear_tf=True, analyzer="char_wb", ngram_range=(2, most), min_df=2)
        readers = (words, parts)
        out[f"words, parts of 2 to {most}"] = (
            hstack([r.fit_transform(learnt) for r in readers]).tocsr(),
            hstack([r.transform(asked) for r in readers]).tocsr(),
        )
    vectors = dict(fixed)
    if "static" in fixed:
        vectors |= {"static, by idf": _weighted(texts, fit, False), "static, by SIF": _weighted(texts, fit, True)}
        vectors["sentences and static"] = np.hstack([fixed["sentences"], fixed["static"]])
    out |= {name: (v[fit], v[rest]) for name, v in vectors.items()}
    base = out["words, parts of 2 to 5"]
    for name, times in (
        ("sentences", 1.2),
        ("sentences", 2.5),
        ("static", 2),
        ("static, by idf", 2),
        ("static, by SIF", 2),
    ):
        if name in out:
            both = (hstack([b, csr_matrix(times * v)]).tocsr() for b, v in zip(base, out[name], strict=True))
            out[f"words + {times:g} × {name}"] = tuple(both)
    return out


def _shares(views: Views, y: np.ndarray, asked_for: np.ndarray) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return log shares (rows × intents) of every variant, single and pooled, and the intents; print each once done."""
    logs, intents = {}, np.unique(y)

    def done(name: str, log: np.ndarray) -> None:
        logs[name] = log
        print(f"  {(intents[log.argmax(axis=1)] == asked_for).mean():.2%} {name}", flush=True)

    for name, (learnt, asked) in sorted(
        views.items(), key=lambda view: view[0].startswith("words + ")
    ):  # slow ones last
        if "words" in name:
            done(
                f"linear SVM: {name}", log_softmax(SCALE * LinearSVC().fit(learnt, y).decision_function(asked), axis=1)
            )
            continue
        for cost in (10, 30, 100) if name == "sentences" else (30,):
            model = LogisticRegression(C=cost, max_iter=300).fit(learnt, y)
            done(f"logistic, C {cost}: {name}", log_softmax(model.decision_function(asked), axis=1))
    learnt, asked = views["sentences"]
    gaussian = SVC(C=10, gamma=1.0, decision_function_shape="ovr").fit(learnt, y)
    done("Gaussian SVM: sentences", log_softmax(2 * gaussian.decision_function(asked), axis=1))
    layers = MLPClassifier((512,), alpha=1e-3, max_iter=40, n_iter_no_change=41, random_state=1).fit(3 * learnt, y)
    done("one hidden layer: sentences", np.log(layers.predict_proba(3 * asked) + 1e-9))
    for name, log in _pooled(logs).items():
        done(name, log)
    return logs, intents


def _pooled(logs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return averages of log shares."""
    words, sentences = logs["linear SVM: words, parts of 2 to 5"], logs["logistic, C 30: sentences"]
    gaussian, layers = logs["Gaussian SVM: sentences"], logs["one hidden layer: sentences"]
    both = logs["linear SVM: words + 1.2 × sentences"]
    return {
        "pool (taken): SVM of words, logistic of sentences": (words + sentences) / 2,
        "pool, words twice": (2 * words + sentences) / 3,
        "pool, sentences twice": (words + 2 * sentences) / 3,
        "pool: SVM of words, Gaussian SVM": (words + gaussian) / 2,
        "pool: SVM of words, hidden layer": (words + layers) / 2,
        "pool: SVM of both, logistic of sentences": (both + sentences) / 2,
        "pool: SVM of words, logistic, Gaussian SVM": (words + sentences + gaussian) / 3,
    }


def _of_unseen(
    texts: list[str],
    y: np.ndarray,
    fixed: dict[str, np.ndarray],
    split: tuple[np.ndarray, np.ndarray],
    p: service.Params,
) -> list[pd.DataFrame]:
    """Return how sure models are of a fold's questions whose intent they haven't seen, a group of intents at a time."""
    intents, (fit, rest) = np.unique(y), split
    groups, out = np.random.default_rng(p.seed).permutation(len(intents)) % p.folds, []
    for group in range(p.folds):
        gone = set(intents[groups == group])
        less = np.array([i for i in fit if y[i] not in gone]), np.array([i for i in rest if y[i] in gone])
        views = _views(texts, {"sentences": fixed["sentences"]}, *less)
        words, vectors = views["words, parts of 2 to 5"], views["sentences"]
        logs = {
            "linear SVM: words, parts of 2 to 5": log_softmax(
                SCALE * LinearSVC().fit(words[0], y[less[0]]).decision_function(words[1]), axis=1
            ),
            "logistic, C 30: sentences": log_softmax(
                LogisticRegression(C=30, max_iter=300).fit(vectors[0], y[less[0]]).decision_function(vectors[1]), axis=1
            ),
        }
        known = np.unique(y[less[0]])
        out.append(_sureness(logs, known, fixed["sentences"], less, y).assign(seen=False))
    return out


def _sureness(
    logs: dict[str, np.ndarray],
    intents: np.ndarray,
    vectors: np.ndarray,
    split: tuple[np.ndarray, np.ndarray],
    y: np.ndarray,
) -> pd.DataFrame:
    """Return of every question asked ways of being sure of its name, and whether it is right."""
    fit, rest = split
    pool = (logs["linear SVM: words, parts of 2 to 5"] + logs["logistic, C 30: sentences"]) / 2
    centres = np.array([vectors[fit][y[fit] == i].mean(axis=0) for i in intents])
    likeness = vectors[rest] @ (centres / np.linalg.norm(centres, axis=1, keepdims=True)).T
    first, row, two = pool.argmax(axis=1), np.arange(len(rest)), np.sort(pool, axis=1)[:, -2:]
    near = likeness[row, first]
    return pd.DataFrame(
        {
            "right": (intents[first] == y[rest]).astype(float),
            "share of the first (taken)": softmax(pool, axis=1).max(axis=1),
            "first against second": two[:, 1] - two[:, 0],
            "share of the first by words": np.exp(logs["linear SVM: words, parts of 2 to 5"][row, first]),
            "share of the first by sentence": np.exp(logs["logistic, C 30: sentences"][row, first]),
            "likeness to the intent's centre": near,
            "first against second + 5 × likeness": two[:, 1] - two[:, 0] + 5 * near,
            "first against second + 10 × likeness": two[:, 1] - two[:, 0] + 10 * near,
        }
    )


def _print_sureness(sure: pd.DataFrame, p: service.Params) -> None:
    """Print, of each way to be sure, what is answered and right, and what of unseen intents is handed over."""
    known, strange = sure[sure["seen"]], sure[~sure["seen"]]
    for name in [c for c in sure if c not in ("right", "seen")]:
        least, fifth = least_confidence(known[name], known["right"], p.accuracy), known[name].quantile(0.2)
        answered, refused = (known[name] >= least).mean(), (strange[name] < least).mean()
        right = known.loc[known[name] >= fifth, "right"].mean()
        print(
            f"{name}: {answered:.1%} answered at {p.accuracy:.0%} right, {refused:.1%} of unseen intents handed over; "
            f"80 % answered at {right:.2%} right, {(strange[name] < fifth).mean():.1%} handed over"
        )
