"""The vendor's log_reviews.csv, `id_review,log`: when, where and on what each review was written, in XML."""

import datetime
import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from demo.feeds import canaries
from demo.feeds.deliveries import LOGS, Deliveries
from demo.feeds.log_lines import REJECTED, Written, broken_line, meant, xml
from demo.feeds.plan import LOOKBACK_DAYS, STRIDE, Plan, calendar_of_oddities
from demo.feeds.states import STATES, VENDOR_SPELLING
from demo.feeds.vendor_csv import field, vendor_file

HEADER = "id_review,log"
DEVICES = ("Mobile", "Tablet", "Computer")
SYSTEMS = ("Apple MacOS", "Apple iOS", "Linux", "Microsoft Windows", "Google Android")
# Correctly spelt as well as in the vendor's way; common and rare ones, so that "most" and "fewest" have an
# answer.
LOCATIONS = (
    *STATES,
    *VENDOR_SPELLING.values(),
    *("California", "New York", "Texas") * 4,
    *("Florida", "Ohio") * 2,
)


# kind of unusual but sound record -> what it changes
_UNUSUAL: dict[str, dict[str, Any]] = {
    "real browser": {"browser": "Opera"},
    "real browser against the rule": {"os": "Linux", "browser": "Chrome"},
    "blank browser": {"browser": " "},
    "unknown device": {"device": "SmartTV"},
    "unknown location": {"location": "Atlantis"},
    "unknown os": {"os": "HarmonyOS"},
    "missing os": {"os": None},
    "empty os": {"os": ""},
    "missing location": {"location": None},
    "empty device": {"device": ""},
    "blank location": {"location": "  "},
    "missing phone and empty ip": {"phone": None, "ip": ""},
    "ampersand": {"device": "TV & Console"},
    "quotes": {"device": '7" Tablet'},
    "comma": {"location": "Portland, Oregon"},
    "stray blanks": {"device": " Mobile ", "location": "  Ohio", "os": "Linux  ", "browser": " Firefox "},
    "impossible pair": {"device": "Computer", "os": "Apple iOS"},
}
_SOUND = (
    "blank line",
    "blanks round the id",
    "sent twice",
    "sent again on another device",
    "sent again with another date",
    "never reviewed",
)
_LATE = {f"late by {days}": days for days in range(1, LOOKBACK_DAYS + 1)}
_TOO_LATE = (LOOKBACK_DAYS + 1, LOOKBACK_DAYS + 2)
_ODD_TIMES = (*_LATE, "late beyond lookback", "sent again on another day", "before its review")


def write_log_reviews(plan: Plan, delivered: Deliveries) -> None:
    """Write the files of all days below DIR/raw/log_reviews and note in `delivered` what is in them."""
    rng = plan.chance("logs")
    oddities = [
        # An odd time needs a sound review, so that the log is about the time and nothing else.
        {position + STRIDE - 1 if kind in _ODD_TIMES else position: kind for position, kind in of_day.items()}
        for of_day in calendar_of_oddities(
            rng, _kinds(plan), len(plan.days), plan.reviews_per_day, share=0.02
        )
    ]
    late: list[list[Written]] = [[] for _ in plan.days]
    never_reviewed = itertools.count(plan.review_id(len(plan.days) + 1, 0))
    lateness = itertools.cycle(range(1, LOOKBACK_DAYS + 1))
    for number, day in enumerate(plan.days):
        if not plan.has_logs_file(number):
            delivered.not_delivered.add((LOGS, day))
            # The vendor makes up for half of the lost day in the files that follow.
            for position in range(0, plan.reviews_per_day if plan.has_reviews(number) else 0, 2):
                arrives = number + next(lateness)
                if arrives < len(plan.days) and plan.has_logs_file(arrives):
                    late[arrives].append(_log(plan, rng, number, position))
            continue
        is_last = number == len(plan.days) - 1
        line_end, mark = ("\r\n", "\ufeff") if is_last else ("\n", "")
        with vendor_file(
            plan.out, "log_reviews", day, "log_reviews.csv", HEADER, line_end, mark
        ) as write_line:
            _write_day(plan, delivered, rng, number, oddities[number], late, never_reviewed, write_line)
    _write_misheaded(plan, delivered, rng)


def _kinds(plan: Plan) -> dict[str, Callable[[int], bool]]:
    def usual(number: int) -> bool:
        return plan.has_logs_file(number) and plan.has_reviews(number)

    def comes_after(*days_late: int) -> Callable[[int], bool]:
        return lambda number: usual(number) and bool(_delivered_days(plan, number, days_late))

    kinds: dict[str, Callable[[int], bool]] = dict.fromkeys(
        [*REJECTED, "unclosed quote", *_UNUSUAL, *_SOUND], usual
    )
    kinds |= {kind: comes_after(days) for kind, days in _LATE.items()}
    kinds["late beyond lookback"] = comes_after(*_TOO_LATE)
    kinds["sent again on another day"] = comes_after(*_LATE.values())
    kinds["before its review"] = lambda number: comes_after(1)(number) and plan.has_reviews(number + 1)
    return kinds


def _delivered_days(plan: Plan, number: int, days_late: Iterable[int]) -> list[int]:
    return [number + n for n in days_late if number + n < len(plan.days) and plan.has_logs_file(number + n)]


def _write_day(
    plan: Plan,
    delivered: Deliveries,
    rng: random.Random,
    number: int,
    oddities: dict[int, str],
    late: list[list[Written]],
    never_reviewed: Iterator[int],
    write_line: Callable[[str], object],
) -> None:
    day = plan.days[number]

    def write(log: Written, blanks: str = "") -> None:
        write_line(f"{blanks}{log.log_id}{blanks},{field(xml(log))}")
        delivered.logs.append(meant(log, day))

    for log in sorted(late[number], key=lambda log: log.log_id):
        write(log)
    late[number].clear()
    at_the_end: list[Written] = []
    positions = iter(range(plan.reviews_per_day if plan.has_reviews(number) else 0))
    for position in positions:
        log = _log(plan, rng, number, position)
        kind = oddities.get(position)
        if kind in REJECTED:
            write_line(broken_line(kind, log))
            delivered.quarantine(LOGS, day, REJECTED[kind])
        elif kind == "unclosed quote":
            # A reader of multi-line records takes all three for one; only the first is broken.
            write_line(f'{log.log_id},"{xml(log)}')
            delivered.quarantine(LOGS, day, "unclosed quote")
            write(log._replace(log_id=log.log_id + 1))
            write(log._replace(log_id=log.log_id + 2, location="Portland, Oregon"))
            next(positions), next(positions)
        elif kind in _UNUSUAL:
            write(log._replace(**_UNUSUAL[kind]))
        elif kind is None:
            if rng.random() < 0.97 or position % STRIDE == STRIDE - 1:
                write(log)  # the others never come
        elif kind == "blank line":
            write_line("")
            write(log)
        elif kind == "blanks round the id":
            write(log, blanks=" ")
        elif kind == "never reviewed":
            write(log)
            at_the_end.append(log._replace(log_id=next(never_reviewed)))
        elif kind == "sent twice":
            write(log)
            at_the_end.append(log)
        elif kind == "sent again on another device":
            write(log)
            at_the_end.append(log._replace(device="Tablet" if log.device == "Mobile" else "Mobile"))
        elif kind == "sent again with another date":
            write(log)
            at_the_end.append(log._replace(log_date=log.log_date - datetime.timedelta(7)))
        elif kind == "sent again on another day":
            write(log)
            arrives = rng.choice(_delivered_days(plan, number, _LATE.values()))
            late[arrives].append(log._replace(location="Kansas", os="Linux"))
        elif kind == "before its review":
            write(log)
            sound = STRIDE * rng.randrange(plan.reviews_per_day // STRIDE) + STRIDE - 1
            at_the_end.append(_log(plan, rng, number + 1, sound)._replace(log_date=log.log_date))
        elif kind == "late beyond lookback":
            late[rng.choice(_delivered_days(plan, number, _TOO_LATE))].append(log)
        elif kind in _LATE:
            late[number + _LATE[kind]].append(log)
        else:
            raise ValueError(f"no log of kind {kind!r}")
    for log in at_the_end:
        write(log)


def _log(plan: Plan, rng: random.Random, number: int, position: int) -> Written:
    log_id = plan.review_id(number, position)
    phone = f"{rng.randrange(200, 999)}-555-{rng.randrange(10_000):04}"
    # Most reviews are a day or two old when they come, some lay about for most of a year.
    age = rng.randrange(3) if rng.random() < 0.6 else rng.randrange(300)
    log = Written(
        log_id=log_id,
        log_date=plan.days[number] - datetime.timedelta(age),
        device=rng.choice(DEVICES),
        location=rng.choice(LOCATIONS),
        os=rng.choice(SYSTEMS),
        ip=f"198.51.100.{rng.randrange(256)}",
        phone=phone,
    )
    if plan.has_canaries and canaries.is_place(position):
        return log._replace(ip=canaries.IP, phone=canaries.PHONE, others=canaries.TAGS)
    return log


def _write_misheaded(plan: Plan, delivered: Deliveries, rng: random.Random) -> None:
    """A second file in which a column has another name: none of its lines can be trusted."""
    number = plan.day_with_stray_files
    with vendor_file(
        plan.out, "log_reviews", plan.days[number], "log_reviews_2.csv", "xml,id_review"
    ) as write_line:
        for n in range(3):
            write_line(f"{xml(_log(plan, rng, number, n))},{plan.review_id(len(plan.days), n)}")
            delivered.quarantine(LOGS, plan.days[number], "header is not as agreed")
