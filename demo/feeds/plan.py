"""What a sample is to hold: its parameters, the days on which something goes wrong, the customers."""

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

LOOKBACK_DAYS = 3


@dataclass(frozen=True)
class Plan:
    """The parameters of a sample. Everything else follows from them, so equal plans give equal bytes."""

    out: Path
    first_day: datetime.date
    last_day: datetime.date
    reviews_per_day: int
    purchases_per_day: int
    seed: int
    has_canaries: bool

    @cached_property
    def days(self) -> list[datetime.date]:
        return [
            self.first_day + datetime.timedelta(n) for n in range((self.last_day - self.first_day).days + 1)
        ]

    def chance(self, purpose: str) -> random.Random:
        """A source of chance for each purpose, so that the size of one feed leaves the others as they are."""
        return random.Random(f"{self.seed} {purpose}")  # noqa: S311 - nothing secret: the same seed, the same feeds

    def is_closed(self, day: datetime.date) -> bool:
        """The shop does not trade on the weekday of the second day (a Saturday for the default dates)."""
        return day.weekday() == (self.first_day.weekday() + 1) % 7

    @property
    def day_with_stray_files(self) -> int:
        """On this day each vendor sends a second file, in which a column has another name."""
        return min(1, len(self.days) - 1)

    def has_logs_file(self, day_number: int) -> bool:
        return not (len(self.days) >= 4 and day_number == 2)

    def has_reviews(self, day_number: int) -> bool:
        """False on the day whose movie_review.csv holds nothing but its header."""
        return not (len(self.days) >= 4 and day_number == 3)

    def review_id(self, day_number: int, position: int) -> int:
        return day_number * self.reviews_per_day + position + 1

    @cached_property
    def _customers(self) -> list[int]:
        shoppers = min(max(self.purchases_per_day // 4, 40), 4000)
        return sorted(self.chance("customers").sample(range(12346, 18288), shoppers + 6))

    @cached_property
    def shoppers(self) -> list[int]:
        return self._customers[3:-3]

    @property
    def returners(self) -> list[int]:
        """Customers who only ever bring things back."""
        return self._customers[:3]

    @cached_property
    def reviewers(self) -> list[int]:
        """Mostly shoppers, and three who never buy anything."""
        count = min(max(self.reviews_per_day // 4, 20), 900, len(self.shoppers))
        chance = self.chance("reviewers")
        reviewers = [*chance.sample(self.shoppers, count), *self._customers[-3:]]
        chance.shuffle(reviewers)
        return reviewers


# Odd records are at multiples of this in a day and may run over the next two. The one before each multiple
# is always sound: what has to refer to a sound record refers to that.
STRIDE = 4


def calendar_of_oddities(
    rng: random.Random,
    kinds: dict[str, Callable[[int], bool]],
    day_count: int,
    records_per_day: int,
    share: float,
) -> list[dict[int, str]]:
    """Say for each day at which positions which kind of odd record stands.

    `kinds` maps each kind to a test of the day number. The kinds take turns until `share` of all records is
    reached, and each has at least one turn, if need be beyond that share. Where no day or place is left, a
    turn is skipped.
    """
    places = [[STRIDE * n for n in range(1, records_per_day // STRIDE)] for _ in range(day_count)]
    for of_day in places:
        rng.shuffle(of_day)
    calendar: list[dict[int, str]] = [{} for _ in range(day_count)]
    turns = max(1, round(share * records_per_day * day_count / len(kinds)))
    for _ in range(turns):
        for kind, fits in kinds.items():
            days = [day for day in range(day_count) if places[day] and fits(day)]
            if days:
                day = max(days, key=lambda day: len(places[day]))
                calendar[day][places[day].pop()] = kind
    return calendar
