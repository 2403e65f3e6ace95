"""Models of any outcome: binning, scorecard, linear, trees, boosting, calibration, grades, reasons, and the choice."""
