"""What goes wrong in production, done to the real commands: `python -m ci.faults` (make test-faults)."""
