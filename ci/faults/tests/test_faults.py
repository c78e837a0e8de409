"""One round of each fault, the quick ones five; and that the suite sees what it is made for: a commit that is not one step, lost records."""

from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from ci.faults import document, suite
from ci.faults.lake import DAYS, Day, Place, World
from spark_prep.contract.publish import committed, delivery_file, files_of

pytestmark = pytest.mark.slow

NAMES = ("kill-export", "kill-staging", "two-exports", "clock", "readers", "database", "store", "disk")


@pytest.fixture(scope="module")
def made():
    with suite.made_world(NAMES) as made:
        yield made


@pytest.fixture(scope="module")
def world(made):
    return made[0]


@pytest.fixture(scope="module")
def results(made):
    world, folder = made
    return {result.fault: result for result in suite.try_faults(world, folder, NAMES, 1, 1)}


def test_nothing_is_lost(results):
    assert {fault: result.findings for fault, result in results.items() if result.findings} == {}
    assert len(results) == len(NAMES)
    for result in results.values():
        # where a file system cannot be mounted, the disk is left out
        assert result.compared > 1000 or result.note.startswith("not tried")


def test_the_faults_strike(results):
    struck = {result.fault: result.struck for result in results.values()}
    assert struck["SIGKILL in the export"] > 0 and struck["the shop's database is gone in mid-export"] > 0


def test_the_table_says_what_was_done(results):
    lines = document.markdown([*results.values()], seed=1).splitlines()
    (line,) = (line for line in lines if line.startswith("| SIGKILL in the export |"))
    assert line.endswith("| nothing lost |")
    found = results["SIGKILL in the export"]._replace(findings=["lost", "lost"])
    assert "| 2 findings |" in document.markdown([found], seed=1)


def findings(world: World, place: Place) -> list[str]:
    return suite.check(world, place, ("user_purchase",), None)


def test_an_old_day_and_a_new_one_are_no_finding_until_the_command_has_run_again(world, tmp_path):
    place = world.old.copy(tmp_path / "place")
    assert suite.check(world, place, ("user_purchase",), lambda: place.run("export")) == []
    assert place.content(("user_purchase",)) == {
        key: day for key, day in world.after.items() if key[0] == "user_purchase"
    }


def test_a_day_that_stays_old_is_a_finding(world, tmp_path):
    place = world.old.copy(tmp_path / "place")
    assert findings(world, place) == [
        f"user_purchase of {day} differs from the undisturbed run" for day in DAYS if world.after["user_purchase", day].delivered
    ]  # fmt: skip


def test_a_row_less_is_a_finding(world, tmp_path):
    place = world.new.copy(tmp_path / "place")
    root, day = place.stores["STAGING_URI"], DAYS[0]
    delivery = committed(root, "user_purchase", day)
    (file,) = files_of(root, "user_purchase", day, str(delivery and delivery.run))
    pq.write_table(pq.read_table(file, partitioning=None).slice(1), file)
    assert f"user_purchase of {day} is neither the old nor the new delivery after the fault" in findings(
        world, place
    )
    assert f"user_purchase of {day}: delivered is not staged + quarantined" in findings(world, place)


def test_another_table_that_changes_is_a_finding(world, tmp_path):
    place = world.old.copy(tmp_path / "place")
    place.run("export")
    Path(place.stores["STAGING_URI"], delivery_file("review_logs", DAYS[1])).unlink()
    assert f"review_logs of {DAYS[1]} is neither the old nor the new delivery after the fault" in findings(
        world, place
    )


def test_what_is_compared_is_counted():
    day = Day(Counter({"a": 2}), Counter({"b": 1}), {"why": 1}, 3, 1)
    assert suite.compared({("user_purchase", DAYS[0]): day}) == 3
