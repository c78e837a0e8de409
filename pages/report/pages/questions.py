"""The five questions of the business, each with its answer."""

from pages.report.charts import Bar, bars
from pages.report.figure import Figure, Page, Shown, chance, counted, listed, part_of, text

APPLE, ALL = "blue", "pale"
# From the first on, and from the last back.
PLACES_SHOWN = 5
ANSWER = (("blue", "the answer"), ("pale", "what comes next"))


def three_states(rows) -> Shown:
    total = sum(row["review_count"] for row in rows)
    counts = listed(f"{text(row['review_count'], 'count')} in {row['location']}" for row in rows)
    return Shown(
        sentence=f"{counted(total, 'review')}: {counts}.",
        columns=[("State", "text"), ("Reviews", "count")],
        rows=[(row["location"], row["review_count"]) for row in rows],
        chart=lambda width: bars([_bar(row["location"], row["review_count"]) for row in rows], width),
    )


def apple_in_three_states(rows) -> Shown:
    apple, total = (sum(row[count] for row in rows) for count in ("apple_review_count", "review_count"))
    by_state: dict[str, tuple] = {}
    for row in rows:
        of_apple, of_all = by_state.get(row["location"], (0, 0))
        by_state[row["location"]] = (of_apple + row["apple_review_count"], of_all + row["review_count"])
    states = listed(f"{part_of(*counts)} in {state}" for state, counts in by_state.items())
    lines = []
    for state in by_state:
        lines.append(Bar(state))
        lines += [
            Bar(
                row["device"],
                ((0, row["review_count"], ALL), (0, row["apple_review_count"], APPLE)),
                f"{text(row['apple_review_count'], 'count')} of {text(row['review_count'], 'count')}",
            )
            for row in rows
            if row["location"] == state
        ]
    return Shown(
        sentence=f"From an Apple device came {part_of(apple, total)}: {states}.",
        columns=[
            ("State", "text"),
            ("Device", "text"),
            ("Reviews", "count"),
            ("On an Apple device", "count"),
        ],
        rows=[
            (row["location"], row["device"], row["review_count"], row["apple_review_count"]) for row in rows
        ],
        chart=lambda width: bars(lines, width),
        legend=((APPLE, "on an Apple device"), (ALL, "on another")),
    )


def most_computer_reviews_in_chrome(rows, places) -> Shown:
    answers = [row["location"] for row in rows]
    count = counted(rows[0]["review_count"], "review")
    ranked = _ranked(places, "computer_chrome_review_count")
    return Shown(
        sentence=f"{listed(answers)}, with {count}{' each' if len(answers) > 1 else ''}.{_next(ranked, answers)}"
        + chance([number for _, number in ranked], "the places"),
        columns=[("Answer", "text"), ("Location", "text"), ("Computer reviews in Chrome", "count")],
        rows=[("most" if place in answers else "", place, number) for place, number in ranked],
        chart=lambda width: bars([_bar(*place, answers) for place in ranked[: max(PLACES_SHOWN, len(answers))]], width),
        legend=ANSWER,
    )  # fmt: skip


def most_and_fewest(rows, places) -> Shown:
    def said(answer):
        found = [row for row in rows if row["answer"] == answer]
        count = counted(found[0]["review_count"], "review") if found else ""
        return f"{listed(row['location'] for row in found)}, {count}{' each' if len(found) > 1 else ''}"

    if all(row["answer"] == "most" for row in rows):
        sentence = f"No state has more than another: {said('most')}."
    else:
        sentence = f"The highest number: {said('most')}. The lowest: {said('fewest')}."
    answers = {row["location"]: row["answer"] for row in rows}
    ranked = _ranked([place for place in places if place["region"] != "Unknown"], "review_count_2021")
    is_all_shown = len(ranked) <= 2 * PLACES_SHOWN
    shown = ranked if is_all_shown else [*ranked[:PLACES_SHOWN], *ranked[-PLACES_SHOWN:]]
    lines = [_bar(*place, answers) for place in shown]
    if not is_all_shown:
        lines[PLACES_SHOWN:PLACES_SHOWN] = [
            Bar(f"… {counted(len(ranked) - len(shown), 'state')} between them …")
        ]
    return Shown(
        sentence=sentence + chance([number for _, number in ranked], "the states"),
        columns=[("Answer", "text"), ("State", "text"), ("Reviews in 2021", "count")],
        rows=[(answers.get(state, ""), state, number) for state, number in ranked],
        chart=lambda width: bars(lines, width),
        legend=ANSWER,
    )


def devices_by_coast(rows) -> Shown:
    totals: dict[tuple[str, str], int] = {}
    for row in rows:
        area = (row["kind_of_area"], row["area"])
        totals[area] = totals.get(area, 0) + row["review_count"]

    def of(coast) -> list:
        return [row for row in rows if (row["kind_of_area"], row["area"]) == ("coast", coast)]

    def most(coast) -> str:
        first = [row for row in of(coast) if row["place"] == 1]
        return (
            f"{listed(row['device'] for row in first)}, {part_of(first[0]['review_count'], totals['coast', coast])} reviews"
            f"{' each' if len(first) > 1 else ''}"
            if first
            else "no device of a review is known"
        )

    lines = []
    for coast in ("East", "West"):
        lines.append(Bar(coast))
        for row in of(coast):
            share = row["review_count"] / totals["coast", coast]
            said = f"{text(share, 'share')} ({text(row['review_count'], 'count')})"
            lines.append(Bar(row["device"], ((0, share, "blue" if row["place"] == 1 else "pale"),), said))
    return Shown(
        sentence=f"In the east: {most('East')}. In the west: {most('West')}."
        + "".join(
            chance([int(row["review_count"]) for row in of(coast)], f"the devices in the {coast.lower()}") for coast in ("East", "West")
        ),
        columns=[("Answer", "text"), ("Kind of area", "text"), ("Area", "text"), ("Device", "text"), ("Reviews", "count"), ("Share of the area", "share")],
        rows=[
            (
                "most" if row["place"] == 1 else "", row["kind_of_area"], row["area"], row["device"], row["review_count"], row["review_count"] / totals[row["kind_of_area"], row["area"]],
            )
            for row in rows
        ],
        chart=lambda width: bars(lines, width),
        legend=ANSWER,
    )  # fmt: skip


def _ranked(places, count: str) -> list[tuple[str, int]]:
    """Places that have any, the highest number first."""
    return sorted(
        ((row["location"], int(row[count])) for row in places if row[count]),
        key=lambda place: (-place[1], place[0]),
    )


def _next(ranked: list[tuple[str, int]], answers) -> str:
    second = max((number for place, number in ranked if place not in answers), default=0)
    return (
        f" Next: {listed(place for place, number in ranked if number == second)}, {text(second, 'count')}."
        if second
        else ""
    )


def _bar(label, count, answers=()) -> Bar:
    color = "blue" if not answers or label in answers else "pale"
    return Bar(label, ((0, count, color),), text(count, "count"))


PAGE = Page(
    name="questions",
    title="The five questions",
    lead="What the business asked, and what the warehouse answers.",
    figures=(
        Figure(
            name="three-states",
            title="How many reviews were written in California, New York and Texas?",
            queries=("reviews_in_california_new_york_and_texas",),
            show=three_states,
            definition="Reviews by customers of the shop, by the state in their log.",
            empty="No review from one of the three states is in the warehouse.",
            metrics=("review_count",),
        ),
        Figure(
            name="apple",
            title="How many of them with an Apple device, and how many for each device type?",
            queries=("apple_reviews_in_california_new_york_and_texas",),
            show=apple_in_three_states,
            definition="An Apple device runs an operating system of Apple's, whatever kind of device it is.",
            empty="No review from one of the three states is in the warehouse.",
            metrics=("review_count",),
        ),
        Figure(
            name="chrome",
            title="Which location has most reviews from a computer in a Chrome browser?",
            queries=("locations_with_most_computer_reviews_in_chrome", "report_question_places"),
            show=most_computer_reviews_in_chrome,
            definition=(
                "Device Computer, browser Chrome. The browser is derived from the operating system if the log names none. "
                f"Several locations if they tie. The picture has the first {PLACES_SHOWN}, the table all."
            ),
            empty="No review from a computer in Chrome is in the warehouse.",
            metrics=("review_count",),
        ),
        Figure(
            name="most-and-fewest",
            title="What are the states with most and fewest reviews in 2021?",
            queries=("states_with_most_and_fewest_reviews_in_2021", "report_question_places"),
            show=most_and_fewest,
            definition=f"By the day in the log. States without any review are not in it; several if they tie. The picture has the first and the last {PLACES_SHOWN}, "
            "the table all.",
            empty="No review that was written in 2021 is in the warehouse.",
            metrics=("review_count",),
        ),
        Figure(
            name="devices",
            title="Which device is used most in the east, and which in the west?",
            queries=("devices_most_used_in_the_east_and_in_the_west",),
            show=devices_by_coast,
            definition=(
                "West is the Census region West, east are all other states. Reviews whose place or device is unknown are left "
                "out; several devices if they tie. Shares are of the area's reviews. The table has the Census regions as well."
            ),
            empty="No review with a device and a state is in the warehouse.",
            metrics=("review_count",),
        ),
    ),
)
