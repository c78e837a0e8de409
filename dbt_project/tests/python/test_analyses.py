"""The five questions of the business, asked of the warehouse as dbt compiles them, against the sample's answers."""

import pytest

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def asked(built) -> dict[str, list[tuple]]:
    """The rows that each analysis gives."""
    compiled = built.dbt("compile", "--select", "resource_type:analysis")
    assert compiled.returncode == 0, compiled.stdout
    files = (built.folder / "target/compiled/movie_analytics/analyses").glob("*.sql")
    return {file.stem: built.query(file.read_text()) for file in files}


@pytest.fixture(scope="module")
def questions(sample) -> dict:
    return sample.answers()["questions"]


def test_there_is_an_analysis_for_each_question(asked):
    assert len(asked) == 5


def test_reviews_in_three_states(asked, questions):
    assert dict(asked["reviews_in_california_new_york_and_texas"]) == questions["reviews_by_state"]


def test_apple_reviews_in_three_states_and_by_device(asked, questions):
    rows = asked["apple_reviews_in_california_new_york_and_texas"]
    # The answers leave out what is zero, and call a missing device "".
    named = [(state, "" if device == "Unknown" else device, *counts) for state, device, *counts in rows]
    assert {f"{state} / {device}": count for state, device, count, _ in named} == (
        questions["reviews_by_state_and_device"]
    )
    assert {f"{state} / {device}": apple for state, device, _, apple in named if apple} == (
        questions["apple_reviews_by_state_and_device"]
    )
    by_state: dict[str, int] = {}
    for state, _, _, apple in named:
        by_state[state] = by_state.get(state, 0) + apple
    assert by_state == questions["apple_reviews_by_state"]


def test_location_with_most_computer_reviews_in_chrome(asked, questions):
    rows = asked["locations_with_most_computer_reviews_in_chrome"]
    assert [location for location, _ in rows] == questions["computer_chrome_reviews_most"]
    for location, count in rows:
        assert count == questions["computer_chrome_reviews_by_location"][location]


def test_states_with_most_and_fewest_reviews_in_2021(asked, questions):
    rows = asked["states_with_most_and_fewest_reviews_in_2021"]
    for answer in ("most", "fewest"):
        assert [state for said, state, _ in rows if said == answer] == (
            questions[f"reviews_by_state_in_2021_{answer}"]
        )
    assert all(count == questions["reviews_by_state_in_2021"][state] for _, state, count in rows)


def test_devices_most_used_in_the_east_and_in_the_west(asked, questions):
    rows = asked["devices_most_used_in_the_east_and_in_the_west"]
    for coast in ("East", "West"):
        ranked = [
            (device, count, place)
            for kind, area, device, count, place in rows
            if (kind, area) == ("coast", coast)
        ]
        counts = questions[f"reviews_by_device_{coast.lower()}"]
        assert [device for device, _, place in ranked if place == 1] == questions[
            f"reviews_by_device_{coast.lower()}_most"
        ]
        assert {device: count for device, count, _ in ranked} == {
            device: counts[device] for device in counts if device
        }
        assert all(place == 1 + sum(other > count for _, other, _ in ranked) for _, count, place in ranked)
    assert {area for kind, area, *_ in rows if kind == "region"} == {
        "Northeast",
        "Midwest",
        "South",
        "West",
    }
