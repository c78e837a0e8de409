"""Sample feeds that look and misbehave like the real ones, and the answers that a right pipeline gives.

    delivered = generate("sample", date(2021, 1, 1), date(2021, 1, 5))
    answers_for(delivered, [date(2021, 1, 1)])

The command line is `python -m ci.sample_feeds --help`; what the answers hold is told in
ci/sample_feeds/answers.py.
"""

import datetime
import json
import os
import shutil
from pathlib import Path

from ci.sample_feeds.answers import answers_for
from ci.sample_feeds.deliveries import Deliveries
from ci.sample_feeds.logs import write_log_reviews
from ci.sample_feeds.plan import Plan
from ci.sample_feeds.purchases import write_user_purchase
from ci.sample_feeds.reviews import write_movie_reviews

__all__ = ["Deliveries", "answers_for", "generate"]


def generate(
    out: str | os.PathLike,
    first_day: datetime.date,
    last_day: datetime.date,
    *,
    reviews_per_day: int = 400,
    purchases_per_day: int = 600,
    seed: int = 1,
    canary_phone: str | None = None,
) -> Deliveries:
    """Write raw/*/, user_purchase.csv and answers.json below `out` and return what they hold.

    Equal arguments give equal bytes. An earlier sample in `out` is replaced; ValueError when `out` holds raw
    files that are no sample. The first day is meant to be START_DATE: its run takes the purchases of the four
    weeks before. Every kind of mishap occurs from 4 days, 200 reviews and 200 purchases a day on, save a log
    that is later than the lookback, which needs 5 days.
    """
    if last_day < first_day:
        raise ValueError(f"the last day, {last_day}, is before the first, {first_day}")
    plan = Plan(Path(out), first_day, last_day, reviews_per_day, purchases_per_day, seed, canary_phone)
    _make_room(plan.out)
    delivered = Deliveries(plan.days)
    write_movie_reviews(plan, delivered)
    write_log_reviews(plan, delivered)
    write_user_purchase(plan, delivered)
    with open(plan.out / "answers.json", "w", encoding="utf-8") as file:
        json.dump(answers_for(delivered), file, indent=1, ensure_ascii=False)
    return delivered


def _make_room(out: Path) -> None:
    if (out / "raw").exists() and not (out / "answers.json").exists():
        raise ValueError(
            f"{out} holds raw files but no answers.json: it is no sample and stays; choose another folder"
        )
    out.mkdir(parents=True, exist_ok=True)
    # Also tells the remains of a killed run from somebody's data.
    (out / "answers.json").write_text('{"unfinished": true}\n')
    for feed in ("movie_review", "log_reviews"):
        shutil.rmtree(out / "raw" / feed, ignore_errors=True)
