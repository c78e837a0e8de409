"""When, where and on what reviews were written, and how many are positive."""

from bisect import bisect_right
from datetime import date, timedelta
from math import sqrt

from pages.report.charts import Bar, Cell, bars, days, grid, intervals
from pages.report.figure import FEW, Figure, Page, Shown, chance, counted, largest_part, listed, text

# Where each state is in a map of squares: (column, row).
TILES = {
    "Alaska": ("AK", 0, 0), "Maine": ("ME", 10, 0),
    "Vermont": ("VT", 9, 1), "New Hampshire": ("NH", 10, 1),
    "Washington": ("WA", 0, 2), "Idaho": ("ID", 1, 2), "Montana": ("MT", 2, 2), "North Dakota": ("ND", 3, 2),
    "Minnesota": ("MN", 4, 2), "Illinois": ("IL", 5, 2), "Wisconsin": ("WI", 6, 2), "Michigan": ("MI", 7, 2),
    "New York": ("NY", 8, 2), "Rhode Island": ("RI", 9, 2), "Massachusetts": ("MA", 10, 2),
    "Oregon": ("OR", 0, 3), "Nevada": ("NV", 1, 3), "Wyoming": ("WY", 2, 3), "South Dakota": ("SD", 3, 3),
    "Iowa": ("IA", 4, 3), "Indiana": ("IN", 5, 3), "Ohio": ("OH", 6, 3), "Pennsylvania": ("PA", 7, 3),
    "New Jersey": ("NJ", 8, 3), "Connecticut": ("CT", 9, 3),
    "California": ("CA", 0, 4), "Utah": ("UT", 1, 4), "Colorado": ("CO", 2, 4), "Nebraska": ("NE", 3, 4),
    "Missouri": ("MO", 4, 4), "Kentucky": ("KY", 5, 4), "West Virginia": ("WV", 6, 4), "Virginia": ("VA", 7, 4),
    "Maryland": ("MD", 8, 4), "Delaware": ("DE", 9, 4),
    "Arizona": ("AZ", 1, 5), "New Mexico": ("NM", 2, 5), "Kansas": ("KS", 3, 5), "Arkansas": ("AR", 4, 5),
    "Tennessee": ("TN", 5, 5), "North Carolina": ("NC", 6, 5), "South Carolina": ("SC", 7, 5),
    "District of Columbia": ("DC", 8, 5),
    "Oklahoma": ("OK", 3, 6), "Louisiana": ("LA", 4, 6), "Mississippi": ("MS", 5, 6), "Alabama": ("AL", 6, 6),
    "Georgia": ("GA", 7, 6),
    "Hawaii": ("HI", 0, 7), "Texas": ("TX", 3, 7), "Florida": ("FL", 8, 7),
}  # fmt: skip

# The classifier and version whose only good word is "good"; what the report says of it in words is true of no other.
COMPANYS_RULE = ("keyword", "2-770e6076")


def by_day(rows) -> Shown:
    known = {row["log_date"]: row["review_count"] for row in rows if row["log_date"]}
    unknown = sum(row["review_count"] for row in rows if not row["log_date"])
    shown = last_days(known)
    without = f" Without a log, and so without a day: {text(unknown, 'count')} more." if unknown else ""
    if known:
        span, largest = (max(known) - min(known)).days + 1, max(known.values())
        busiest = listed(str(day) for day, count in known.items() if count == largest)
        absent = span - len(known)
        sentence = (
            f"{counted(sum(known.values()), 'review')} written from {min(known)} to {max(known)}. The highest number of a day is "
            f"{text(largest, 'count')}, on {busiest}; the mean is {sum(known.values()) / span:,.1f}"
            + (
                f", with {counted(absent, 'day')} in between that {'has' if absent == 1 else 'have'} none"
                if absent
                else ""
            )
            + f".{without}"
            + (
                f" The picture begins on {min(shown)}: half of the reviews are from its last days."
                if len(shown) < len(known)
                else ""
            )
        )
    else:
        sentence = f"No review has a day.{without}"
    return Shown(
        sentence=sentence,
        columns=[("Day in the log", "day"), ("Reviews", "count")],
        # Last in every warehouse, wherever it sorts NULL.
        rows=[*known.items(), *([("no log", unknown)] if unknown else [])],
        chart=(lambda width: days(shown, width)) if known else None,
        legend=(("pale", "reviews of a day"), ("blue", "mean of the last seven days"))
        if _is_long(shown)
        else (),
    )


def last_days(counts: dict[date, int]) -> dict[date, int]:
    """All of them; or, if half of the reviews are from the last tenth of the time, as under a long and sparse history, twice the days that have
    that half, and not fewer than two weeks."""
    if not counts:
        return counts
    last, span, found, of_all = max(counts), (max(counts) - min(counts)).days + 1, 0, sum(counts.values())
    for day in sorted(counts, reverse=True):
        found += counts[day]
        if 2 * found >= of_all:
            break
    half = (last - day).days + 1
    if 10 * half > span:
        return counts
    first = last - timedelta(days=max(2 * half, 14) - 1)
    return {day: count for day, count in counts.items() if day >= first}


def by_device(rows) -> Shown:
    total = sum(row["review_count"] for row in rows)
    shares = listed(f"{row['device']} {text(row['review_count'] / total, 'share')}" for row in rows[1:])
    return Shown(
        sentence=f"{largest_part({row['device']: row['review_count'] for row in rows}, 'reviews')}."
        + (f" Then {shares}." if len(rows) > 1 else "")
        + chance([int(row["review_count"]) for row in rows], "them"),
        columns=[("Device", "text"), ("Reviews", "count"), ("Share of all", "share")],
        rows=[(row["device"], row["review_count"], row["review_count"] / total) for row in rows],
        chart=lambda width: bars(
            [
                Bar(
                    row["device"], ((0, row["review_count"], "blue"),),
                    f"{text(row['review_count'], 'count')} ({text(row['review_count'] / total, 'share')})",
                )
                for row in rows
            ],
            width,
        ),
    )  # fmt: skip


def by_state(rows) -> Shown:
    counts = {row["location"]: row["review_count"] for row in rows}
    states = {state: count for state, count in counts.items() if state in TILES}
    elsewhere = sum(counts.values()) - sum(states.values())
    steps = fifths(list(states.values()))
    taken = sorted({bisect_right(steps, count) for count in states.values()})
    cells = [
        Cell(
            column,
            row,
            bisect_right(steps, states[state]) if states.get(state) else "page",
            short,
            text(states.get(state, 0), "short count"),
        )
        for state, (short, column, row) in TILES.items()
    ]
    return Shown(
        sentence=(f"{largest_part(states, 'reviews from states')}. " if states else "")
        + f"Reviews from {len(states)} of {len(TILES)} states (with D.C.): {text(sum(states.values()), 'count')}"
        + (f"; from no known state: {text(elsewhere, 'count')}." if elsewhere else ".")
        + chance(list(map(int, states.values())), "the states with reviews"),
        columns=[("Location", "text"), ("Region", "text"), ("Reviews", "count")],
        rows=[(row["location"], row["region"], row["review_count"]) for row in rows],
        chart=lambda width: grid(cells, min(width, 560), [""] * 11, [""] * 8, height=min(width, 560) // 11),
        legend=(
            ("page", "none"),
            *((f"step-{step}", f"from {text(steps[step - 1], 'count')}" if step else "fewer") for step in taken),
        ) if len(taken) > 1 else (),
    )  # fmt: skip


def fifths(counts: list[int]) -> list[int]:
    """Where the second, third, fourth and fifth fifth of the counts begin: in order, a fifth of them is before each."""
    ordered = sorted(counts)
    return [ordered[-(-len(ordered) * part // 5)] for part in range(1, 5)] if len(ordered) > 4 else []


def positive_by_group(devices, regions, classifiers) -> Shown:
    said, heading = (
        ("contain the word “good”", "Contain “good”")
        if is_keyword(classifiers)
        else ("are called positive", "Called positive")
    )
    groups = [("All reviews", [_total(devices)])]
    groups += [("By device", [(row["device"], row["review_count"], row["review_score"]) for row in devices])]
    groups += [("By region", [(row["region"], row["review_count"], row["review_score"]) for row in regions])]
    rows = [
        (group, name, count, score, score / count, *wilson_interval(int(score), int(count)))
        for group, members in groups
        for name, count, score in members
    ]
    _, _, count, _score, share, low, high = rows[0]
    named = [
        (f"{name} (place)" if group == "By region" and name == "Unknown" else name, *rest)
        for group, name, *rest in rows
    ]
    return Shown(
        sentence=f"{text(share, 'share')} of {counted(count, 'review')} {said} "
        f"(95 % interval: {text(low, 'share')} to {text(high, 'share')}).",
        columns=[
            ("Grouping", "text"), ("Group", "text"), ("Reviews", "count"), (heading, "count"), ("Share", "share"),
            ("Lower bound", "share"), ("Upper bound", "share"),
        ],
        rows=rows,
        chart=lambda width: intervals(
            [
                (name, low, float(share), high, f"{text(share, 'share')} of {text(count, 'count')}", count < FEW)
                for name, count, _, share, low, high in named
            ],
            width,
        ),
        legend=(("blue", "share, with its 95 % interval"), *((("page", f"of fewer than {FEW} reviews"),) if any(row[2] < FEW for row in rows) else ())),
    )  # fmt: skip


def wilson_interval(positives: int, count: int) -> tuple[float, float]:
    """The bounds of Wilson's 95 % interval of a share: they stay within 0 and 1, also for few reviews."""
    z = 1.959963984540054
    share = positives / count
    middle = share + z * z / (2 * count)
    margin = z * sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    scale = 1 + z * z / count
    return max(0.0, (middle - margin) / scale), min(1.0, (middle + margin) / scale)


def is_keyword(classifiers) -> bool:
    """Whether "positive" means "contains good" on all days: as far as is known, where nothing was judged."""
    return all(map(is_companys_rule, classifiers))


def is_companys_rule(row) -> bool:
    """Not by its name alone: with a list of other words, "positive" means that one of these is in the review."""
    return (row["classifier"], row["classifier_version"]) == COMPANYS_RULE


def _total(rows) -> tuple:
    return ("All reviews", sum(row["review_count"] for row in rows), sum(row["review_score"] for row in rows))


def _is_long(known) -> bool:
    return bool(known) and (max(known) - min(known)).days >= 14


EMPTY = "No review by a customer of the shop is in the warehouse."
PAGE = Page(
    name="reviews",
    title="Reviews",
    lead="When, where and on what they were written, and how many are positive.",
    figures=(
        Figure(
            name="by-day",
            title="Reviews by day",
            queries=("report_reviews_by_day",),
            show=by_day,
            definition="By the day on which the review was written, as its log says. Overview counts a review without a log, or with a day after its delivery, on the day "
            "of its delivery.",
            explore=("rows=log_date&sort=0&up=",),
            empty=EMPTY,
            metrics=("review_count",),
        ),
        Figure(
            name="by-device",
            explore=("rows=device",),
            title="Reviews by device",
            queries=("report_reviews_by_device",),
            show=by_device,
            definition="By the kind of device in the log; Unknown if there is no log or it names none.",
            empty=EMPTY,
            metrics=("review_count",),
        ),
        Figure(
            name="by-state",
            explore=("rows=location",),
            title="Reviews by state",
            queries=("report_reviews_by_location",),
            show=by_state,
            definition="A square for each state, about where it is; the more it differs from the page in brightness, the more reviews. Each colour has a "
            "fifth of the states. It is where reviews were written, not the country of the shop's customer (Customers).",
            empty=EMPTY,
            metrics=("review_count",),
        ),
        Figure(
            name="positive",
            title="Share of positive reviews by device and region",
            queries=("report_reviews_by_device", "report_reviews_by_region", "report_classifiers"),
            show=positive_by_group,
            definition=(
                "With Wilson's 95 % interval: what the share would be with many more reviews of the same kind. It tells "
                "nothing about how good the rule is, and is not corrected for its error."
            ),
            empty=EMPTY,
            metrics=("positive_review_share",),
            is_about_sentiment=True,
        ),
    ),
)
