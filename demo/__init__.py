"""The project on sample feeds and this machine alone: `make demo`, `make airflow`, and the sample of the tests."""
