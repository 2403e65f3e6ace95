"""Pure numbers by family: binary, calibration, amount, linear, stability, information, power; each with its source."""

from workbench.metrics.amount import mae, r_squared, r_squared_influence, rmse, spearman, spearman_interval
from workbench.metrics.binary import auc, auc_influence, auc_interval, gini, ks, ks_influence
from workbench.metrics.calibration import (
    brier,
    calibration_error_limit,
    calibration_line,
    equal_parts,
    expected_calibration_error,
    log_loss,
)
from workbench.metrics.information import information
from workbench.metrics.intervals import (
    bootstrap_interval,
    clustered_error,
    effective,
    effective_alike,
    effective_counts,
    likeness,
    mean_interval,
    rate_interval,
)
from workbench.metrics.linear import inflation, slopes
from workbench.metrics.multiple import holm
from workbench.metrics.power import POWER, least_noncentrality, least_psi, least_rate, least_shift
from workbench.metrics.stability import psi, psi_critical

__all__ = [
    "POWER",
    "auc",
    "auc_influence",
    "auc_interval",
    "bootstrap_interval",
    "brier",
    "calibration_error_limit",
    "calibration_line",
    "clustered_error",
    "effective",
    "effective_alike",
    "effective_counts",
    "equal_parts",
    "expected_calibration_error",
    "gini",
    "holm",
    "inflation",
    "information",
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
    "psi",
    "psi_critical",
    "r_squared",
    "r_squared_influence",
    "rate_interval",
    "rmse",
    "slopes",
    "spearman",
    "spearman_interval",
]
