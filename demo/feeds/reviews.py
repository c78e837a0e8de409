"""The vendor's movie_review.csv, `cid,review_str,id_review`: sound reviews and the usual mishaps."""

import random
from collections.abc import Callable, Iterator

from demo.feeds import canaries
from demo.feeds.deliveries import REVIEWS, Deliveries, Review
from demo.feeds.plan import STRIDE, Plan, calendar_of_oddities
from demo.feeds.texts import plain_text, review_texts
from demo.feeds.vendor_csv import field, vendor_file

HEADER = "cid,review_str,id_review"
BEYOND_32_BITS = 3_000_000_000

# kind of broken record -> the reason for which it is to be quarantined
_REJECTED = {
    "too few fields": "wrong number of fields",
    "too many fields": "wrong number of fields",
    "no id": "no id_review",
    "text id": "id_review is not an integer",
    "huge id": "id_review is not an integer",
    "text cid": "cid is not an integer",
    "huge cid": "cid is not an integer",
    "no text": "no review_str",
    "quoted no text": "no review_str",
}
_SOUND = (
    "no cid",
    "blanks round the ids",
    "blank line",
    "sent twice",
    "sent again with another text",
    "sent again for another customer",
    "sent again without cid",
    "sent again on another day",
)


def write_movie_reviews(plan: Plan, delivered: Deliveries) -> None:
    """Write the files of all days below DIR/raw/movie_review and note in `delivered` what is in them."""
    rng = plan.chance("reviews")
    texts = review_texts(rng)
    calendar = calendar_of_oddities(rng, _kinds(plan), len(plan.days), plan.reviews_per_day, share=0.01)
    for number, day in enumerate(plan.days):
        line_end = "\r\n" if number == plan.day_with_stray_files else "\n"
        with vendor_file(plan.out, "movie_review", day, "movie_review.csv", HEADER, line_end) as write_line:
            if plan.has_reviews(number):
                _write_day(plan, delivered, rng, texts, number, calendar[number], write_line)
    _write_misheaded(plan, delivered, rng)


def _kinds(plan: Plan) -> dict[str, Callable[[int], bool]]:
    kinds: dict[str, Callable[[int], bool]] = dict.fromkeys(
        [*_REJECTED, "unclosed quote", *_SOUND], plan.has_reviews
    )
    kinds["sent again on another day"] = lambda number: number > 0 and plan.has_reviews(number)
    return kinds


def _write_day(
    plan: Plan,
    delivered: Deliveries,
    rng: random.Random,
    texts: Iterator[tuple[str, int]],
    number: int,
    oddities: dict[int, str],
    write_line: Callable[[str], object],
) -> None:
    day = plan.days[number]
    at_the_end: list[tuple[int | None, str, int, int]] = []  # what is sent again follows the new reviews

    def write(cid: int | None, text: str, positive: int, review_id: int, blanks: str = "") -> None:
        shown_cid = "" if cid is None else f"{blanks}{cid}{blanks}"
        write_line(f"{shown_cid},{field(text)},{blanks}{review_id}{blanks}")
        delivered.reviews.append(Review(day, review_id, cid, positive))

    positions = iter(range(plan.reviews_per_day))
    for position in positions:
        review_id = plan.review_id(number, position)
        cid = _reviewer(plan, rng)
        text, positive = next(texts)
        if plan.has_canaries and canaries.is_place(position):
            text += canaries.SENTENCE
        kind = oddities.get(position)
        if kind in _REJECTED:
            write_line(_broken_line(kind, cid, text, review_id, rng))
            delivered.quarantine(REVIEWS, day, _REJECTED[kind])
            continue
        if kind == "unclosed quote":
            # A reader of multi-line records takes all three for one; only the first is broken.
            write_line(f'{cid},"{plain_text(rng)},{review_id}')
            delivered.quarantine(REVIEWS, day, "unclosed quote")
            write(_reviewer(plan, rng), plain_text(rng), 0, review_id + 1)
            write(_reviewer(plan, rng), "Long, and loud.", 0, review_id + 2)
            next(positions), next(positions)
            continue
        sender = None if kind == "no cid" or rng.random() < 0.004 else cid
        if kind == "blank line":
            write_line("")
        write(sender, text, positive, review_id, blanks=" " if kind == "blanks round the ids" else "")
        if kind == "sent twice":
            at_the_end.append((sender, text, positive, review_id))
        elif kind == "sent again with another text":
            at_the_end.append((sender, *_opposite(texts, positive), review_id))
        elif kind == "sent again for another customer":
            other = rng.choice([reviewer for reviewer in plan.reviewers if reviewer != sender])
            at_the_end.append((other, *next(texts), review_id))
        elif kind == "sent again without cid":
            at_the_end.append((None, *next(texts), review_id))
        elif kind == "sent again on another day":
            earlier = rng.choice([n for n in range(number) if plan.has_reviews(n)])
            sound = STRIDE * rng.randrange(plan.reviews_per_day // STRIDE) + STRIDE - 1
            at_the_end.append((_reviewer(plan, rng), *next(texts), plan.review_id(earlier, sound)))
    for record in at_the_end:
        write(*record)


def _reviewer(plan: Plan, rng: random.Random) -> int:
    """Some customers write much, most little."""
    return plan.reviewers[int(rng.random() ** 1.7 * len(plan.reviewers))]


def _broken_line(kind: str, cid: int, text: str, review_id: int, rng: random.Random) -> str:
    match kind:
        case "too few fields":
            return f"{cid},{plain_text(rng)}"
        case "too many fields":
            return f"{cid},{plain_text(rng)}, and a cushion,{review_id}"
        case "no id":
            return f"{cid},{field(text)},"
        case "text id":
            return f"{cid},{field(text)},R-{review_id}"
        case "huge id":
            return f"{cid},{field(text)},{BEYOND_32_BITS + review_id}"
        case "text cid":
            return f"customer {cid},{field(text)},{review_id}"
        case "huge cid":
            return f"{BEYOND_32_BITS + cid},{field(text)},{review_id}"
        case "no text":
            return f"{cid},,{review_id}"
        case "quoted no text":
            return f'{cid},"",{review_id}'
    raise ValueError(f"no broken review of kind {kind!r}")


def _opposite(texts: Iterator[tuple[str, int]], positive: int) -> tuple[str, int]:
    return next((text, verdict) for text, verdict in texts if verdict != positive)


def _write_misheaded(plan: Plan, delivered: Deliveries, rng: random.Random) -> None:
    """A second file in which a column has another name: none of its lines can be trusted."""
    day = plan.days[plan.day_with_stray_files]
    first_id = plan.review_id(len(plan.days), 0)
    header = "id_review,text,cid"
    with vendor_file(plan.out, "movie_review", day, "movie_review_2.csv", header) as write_line:
        for review_id in range(first_id, first_id + 3):
            text = plain_text(rng) + (canaries.SENTENCE if plan.has_canaries else "")
            write_line(f"{review_id},{field(text)},{_reviewer(plan, rng)}")
            delivered.quarantine(REVIEWS, day, "header is not as agreed")
