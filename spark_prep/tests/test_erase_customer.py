"""A customer is erased from staging and quarantine, in all runs of all days, and no job brings them back."""

import os
import re
import signal
import sys
from datetime import date
from functools import partial

import pyarrow.parquet as pq
import pytest

from spark_prep.check_day import Limits, read_outcome, require_sound
from spark_prep.contract import publish
from spark_prep.contract.encryption import read_batches
from spark_prep.contract.object_store import create
from spark_prep.erasure import erase_customer as module
from spark_prep.erasure.suppression import NOBODY, read_suppression
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.logs.parse_logs import LOG_REVIEWS
from spark_prep.logs.parse_logs import parse as parse_fields
from spark_prep.reviews.classifiers.keyword import keyword
from spark_prep.reviews.classify_reviews import MOVIE_REVIEW, other_rows
from spark_prep.reviews.classify_reviews import classify as classify_fields
from spark_prep.shop import export_purchases as export
from spark_prep.shop.export_purchases import export_purchases
from spark_prep.spark import stage_feed
from spark_prep.spark.pieces import pieces_of, tasks_of
from spark_prep.spark.stage_feed import delivered_files
from spark_prep.spark.stage_task import Optional, Stage, stage_task

DAY, NEXT = date(2021, 1, 1), date(2021, 1, 2)
ALICE, BOB = 1987654321, 4711
SUPPRESSION_KEY = "another-key-for-tests-9876543210"
LOG = "<reviewlog><log><logDate>01-01-2021</logDate><device>{}</device><location>Texas</location><os>iOS</os><ipAddress>1.2.3.4</ipAddress><phoneNumber>5</phoneNumber></log></reviewlog>"
# Of Alice: reviews 10 and 11, 12 as a copy on the next day of what is Bob's, and 13, which cannot be used.
REVIEWS = {
    DAY: f'cid,review_str,id_review\n{ALICE},good,10\n{BOB},bad,12\n{ALICE},,13\n{BOB},"{ALICE} "writes,14\n{ALICE}1,good,15\n',
    NEXT: f"cid,review_str,id_review\n{ALICE},bad,11\n{ALICE},good,12\n{BOB},good,10\n",
}
LOGS = {
    DAY: "id_review,log\n" + "".join(f"{n},{LOG.format(n)}\n" for n in (10, 12, 13, 15)),
    NEXT: f"id_review,log\n11,{LOG.format(11)}\n13,<broken\n15,<broken\n",
}
PURCHASES = (
    f"'1', 'a', 'x', 1, '2021-01-01 10:00', 1.5, {ALICE}, 'Spain'",
    f"'2', 'a', 'x', 1, '2021-01-01 10:00', 2.5, {BOB}, 'Spain'",
    f"'3', 'a', 'x', 1, '2021-01-01 10:00', 'NaN', {ALICE}, 'Spain'",
    f"'4', 'a', 'x', 1, null, 1, {BOB}, '{ALICE}'",
    "'5', 'a', 'x', 1, '2021-01-02 10:00', 3.5, null, 'Spain'",
)


@pytest.fixture(autouse=True)
def keys(monkeypatch):
    monkeypatch.setenv("PSEUDONYM_SECRET", "key-for-tests-0123456789")
    monkeypatch.setenv("SUPPRESSION_SECRET", SUPPRESSION_KEY)


def stage_feeds(settings):
    """As the Spark jobs do, in this process: a task for each day."""
    good = partial(keyword, words=frozenset({"good"}))
    classify = partial(classify_fields, classifier=good, others=[good])
    parse = partial(parse_fields, secret_id="", key_version="1")
    for table, feed, transform in (
        ("classified_movie_review", MOVIE_REVIEW, classify),
        ("review_logs", LOG_REVIEWS, parse),
    ):
        # what a second classifier says lies beside the reviews
        optional = Optional("other_classification", other_rows) if feed is MOVIE_REVIEW else None
        stage = Stage(table, feed, transform, read_suppression(settings["STAGING_URI"]), optional)
        run = publish.new_run(settings, table)
        for day in (DAY, NEXT):
            files = delivered_files(settings["RAW_URI"], feed, day).files
            pieces = [
                piece
                for task in tasks_of(pieces_of(files, 1 << 20), 1 << 20)
                for piece in stage_task(task, stage, run)
            ]
            rejected: dict[str, int] = {}
            for piece in pieces:
                for reason, n in piece.rejected.items():
                    rejected[reason] = rejected.get(reason, 0) + n
            if optional:
                publish.commit(run._replace(table=optional.table), day, len(files), 0, {})
            publish.commit(run, day, len(files), sum(piece.report.records for piece in pieces), rejected)


@pytest.fixture
def staged(lake, shop, monkeypatch):
    """Two days of all three tables, staged twice: so there are runs that are not the days' any more."""
    for day in (DAY, NEXT):
        lake.deliver("movie_review", day, REVIEWS[day])
        lake.deliver("log_reviews", day, LOGS[day])
    shop.fill(*PURCHASES, unit_price="numeric")
    lake.settings["USER_PURCHASE_DSN"] = shop.dsn
    for _ in range(2):
        stage_feeds(lake.settings)
        export_purchases(lake.settings, [DAY, NEXT])
    for name, value in lake.settings.items():
        monkeypatch.setenv(name, value)
    return lake


def run(capsys, *options):
    sys.argv = ["erase_customer", "--customer", str(ALICE), *options]
    module.main()
    return capsys.readouterr().out


def values(lake):
    """Every value of every file below staging and quarantine, of all runs, as a text; and the names of the files."""
    return {
        name: str([batch.to_pylist() for batch in read_batches("/", str(lake.root / name))])
        for name in lake.files()
        if name.endswith(".parquet")
    }


def rows(lake):
    """What a reader sees of all tables and days, runs aside."""
    tables = ("classified_movie_review", "review_logs", "user_purchase")
    return {
        (table, day): (
            sorted(map(str, lake.staged(table, day))),
            sorted(map(str, lake.quarantined(table, day))),
            lake.rejections(table, day),
        )
        for table in tables
        for day in (DAY, NEXT)
    }


def balance(lake):
    for table in ("classified_movie_review", "review_logs", "user_purchase"):
        for day in (DAY, NEXT):
            require_sound(read_outcome(lake.settings, table, day), Limits(1, 0))


def test_without_yes_it_counts_and_changes_nothing(staged, capsys):
    before = staged.files()
    printed = run(capsys)
    # staged, quarantined, in the other run: the same again
    assert re.search(r"^user_purchase +1 +1 +2$", printed, re.MULTILINE)
    # 10; 11 and 12 / 13, and 14, whose text names her / the same again
    assert re.search(r"^classified_movie_review +3 +2 +5$", printed, re.MULTILINE)
    # 10, 11, 13 / 13; 12 is Bob's, since his record came first
    assert re.search(r"^review_logs +3 +1 +4$", printed, re.MULTILINE)
    assert staged.files() == before


def test_nothing_of_the_customer_is_left_and_all_else_is_as_it_was(staged, capsys):
    assert any(str(ALICE) in text.replace(f"{ALICE}1", "") for text in values(staged).values())
    delivered = {
        (table, day): staged.delivery(table, day)["delivered_records"] for table, day in rows(staged)
    }
    printed = run(capsys, "--yes")
    assert printed.splitlines()[-1] == f"DBT_FROM_DATE={DAY} DBT_TO_DATE={NEXT}"

    for name, text in values(staged).items():
        # the country of a purchase that is Bob's is no id; another customer's id that begins alike stays
        assert str(ALICE) not in text.replace(f"{ALICE}1", "").replace(f'"country":"{ALICE}"', ""), name
    staged_ids: dict[str, list] = {
        table: [] for table in ("classified_movie_review", "review_logs", "user_purchase")
    }
    for table, day in rows(staged):
        key = {
            "classified_movie_review": "review_id",
            "review_logs": "log_id",
            "user_purchase": "invoice_number",
        }[table]
        staged_ids[table] += [row[key] for row in staged.staged(table, day)]
    assert staged_ids == {
        "classified_movie_review": [12, 10],
        "review_logs": [12, 15],
        "user_purchase": ["2", "5"],
    }
    others = [row["review_id"] for day in (DAY, NEXT) for row in staged.staged("other_classification", day)]
    assert others == staged_ids["classified_movie_review"]
    assert staged.rejections("classified_movie_review", DAY) == {
        "cid is not an integer": 1,
        "erased on request": 3,
    }
    assert staged.rejections("classified_movie_review", NEXT) == {"erased on request": 2}
    assert staged.rejections("review_logs", DAY) == {"erased on request": 2}
    assert staged.rejections("review_logs", NEXT) == {"broken XML": 1, "erased on request": 2}
    assert staged.rejections("user_purchase", DAY) == {"no invoice_date": 1, "erased on request": 2}
    assert {(t, d): staged.delivery(t, d)["delivered_records"] for t, d in delivered} == delivered
    balance(staged)


@pytest.mark.parametrize(
    ("feed", "delivered"),
    [
        ("movie_review", f"cid,review_str,id_review\n00000{ALICE},,21\n"),
        ("movie_review", f'cid,review_str,id_review\n+{ALICE},"a" b,21\n'),
        ("movie_review", f"id_review,cid,review_str\n21,{ALICE},\n"),
        ("movie_review", f"cid,review_str,id_review\n{ALICE},good,21\n".encode("utf-16")),
        ("log_reviews", "id_review,log\n010,<broken\n+10,<broken\n 10 ,<broken\n"),
        ("log_reviews", "log,id_review\n<broken,10\n<broken,,10\n"),
        ("log_reviews", "id_review,log\n10,<broken\n".encode("utf-16")),
    ],
)
def test_however_an_id_is_written_its_rejected_record_goes_and_does_not_come_back(
    staged, capsys, feed, delivered
):
    table = "classified_movie_review" if feed == "movie_review" else "review_logs"
    if isinstance(delivered, str):
        delivered = delivered.encode()
    for file in staged.root.glob(f"raw/{feed}/insert_date={NEXT}/*"):
        file.write_bytes(delivered)
    staged.deliver("log_reviews", DAY, LOGS[DAY] + f"21,{LOG.format(21)}\n")
    stage_feeds(staged.settings)
    name = str(ALICE if feed == "movie_review" else 10).encode()

    def named():
        raws = [row["raw_bytes"] or row["raw_record"].encode() for row in staged.quarantined(table, NEXT)]
        return [raw for raw in raws if name in raw.replace(b"\0", b"")]

    assert named()
    run(capsys, "--yes")
    for _ in range(2):
        assert named() == []
        logs = [row["log_id"] for row in staged.staged("review_logs", DAY)]
        assert logs == ([12, 15] if feed == "movie_review" and b"\0" not in delivered else [12, 15, 21])
        balance(staged)
        stage_feeds(staged.settings)


def test_staging_the_days_again_gives_the_same_without_the_customer(staged, capsys):
    run(capsys, "--yes")
    erased = rows(staged)
    stage_feeds(staged.settings)
    export_purchases(staged.settings, [DAY, NEXT])
    assert rows(staged) == erased
    balance(staged)


@pytest.mark.parametrize("moment", ["_write_purchases", "commit"])
def test_an_export_during_the_erasure_fails_and_the_next_one_brings_nobody_back(
    staged, capsys, monkeypatch, moment
):
    """The erasure comes when the job has written its files, or a day of them is committed; for the job it is what another process does."""
    work, done = getattr(export, moment), list[str]()

    def with_erasure(*arguments):
        result = work(*arguments)
        if not done:
            done.append(run(capsys, "--yes"))
        return result

    monkeypatch.setattr(export, moment, with_erasure)
    with pytest.raises(ConnectionLost, match="a customer was erased meanwhile"):
        export_purchases(staged.settings, [DAY, NEXT])
    assert done
    export_purchases(staged.settings, [DAY, NEXT])
    balance(staged)
    assert "nothing was changed" in run(capsys)
    assert [row["customer_id"] for row in staged.staged("user_purchase", DAY)] == [BOB]


def test_a_spark_job_during_the_erasure_fails_and_commits_nothing(staged, spark, capsys, monkeypatch):
    work = stage_feed._stage_files
    stage = Stage("review_logs", LOG_REVIEWS, partial(parse_fields, secret_id="", key_version="1"))

    def with_erasure(*arguments):
        result = work(*arguments)
        run(capsys, "--yes")
        return result

    monkeypatch.setattr(stage_feed, "_stage_files", with_erasure)
    with pytest.raises(ConnectionLost, match="a customer was erased meanwhile"):
        stage_feed.stage_feed(spark, staged.settings, stage, [DAY, NEXT])
    assert [row["log_id"] for row in staged.staged("review_logs", DAY)] == [12, 15]
    balance(staged)


def test_of_two_erasures_at_once_none_leaves_the_other_customer(staged, capsys, monkeypatch):
    """Bob's has opened a file that holds both when Alice's comes and ends; it then writes that file without Bob."""

    def with_erasure(root, name):
        if name.startswith("user_purchase"):
            monkeypatch.setattr(module, "create", create)
            run(capsys, "--yes")
        return create(root, name)

    monkeypatch.setattr(module, "create", with_erasure)
    monkeypatch.setattr(sys, "argv", ["erase_customer", "--customer", str(BOB), "--yes"])
    with pytest.raises(PreparationError, match="staged again meanwhile"):
        module.main()
    assert all(
        str(ALICE) not in text.replace(f"{ALICE}1", "").replace(f'"country":"{ALICE}"', "")
        for text in values(staged).values()
    )
    monkeypatch.setattr(sys, "argv", ["erase_customer", "--customer", str(BOB), "--yes"])
    module.main()
    balance(staged)


def test_erasing_twice_changes_nothing_and_names_the_same_days(staged, capsys):
    first = run(capsys, "--yes").splitlines()[-1]
    files = staged.files()
    assert run(capsys, "--yes").splitlines()[-1] == first
    assert staged.files() == files


@pytest.mark.parametrize("step", [1, 2, 3, 5, 8, 12, 16])
def test_a_killed_try_is_ended_by_the_next(staged, capsys, monkeypatch, step):
    """Killed at the n-th change, before it, as a process is that gets no chance to clean up."""
    expected = "erased on request"
    child = os.fork()
    if child == 0:
        changes = 0

        def counted(function):
            def change(*arguments, **options):
                nonlocal changes
                changes += 1
                if changes == step:
                    os.kill(os.getpid(), signal.SIGKILL)
                return function(*arguments, **options)

            return change

        for name in ("commit", "remove_run", "suppress_customer"):
            setattr(module, name, counted(getattr(module, name)))
        sys.argv = ["erase_customer", "--customer", str(ALICE), "--yes"]
        module.main()
        os._exit(1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    balance(staged)
    assert run(capsys, "--yes").splitlines()[-1] == f"DBT_FROM_DATE={DAY} DBT_TO_DATE={NEXT}"
    balance(staged)
    assert not any(
        str(ALICE) in text.replace(f"{ALICE}1", "").replace(f'"country":"{ALICE}"', "")
        for text in values(staged).values()
    )
    assert sum(row.get(expected, 0) for _, _, row in rows(staged).values()) == 11


def test_the_list_holds_digests_only_and_needs_its_key(staged, capsys, monkeypatch):
    assert read_suppression(staged.settings["STAGING_URI"]) == NOBODY
    run(capsys, "--yes")
    (name,) = (name for name in staged.files() if "/suppression/" in name)
    kinds = [row["kind"] for row in pq.read_table(staged.root / name).to_pylist()]
    assert kinds == ["customer", "day", "day", "key", "review", "review", "review"]
    monkeypatch.setenv("SUPPRESSION_SECRET", "a-third-key-for-tests-123456")
    with pytest.raises(PreparationError, match="made with another key"):
        export_purchases(staged.settings, [DAY])
    monkeypatch.delenv("SUPPRESSION_SECRET")
    with pytest.raises(PreparationError, match="SUPPRESSION_SECRET has 0 characters"):
        export_purchases(staged.settings, [DAY])


def test_what_a_killed_run_has_left_half_written_goes_too(staged, capsys):
    half = (
        staged.root
        / f"staging/user_purchase/insert_date={DAY}/run=20210101T000000-00000000/part-00000.parquet.0a1b"
    )
    half.parent.mkdir()
    half.write_bytes(b"PAR1" + str(ALICE).encode())
    assert "1 files that killed runs have left" in run(capsys, "--yes")
    assert not half.exists()


def test_raw_records_whose_key_is_lost_stop_it_until_they_are_deleted(staged, capsys, monkeypatch):
    monkeypatch.setenv("QUARANTINE_SECRET", "made-after-the-first-was-lost-0123")
    encrypted = [staged.root / name for name in staged.files() if "/quarantine/" in f"/{name}"]
    before = staged.files()
    with pytest.raises(
        PreparationError, match="only if its key is lost for good, delete this file"
    ) as refusal:
        run(capsys, "--yes")
    named = re.search(r"(/\S+\.parquet) cannot be decrypted", str(refusal.value))
    assert named and named[1] in map(str, encrypted) and staged.files() == before
    for file in encrypted:
        file.unlink()
    run(capsys, "--yes")
    balance(staged)
    for name, text in values(staged).items():
        assert str(ALICE) not in text.replace(f"{ALICE}1", ""), name


def test_in_a_bucket(staged, bucket, capsys, monkeypatch):
    for name in ("STAGING_URI", "QUARANTINE_URI"):
        monkeypatch.setenv(name, f"s3://{bucket}/{name}")
        staged.settings[name] = f"s3://{bucket}/{name}"
    stage_feeds(staged.settings)
    export_purchases(staged.settings, [DAY, NEXT])
    assert run(capsys, "--yes").splitlines()[-1] == f"DBT_FROM_DATE={DAY} DBT_TO_DATE={NEXT}"
    balance(staged)
    for root in (staged.settings["STAGING_URI"], staged.settings["QUARANTINE_URI"]):
        for table in ("classified_movie_review", "review_logs", "user_purchase"):
            for _, _, path in publish.part_files(root, table):
                text = str([batch.to_pylist() for batch in read_batches(root, path)])
                assert str(ALICE) not in text.replace(f"{ALICE}1", "").replace(f'"country":"{ALICE}"', "")


@pytest.mark.parametrize("customer", ["4294967296", "12a", ""])
def test_an_id_that_is_none_is_refused_and_not_repeated(staged, monkeypatch, customer):
    """A scheduler keeps what is printed."""
    for options, environment in ((["--customer", customer], ""), ([], customer)):
        monkeypatch.setenv("ERASE_CUSTOMER", environment)
        monkeypatch.setattr(sys, "argv", ["erase_customer", *options])
        with pytest.raises(PreparationError) as refused:
            module.main()
        assert (
            str(refused.value) == "the customer's id (--customer or ERASE_CUSTOMER) is no integer of 32 bits"
        )


def test_the_id_may_come_from_the_environment(staged, monkeypatch, capsys):
    printed = []
    for options, environment in (["--customer", str(ALICE)], ""), ([], f"{ALICE}"):
        monkeypatch.setenv("ERASE_CUSTOMER", environment)
        monkeypatch.setattr(sys, "argv", ["erase_customer", *options])
        module.main()
        printed.append(capsys.readouterr().out)
    assert printed[0] == printed[1] and "user_purchase" in printed[0]
    assert str(ALICE) not in printed[1]
