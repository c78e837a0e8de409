"""Prepares staging: exports purchases, classifies reviews, parses logs. `prepare_staging` does all three."""
