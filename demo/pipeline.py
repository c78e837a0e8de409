"""The demo: sample feeds through the whole pipeline, on this machine and nothing else.

    make demo

Generates a few days of sample feeds, starts a PostgreSQL with the shop's purchases, runs the pipeline on them as
`make run` does, holds the marts against the sample's right answers, and builds the report and the docs.
"""

import datetime
import os
import re
import secrets
import subprocess
import sys
from pathlib import Path

from demo.answers.check import differences
from demo.answers.marts import answers_for
from demo.feeds.labelled import NOTE, write_labelled
from demo.postgres import embedded_postgres
from demo.sample import generate
from spark_prep.shop.load_user_purchase import load_user_purchase

DATA = Path("data/demo").resolve()
WAREHOUSE = DATA / "warehouse.duckdb"
FIRST_DAY = datetime.date(2021, 1, 1)
LAST_DAY = datetime.date(2021, 1, 5)
LABELLED_REVIEWS = 600
# None of the user's own reaches the demo.
SETTINGS = {*re.findall(r"^(?:# )?([A-Z_]+)=", Path(".env.example").read_text(), re.MULTILINE), "DBT_SCHEMA"}


def main() -> None:
    _step(f"Sample feeds of {FIRST_DAY} to {LAST_DAY}")
    delivered = generate(DATA, FIRST_DAY, LAST_DAY)
    print(f"feeds       {DATA}/raw, {DATA}/user_purchase.csv")

    _step("A model from generated labels: make train")
    reviews, labels = write_labelled(DATA / "labelled", LABELLED_REVIEWS)
    model = DATA / "model"
    _make("train", f"REVIEWS={reviews}", f"LABELS={labels}", f"MODEL={model}", f"NOTE={NOTE}", settings={})

    _step("A PostgreSQL with the shop's purchases")
    with embedded_postgres() as dsn:
        lines, _ = load_user_purchase(dsn, f"{DATA}/user_purchase.csv")
        print(f"table       user_purchase, {lines:,} lines")

        _step(f"The pipeline: make run FROM={FIRST_DAY} TO={LAST_DAY}")
        settings = {
            "RAW_URI": f"{DATA}/raw",
            "STAGING_URI": f"{DATA}/staging",
            "QUARANTINE_URI": f"{DATA}/quarantine",
            "USER_PURCHASE_DSN": dsn,
            "START_DATE": str(FIRST_DAY),
            "PSEUDONYM_SECRET": kept_secret("pseudonym_secret"),
            "QUARANTINE_SECRET": kept_secret("quarantine_secret"),
            "CLASSIFIER": "keyword",  # as the sample's right answers
            "OTHER_CLASSIFIERS": "lexicon,model",
            "MODEL_URI": str(model),
            "DBT_TARGET": "dev",
            "DUCKDB_PATH": str(WAREHOUSE),
        }
        _make("run", f"FROM={FIRST_DAY}", f"TO={LAST_DAY}", settings=settings)

    _step("The marts against the sample's right answers")
    answers = answers_for(delivered)
    if wrong := differences(WAREHOUSE, answers):
        print("\n".join(wrong))
        sys.exit("error: the marts differ from the sample's right answers")
    print(
        f"all {len(answers['fact_movie_analytics']):,} fact rows and {len(answers['ledger'])} ledger rows are right"
    )

    _step("The report and the docs site")
    # In this order: the docs link to the report when it is there.
    _make("report", settings=settings)
    _make("docs", settings=settings)

    _step("Where to look")
    print(f"warehouse   {WAREHOUSE} (DuckDB), tables in the schema analytics_marts")
    print("dbt         . .venv/bin/activate; cd dbt_project; dbt build")
    print(f"rejected    {DATA}/quarantine; to read the records: docs/how_to/find_a_rejected_record.md")
    print("docs        site/index.html (open it in a browser, or: make docs-serve)")
    print("report      site/report/index.html")
    print(f"model       {model}/card.md, and in the report site/report/model.html")


def kept_secret(name: str) -> str:
    """Of data that are made up: kept beside them, so that rejected records can be looked at, and another demo has the same keys."""
    file = DATA / name
    if not file.exists():
        file.touch(0o600)
        file.write_text(secrets.token_hex(32))
    return file.read_text()


def _step(title: str) -> None:
    print(f"\n== {title}", flush=True)


def _make(*arguments: str, settings: dict[str, str]) -> None:
    made = subprocess.run(
        ["make", "--no-print-directory", *arguments],  # noqa: S607 - the make that started this
        env={name: value for name, value in os.environ.items() if name not in SETTINGS} | settings,
        check=False,
    )
    if made.returncode:
        sys.exit(f"error: `make {' '.join(arguments)}` failed, see above")


if __name__ == "__main__":
    main()
