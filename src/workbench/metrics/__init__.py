"""Pure numbers by family, each with its source: binary, calibration, amount, stability, intervals, power, uplift."""

from workbench.metrics.amount import mae, r_squared, r_squared_influence, rmse, spearman, spearman_interval
from workbench.metrics.binary import auc, auc_influence, auc_interval, dense_ranks, gini, ks, ks_influence, rarer
from workbench.metrics.calibration import (
    brier,
    calibration_error_limit,
    calibration_line,
    equal_parts,
    expected_calibration_error,
    log_loss,
)
from workbench.metrics.decomposition import mix_and_rate
from workbench.metrics.flags import excess, gains, jaccard, median_interval, precision, recall
from workbench.metrics.incidence import cumulative_incidence, incidence_of, naive_incidence
from workbench.metrics.information import information
from workbench.metrics.intervals import (
    bootstrap_interval,
    clustered_error,
    design_effect,
    effective,
    effective_alike,
    effective_counts,
    independent,
    likeness,
    mean_interval,
    rate_interval,
    weighted_median,
    wilson,
)
from workbench.metrics.linear import inflation, slopes
from workbench.metrics.multiple import holm
from workbench.metrics.power import POWER, least_noncentrality, least_psi, least_rate, least_shift
from workbench.metrics.stability import psi, psi_critical
from workbench.metrics.uplift import average_effect, effects, policy_value, qini, qini_area, sample_ratio

__all__ = [
    "POWER",
    "auc",
    "auc_influence",
    "auc_interval",
    "average_effect",
    "bootstrap_interval",
    "brier",
    "calibration_error_limit",
    "calibration_line",
    "clustered_error",
    "cumulative_incidence",
    "dense_ranks",
    "design_effect",
    "effective",
    "effective_alike",
    "effective_counts",
    "effects",
    "equal_parts",
    "excess",
    "expected_calibration_error",
    "gains",
    "gini",
    "holm",
    "incidence_of",
    "independent",
    "inflation",
    "information",
    "jaccard",
    "ks",
    "ks_influence",
    "least_noncentrality",
    "least_psi",
    "least_rate",
    "least_shift",
    "likeness",
    "log_loss",
    "mae",
    "mean_interval",
    "median_interval",
    "mix_and_rate",
    "naive_incidence",
    "policy_value",
    "precision",
    "psi",
    "psi_critical",
    "qini",
    "qini_area",
    "r_squared",
    "r_squared_influence",
    "rarer",
    "rate_interval",
    "recall",
    "rmse",
    "sample_ratio",
    "slopes",
    "spearman",
    "spearman_interval",
    "weighted_median",
    "wilson",
]
