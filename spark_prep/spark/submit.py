"""The file that spark-submit, EMR, Glue and Dataproc start; spark_prep.zip comes beside it as --py-files.

submit.py --job classify_reviews --date 2021-01-31 --raw-uri s3://… --staging-uri s3://… --quarantine-uri s3://…
submit.py --job train --reviews s3://… --labels s3://… --model s3://…

All arguments are `--key value` pairs, the same on every runtime. Glue adds its own between them: unknown ones are ignored.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from itertools import pairwise

from spark_prep.errors import run

JOBS = {
    "classify_reviews": "spark_prep.reviews.classify_reviews",
    "parse_logs": "spark_prep.logs.parse_logs",
    "train": "spark_prep.reviews.train",
}
# What the jobs read from their command line.
OPTIONS = ("--date", "--reviews", "--labels", "--model", "--blocks-by", "--note")
# What the jobs read from the environment.
SETTINGS = {
    "--raw-uri": "RAW_URI",
    "--staging-uri": "STAGING_URI",
    "--quarantine-uri": "QUARANTINE_URI",
    "--pseudonym-secret-id": "PSEUDONYM_SECRET_ID",
    "--pseudonym-key-version": "PSEUDONYM_KEY_VERSION",
    "--suppression-secret-id": "SUPPRESSION_SECRET_ID",
    "--quarantine-key-id": "QUARANTINE_KEY_ID",
    "--classifier": "CLASSIFIER",
    "--other-classifiers": "OTHER_CLASSIFIERS",
    "--model-uri": "MODEL_URI",
}


def submit(arguments: list[str]) -> None:
    given = {key: value for key, value in pairwise(arguments) if key in {"--job", *OPTIONS, *SETTINGS}}
    job = given.get("--job")
    if job not in JOBS:
        sys.exit(f"error: --job is {job!r}; it must be one of {', '.join(JOBS)}")
    os.environ |= {SETTINGS[key]: value for key, value in given.items() if key in SETTINGS}
    sys.argv = [job, *(word for key in OPTIONS if key in given for word in (key, given[key]))]
    run(import_module(JOBS[job]).main)


if __name__ == "__main__":
    submit(sys.argv[1:])
