"""Pure numbers by family: binary, calibration, amount, stability, and intervals of them; each with its source."""

from workbench.metrics.amount import mae, r_squared, r_squared_influence, rmse, spearman, spearman_interval
from workbench.metrics.binary import auc, auc_influence, auc_interval, gini, ks
from workbench.metrics.calibration import (
    brier,
    calibration_error_limit,
    calibration_line,
    equal_parts,
    expected_calibration_error,
    log_loss,
)
from workbench.metrics.intervals import bootstrap_interval, clustered_error, effective, mean_interval, rate_interval
from workbench.metrics.stability import psi, psi_critical

__all__ = [
    "auc",
    "auc_influence",
    "auc_interval",
    "bootstrap_interval",
    "brier",
    "calibration_error_limit",
    "calibration_line",
    "clustered_error",
    "effective",
    "equal_parts",
    "expected_calibration_error",
    "gini",
    "ks",
    "log_loss",
    "mae",
    "mean_interval",
    "psi",
    "psi_critical",
    "r_squared",
    "r_squared_influence",
    "rate_interval",
    "rmse",
    "spearman",
    "spearman_interval",
]
