"""What checks and measures the project: sample feeds, stand-ins, benchmarks, tests that cross parts."""
