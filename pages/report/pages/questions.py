"""The five questions of the business, each with its answer."""

from pages.report.charts import Bar, bars
from pages.report.figure import Figure, Page, Shown, counted, listed, part_of, text

APPLE, ALL = "blue", "pale"


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


def most_computer_reviews_in_chrome(rows) -> Shown:
    count = counted(rows[0]["review_count"], "review")
    places = [row["location"] for row in rows]
    return Shown(
        sentence=f"{listed(places)}, with {count}{' each' if len(places) > 1 else ''}.",
        columns=[("Location", "text"), ("Computer reviews in Chrome", "count")],
        rows=[(row["location"], row["review_count"]) for row in rows],
        chart=lambda width: bars([_bar(row["location"], row["review_count"]) for row in rows], width),
    )


def most_and_fewest(rows) -> Shown:
    def said(answer):
        found = [row for row in rows if row["answer"] == answer]
        count = counted(found[0]["review_count"], "review") if found else ""
        return f"{listed(row['location'] for row in found)}, {count}{' each' if len(found) > 1 else ''}"

    if all(row["answer"] == "most" for row in rows):
        sentence = f"No state has more than another: {said('most')}."
    else:
        sentence = f"The highest number: {said('most')}. The lowest: {said('fewest')}."
    return Shown(
        sentence=sentence,
        columns=[("", "text"), ("State", "text"), ("Reviews in 2021", "count")],
        rows=[(row["answer"], row["location"], row["review_count"]) for row in rows],
        chart=lambda width: bars(
            [_bar(row["location"], row["review_count"], f" ({row['answer']})") for row in rows], width
        ),
    )


def devices_by_coast(rows) -> Shown:
    def most(area):
        found = [row for row in rows if (row["kind_of_area"], row["area"]) == ("coast", area)]
        count = counted(found[0]["review_count"], "review") if found else ""
        return (
            f"{listed(row['device'] for row in found)}, {count}{' each' if len(found) > 1 else ''}"
            if found
            else "no device of a review is known"
        )

    lines = []
    for kind, heading in (("coast", "Coast"), ("region", "Census region")):
        lines.append(Bar(heading))
        lines += [
            _bar(f"{row['area']}: {row['device']}", row["review_count"])
            for row in rows
            if row["kind_of_area"] == kind
        ]
    return Shown(
        sentence=f"In the east: {most('East')}. In the west: {most('West')}.",
        columns=[("Area", "text"), ("", "text"), ("Device", "text"), ("Reviews", "count")],
        rows=[(row["kind_of_area"], row["area"], row["device"], row["review_count"]) for row in rows],
        chart=lambda width: bars(lines, width),
    )


def _bar(label, count, said="") -> Bar:
    return Bar(label, ((0, count, "blue"),), text(count, "count") + said)


PAGE = Page(
    name="questions",
    title="The five questions",
    lead="What the business asked, and what the warehouse answers.",
    figures=(
        Figure(
            name="three-states",
            title="How many reviews were done in California, New York and Texas?",
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
            queries=("locations_with_most_computer_reviews_in_chrome",),
            show=most_computer_reviews_in_chrome,
            definition=(
                "Device Computer, browser Chrome. The browser is derived from the operating system if the log names none. "
                "Several locations if they tie."
            ),
            empty="No review from a computer in Chrome is in the warehouse.",
            metrics=("review_count",),
        ),
        Figure(
            name="most-and-fewest",
            title="What are the states with most and fewest reviews in 2021?",
            queries=("states_with_most_and_fewest_reviews_in_2021",),
            show=most_and_fewest,
            definition="By the day in the log. States without any review are not in it; several if they tie.",
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
                "out; several devices if they tie."
            ),
            empty="No review with a device and a state is in the warehouse.",
            metrics=("review_count",),
        ),
    ),
)
