"""python -m ci.sample_feeds: write sample feeds and their answers, and print what was made."""

import argparse
import datetime
import sys

from ci.sample_feeds import answers_for, generate


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
            canary_phone=arguments.canary_phone,
        )
    except (ValueError, OSError) as error:
        sys.exit(f"error: {error}")
    print(f"sample feeds in {arguments.out}, answers in {arguments.out}/answers.json")
    print(_table(answers_for(delivered)["ledger"]))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ci.sample_feeds",
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
        "--canary-phone", metavar="PHONE",
        help="a phone number for some logs of each day, to be searched for where no phone number may be",
    )  # fmt: skip
    return parser


def _count(text: str) -> int:
    number = int(text)
    if number < 0:
        raise ValueError("negative")
    return number


def _table(ledger: list[dict]) -> str:
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
