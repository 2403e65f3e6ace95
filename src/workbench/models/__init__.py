"""Binning, scorecard, tree, boosting, calibration, grades, reasons, and the choice between them."""
