"""Sample feeds that look and misbehave like the real ones, and the answers that a right pipeline gives.

    delivered = generate("sample", date(2021, 1, 1), date(2021, 1, 5))

The command line is `python -m demo.sample --help`; demo/answers/marts.py says what the answers hold.
"""

import argparse
import datetime
import json
import os
import shutil
import sys
from pathlib import Path

from demo.answers.marts import Row, answers_for
from demo.feeds.deliveries import Deliveries
from demo.feeds.logs import write_log_reviews
from demo.feeds.plan import Plan
from demo.feeds.purchases import write_user_purchase
from demo.feeds.reviews import write_movie_reviews


def generate(
    out: str | os.PathLike[str],
    first_day: datetime.date,
    last_day: datetime.date,
    *,
    reviews_per_day: int = 400,
    purchases_per_day: int = 600,
    seed: int = 1,
    has_canaries: bool = False,
) -> Deliveries:
    """Write raw/*/, user_purchase.csv and answers.json below `out` and return what they hold.

    Equal arguments give equal bytes. An earlier sample in `out` is replaced; ValueError when `out` holds raw
    files that are no sample. The first day is meant to be START_DATE: its run takes the purchases of the four
    weeks before. Every kind of mishap occurs from 4 days, 200 reviews and 200 purchases a day on, save a log
    that is later than the lookback, which needs 5 days.
    """
    if last_day < first_day:
        raise ValueError(f"the last day, {last_day}, is before the first, {first_day}")
    plan = Plan(Path(out), first_day, last_day, reviews_per_day, purchases_per_day, seed, has_canaries)
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
    # Also distinguishes the remains of a killed run from someone's data.
    (out / "answers.json").write_text('{"unfinished": true}\n')
    for feed in ("movie_review", "log_reviews"):
        shutil.rmtree(out / "raw" / feed, ignore_errors=True)


def main() -> None:
    arguments = _parser().parse_args()
    try:
        delivered = generate(
            arguments.out,
            arguments.first_day,
            arguments.last_day,
            reviews_per_day=arguments.reviews_per_day,
            purchases_per_day=arguments.purchases_per_day,
            seed=arguments.seed,
            has_canaries=arguments.canaries,
        )
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"sample feeds in {arguments.out}, answers in {arguments.out}/answers.json")
    print(_table(answers_for(delivered)["ledger"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m demo.sample",
        description="Write sample feeds below DIR: raw/movie_review and raw/log_reviews (a folder a day), "
        "user_purchase.csv (the shop's table) and answers.json (what a right pipeline makes of them). "
        "The same options give the same bytes. On purpose a few records in a thousand are broken, repeated, "
        "late or lost; from four days on, the second day has no purchases, the third no logs file, the "
        "fourth no reviews.",
    )
    day, count = datetime.date.fromisoformat, _count
    parser.add_argument("--out", metavar="DIR", required=True, help="an earlier sample in it is replaced")
    parser.add_argument(
        "--from", dest="first_day", metavar="DAY", type=day, default=datetime.date(2021, 1, 1),
        help="first day, to be START_DATE; purchases begin four weeks earlier (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--to", dest="last_day", metavar="DAY", type=day, default=datetime.date(2021, 1, 5),
        help="last day, included (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--reviews-per-day", metavar="N", type=count, default=400,
        help="new reviews a day; most have a log, repeats come on top (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--purchases-per-day", metavar="N", type=count, default=600,
        help="lines on a day of trade; twice as many before the first day (default %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--seed", metavar="N", type=int, default=1, help="another number, another sample (default 1)"
    )
    parser.add_argument(
        "--canaries", action="store_true",
        help="plant a phone number, an IP address, a name, an e-mail address and a card number in some reviews and logs of each "
        "day, to be searched for where none may be (demo/feeds/canaries.py)",
    )  # fmt: skip
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("negative")
    return number


def _table(ledger: list[Row]) -> str:
    lines = [
        f"{'table':24} {'days':>5} {'missing':>8} {'delivered':>10} {'quarantined':>12} {'duplicate':>10}"
    ]
    for table in dict.fromkeys(row["table_name"] for row in ledger):
        rows = [row for row in ledger if row["table_name"] == table]
        missing = sum(not row["is_delivered"] for row in rows)
        delivered, quarantined, duplicate = (
            sum(row[f"records_{what}"] for row in rows) for what in ("delivered", "quarantined", "duplicate")
        )
        lines.append(
            f"{table:24} {len(rows):>5} {missing:>8} {delivered:>10,} {quarantined:>12,} {duplicate:>10,}"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
