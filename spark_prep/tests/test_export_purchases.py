from datetime import date, datetime
from decimal import Decimal

import psycopg
import pyarrow.parquet as pq
import pytest

from spark_prep.contract import tables
from spark_prep.errors import ConnectionLost, PreparationError
from spark_prep.shop import export_purchases as export
from spark_prep.shop.export_purchases import export_purchases

TABLE = "user_purchase"
START, NEXT, THIRD = date(2021, 1, 1), date(2021, 1, 2), date(2021, 1, 3)


def line(number, moment, quantity=1, price="1.5", customer="7"):
    moment = moment if moment == "null" else f"'{moment}'"
    return f"'{number}', 'A', ' a detail ', {quantity}, {moment}, {price}, {customer}, 'EIRE'"


@pytest.fixture
def settings(lake, shop):
    return {**lake.settings, "USER_PURCHASE_DSN": shop.dsn}


def numbers(lake, day):
    return sorted(row["invoice_number"] for row in lake.staged(TABLE, day))


def content(lake, day):
    """The day as its readers see it, whatever the run and the order of rows."""
    rows = [sorted(map(str, read(TABLE, day))) for read in (lake.staged, lake.quarantined)]
    return *rows, lake.rejections(TABLE, day), {**lake.delivery(TABLE, day), "run": None}


def test_each_purchase_goes_to_its_day_and_history_to_the_first(lake, shop, settings):
    shop.fill(
        line("future", "2021-01-04 00:00"),
        line("3rd", "2021-01-03 23:59:59.999999"),
        line("old", "2010-12-01 08:26"),
        line("1st-late", "2021-01-01 23:59:59.999999"),
        line("2nd", "2021-01-02 00:00"),
        line("1st", "2021-01-01 00:00"),
    )
    export_purchases(settings, [START, NEXT, THIRD])
    together = {day: content(lake, day) for day in (START, NEXT, THIRD)}
    assert numbers(lake, START) == ["1st", "1st-late", "old"]
    assert numbers(lake, NEXT) == ["2nd"] and numbers(lake, THIRD) == ["3rd"]
    for day in (THIRD, START, NEXT):
        export_purchases(settings, [day])
    assert {day: content(lake, day) for day in (START, NEXT, THIRD)} == together


def test_values_are_exact(lake, shop, settings):
    shop.fill(
        line("C1", "2021-01-01 08:26:00.000001", quantity=-80995, price="0.001", customer="null"),
        line("A2", "2021-01-01 09:00", quantity=2147483647, price="-99999.999"),
        "null, null, null, null, '2021-01-01', null, null, null",
        "null, null, null, null, '2021-01-01', null, null, null",
    )
    export_purchases(settings, [START])
    rows = lake.staged(TABLE, START)
    assert rows[0] == {
        "invoice_number": "C1",
        "stock_code": "A",
        "detail": " a detail ",
        "quantity": -80995,
        "invoice_date": datetime(2021, 1, 1, 8, 26, 0, 1),
        "unit_price": Decimal("0.001"),
        "customer_id": None,
        "country": "EIRE",
    }
    assert (rows[1]["quantity"], rows[1]["unit_price"]) == (2147483647, Decimal("-99999.999"))
    nothing = dict.fromkeys(tables.USER_PURCHASE.names) | {"invoice_date": datetime(2021, 1, 1)}
    assert rows[2:] == [nothing, nothing]


def test_times_are_written_as_those_of_no_time_zone(lake, shop, settings):
    shop.fill(line("1st", "2021-01-01"))
    export_purchases(settings, [START])
    (file,) = lake.root.glob(f"staging/{TABLE}/insert_date={START}/run=*/*")
    column = pq.ParquetFile(file).schema.column(tables.USER_PURCHASE.names.index("invoice_date"))
    assert '"isAdjustedToUTC":false,"timeUnit":"microseconds"' in column.logical_type.to_json()


def test_what_belongs_to_no_day_or_has_no_price_is_quarantined(lake, shop, settings):
    shop.fill(
        line("dateless", "null"),
        line("endless", "infinity"),
        line("endless2", "-infinity"),
        line("nan", "2021-01-02 10:00", price="'NaN'"),
        line("fine", "2021-01-02 10:00"),
    )
    outcome = export_purchases(settings, [START, NEXT])
    assert lake.reasons(TABLE, START) == ["invoice_date is not finite"] * 2 + ["no invoice_date"]
    assert lake.rejections(TABLE, START) == {"invoice_date is not finite": 2, "no invoice_date": 1}
    assert lake.staged(TABLE, START) == [] and lake.delivery(TABLE, START)["delivered_records"] == 3
    assert numbers(lake, NEXT) == ["fine"] and lake.delivery(TABLE, NEXT)["delivered_records"] == 2
    (row,) = lake.quarantined(TABLE, NEXT)
    assert row["reason"] == "unit_price is not a number" and row["record_id"] is None
    assert '"invoice_number":"nan"' in row["raw_record"] and '"unit_price":"NaN"' in row["raw_record"]
    assert (outcome.delivered, outcome.staged, sum(outcome.quarantined.values())) == (5, 1, 4)
    # only the run of START_DATE takes them
    assert export_purchases(settings, [NEXT]).quarantined == {"unit_price is not a number": 1}


def test_a_price_without_end_is_quarantined_and_no_price_is_fine(lake, shop, settings):
    prices = ("'Infinity'", "'-Infinity'", "'NaN'", "null", "0")
    shop.fill(*(line("1", "2021-01-01", price=price) for price in prices), unit_price="numeric")
    export_purchases(settings, [START])
    assert lake.rejections(TABLE, START) == {"unit_price is not a number": 3}
    assert [row["unit_price"] for row in lake.staged(TABLE, START)] == [None, Decimal(0)]


@pytest.mark.parametrize(
    "price", [str(2**128 + 5), f"-{2**128 + 5}", "3402823669209384634633746074317682114.61", "1e131000"]
)
def test_a_price_of_more_digits_than_arrow_counts_is_refused(lake, shop, settings, price):
    """Arrow's cast keeps the lowest 128 bits of it: of the first one 5, of the last one 0."""
    shop.fill(line("1", "2021-01-01", price=price), unit_price="numeric")
    with pytest.raises(
        PreparationError, match=r"user_purchase\.unit_price cannot be staged as decimal128\(8, 3\)"
    ):
        export_purchases(settings, [START])
    assert lake.files().keys() & {f"staging/delivery/insert_date={START}/{TABLE}.parquet"} == set()


def test_a_day_without_purchases_is_delivered_and_empty(lake, shop, settings):
    shop.fill(line("1st", "2021-01-01"))
    export_purchases(settings, [START, NEXT])
    assert lake.staged(TABLE, NEXT) == lake.quarantined(TABLE, NEXT) == []
    assert lake.rejections(TABLE, NEXT) == {}
    expected = {"table_name": TABLE, "is_delivered": True, "file_count": 1, "delivered_records": 0}
    delivery = lake.delivery(TABLE, NEXT)
    assert delivery == {**expected, "run": delivery["run"]} and delivery["run"] is not None


def test_a_rerun_takes_late_bookings_and_replaces_its_day_only(lake, shop, settings):
    shop.fill(line("1st", "2021-01-01"), line("2nd", "2021-01-02"))
    export_purchases(settings, [START, NEXT])
    before = lake.files()
    shop.execute(f"insert into {TABLE} values ({line('late', '2021-01-02 12:00')})")
    export_purchases(settings, [NEXT])
    assert numbers(lake, NEXT) == ["2nd", "late"]
    after = lake.files()
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {f"staging/delivery/insert_date={NEXT}/{TABLE}.parquet"}
    assert all(
        f"insert_date={NEXT}/run={lake.delivery(TABLE, NEXT)['run']}" in name
        for name in after.keys() - before
    )


def test_days_that_the_shop_booked_more_of_later_are_warned_of(lake, shop, settings, capsys):
    """Only days of the week before that were exported; those of this run are right now."""
    shop.fill(line("1st", "2021-01-01"), line("2nd", "2021-01-02"), line("never", "2021-01-03"))
    export_purchases(settings, [START, NEXT])
    shop.execute(
        f"insert into {TABLE} values ({line('late', '2021-01-02 23:30')}), ({line('later', '2021-01-02 23:31')})"
    )
    capsys.readouterr()
    outcome = export_purchases(settings, [date(2021, 1, 9)])
    assert outcome.delivered == 0
    assert capsys.readouterr().out == (
        "  warning: the shop has 3 lines of 2021-01-02 now, 1 were exported: run that day again\n"
    )
    export_purchases(settings, [NEXT])
    export_purchases(settings, [date(2021, 1, 9)])
    shop.execute(f"insert into {TABLE} values ({line('too late', '2021-01-02')})")
    export_purchases(settings, [date(2021, 1, 10)])
    assert capsys.readouterr().out == ""


def test_days_before_the_start_are_refused(lake, settings):
    with pytest.raises(PreparationError, match="2020-12-31 is before START_DATE 2021-01-01"):
        export_purchases(settings, [date(2020, 12, 31), START])
    assert lake.files() == {}


def test_counting_and_reading_see_the_same_snapshot(lake, shop, settings, monkeypatch):
    shop.fill(line("1st", "2021-01-01"))
    count = export._count_records

    def count_and_book(*arguments):
        counted = count(*arguments)
        shop.execute(f"insert into {TABLE} values ({line('later', '2021-01-01 12:00')})")
        return counted

    monkeypatch.setattr(export, "_count_records", count_and_book)
    outcome = export_purchases(settings, [START])
    assert (outcome.delivered, outcome.staged) == (1, 1)
    assert numbers(lake, START) == ["1st"]


def test_many_batches_of_many_days_are_cut_at_the_days(lake, shop, settings):
    shop.fill()
    shop.execute(
        f"insert into {TABLE} select n, 'A', repeat('x', 900), 1, timestamp '2021-01-01' + n * interval '4 seconds', "
        "1.25, 1, 'EIRE' from generate_series(0, 64799) as n",
    )
    outcome = export_purchases(settings, [START, NEXT, THIRD])
    assert outcome.staged == outcome.delivered == 64_800
    for number, day in enumerate((START, NEXT, THIRD)):
        found = sorted(map(int, numbers(lake, day)))
        assert found == list(range(number * 21_600, (number + 1) * 21_600))
        files = [
            file
            for area in ("staging", "quarantine")
            for file in lake.root.glob(f"{area}/{TABLE}/*={day}/*/*")
        ]
        assert len(files) == 2
        groups = [
            file.row_group(group).num_rows
            for file in map(pq.read_metadata, files)
            for group in range(file.num_row_groups)
        ]
        assert 0 not in groups and len(groups) <= 3


def test_days_stay_as_they_were_until_all_rows_are_written(lake, shop, settings, monkeypatch):
    shop.fill(line("1st", "2021-01-01"))
    export_purchases(settings, [START, NEXT])
    before = content(lake, START), content(lake, NEXT)
    shop.fill(line("more", "2021-01-01"), line("2", "2021-01-02", quantity=2**31), quantity="bigint")
    with pytest.raises(PreparationError, match="2147483648 does not fit"):
        export_purchases(settings, [START, NEXT])
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        shop.fill(line("more", "2021-01-01"), line("none", "null"))
        patch.setattr(export, "commit", killed)
        export_purchases(settings, [START, NEXT])
    assert (content(lake, START), content(lake, NEXT)) == before
    export_purchases(settings, [START, NEXT])
    assert numbers(lake, START) == ["more"] and lake.rejections(TABLE, START) == {"no invoice_date": 1}


def killed(*_):
    raise KeyboardInterrupt


def test_one_day_is_read_without_a_sort(shop):
    shop.fill()
    with psycopg.connect(shop.dsn) as connection:

        def plan(days):
            rows = connection.execute("explain " + export._query(export.PURCHASES_QUERY, START, days))
            return " ".join(line for (line,) in rows)

        assert "Sort" in plan([START, NEXT])
        assert "Sort" not in plan([START]) and "Sort" not in plan([NEXT])


def test_texts_of_a_database_in_another_encoding_are_staged_as_utf_8(lake, shop, settings):
    shop.execute("create database latin encoding 'LATIN1' template template0")
    elsewhere = type(shop)(shop.dsn.replace("/postgres?", "/latin?"))
    elsewhere.fill(line("caf", "2021-01-01"), line("caf", "null"))
    elsewhere.execute(f"update {TABLE} set invoice_number = invoice_number || chr(233)")
    export_purchases({**settings, "USER_PURCHASE_DSN": elsewhere.dsn}, [START])
    assert numbers(lake, START) == ["café"]
    assert '"invoice_number":"café"' in lake.quarantined(TABLE, START)[0]["raw_record"]


@pytest.mark.parametrize(
    ("stops", "error", "message"),
    [
        ("1 / (50000 - n)", PreparationError, "division by zero"),
        (
            "case when n = 50000 then pg_terminate_backend(pg_backend_pid())::int end",
            ConnectionLost,
            "terminating connection",
        ),
    ],
)
def test_what_stops_the_stream_is_one_clear_line(lake, shop, settings, stops, error, message):
    """At the last of 50,000 rows; a scheduler tries again when the connection was lost."""
    shop.execute(
        f"drop table if exists {TABLE}",
        f"create view {TABLE} as select n::text as invoice_number, 'A' as stock_code, repeat('x', 900) as detail, "
        f"{stops} as quantity, timestamp '2021-01-01' as invoice_date, 1.5 as unit_price, 7 as customer_id, "
        "'EIRE' as country from generate_series(1, 50000) as n",
    )
    try:
        with pytest.raises(error, match=f"{TABLE} cannot be exported: .*{message}") as refusal:
            export_purchases(settings, [START])
    finally:
        shop.execute(f"drop view {TABLE}")
    assert type(refusal.value) is error
    assert "\n" not in str(refusal.value) and not lake.root.joinpath("staging/delivery").exists()


def test_a_part_that_cannot_be_written_is_one_clear_line(lake, shop, settings):
    shop.fill(line("1st", "2021-01-01"))
    (lake.root / "quarantine").mkdir()
    (lake.root / "quarantine" / TABLE).write_text("a file where a folder should be")
    with pytest.raises(
        PreparationError, match=r"/quarantine cannot be written: .*Not a directory: .*run these days again"
    ) as refusal:
        export_purchases(settings, [START])
    assert type(refusal.value) is PreparationError
    assert "\n" not in str(refusal.value) and not lake.root.joinpath("staging/delivery").exists()


@pytest.mark.parametrize("kind", ["bigint", "smallint"])
def test_other_integers_are_cast_exactly(lake, shop, settings, kind):
    shop.fill(line("1st", "2021-01-01", quantity=-7), quantity=kind)
    export_purchases(settings, [START])
    assert lake.staged(TABLE, START)[0]["quantity"] == -7


@pytest.mark.parametrize(
    ("row", "types", "message"),
    [
        (
            line("1", "2021-01-01", quantity=2**31),
            {"quantity": "bigint"},
            "quantity cannot be staged as int32: 2147483648 does not fit",
        ),
        (
            line("1", "2021-01-01", customer=-(2**31) - 1),
            {"customer_id": "bigint"},
            "customer_id cannot be staged as int32: -2147483649 does not fit",
        ),
        (
            line("1", "2021-01-01", price="1.2345"),
            {"unit_price": "numeric"},
            r"unit_price cannot be staged as decimal128\(8, 3\): 1.2345 does not fit",
        ),
        (
            line("1", "2021-01-01", price="123456.5"),
            {"unit_price": "numeric"},
            r"unit_price cannot be staged as decimal128\(8, 3\): 123456.5 does not fit",
        ),
        (line("1", "2021-01-01"), {"unit_price": "double precision"}, "unit_price .* is double precision"),
        (line("1", "2021-01-01"), {"quantity": "numeric"}, "quantity .* is numeric"),
        (
            line("1", "2021-01-01"),
            {"invoice_date": "timestamptz"},
            "invoice_date .* is timestamp with time zone",
        ),
        (None, {"country": None}, "has no column country"),
    ],
)
def test_what_cannot_be_staged_exactly_is_refused(lake, shop, settings, row, types, message):
    shop.fill(*([line("0", "2021-01-01"), row] if row else []), **types)
    with pytest.raises(PreparationError, match=message) as refusal:
        export_purchases(settings, [START])
    assert "\n" not in str(refusal.value)
    assert not lake.root.joinpath("staging/delivery").exists()


def test_a_missing_table_is_told(lake, shop, settings):
    shop.execute(f"drop table if exists {TABLE}")
    with pytest.raises(
        PreparationError, match="no table user_purchase that this role can see; check USER_PURCHASE_DSN"
    ):
        export_purchases(settings, [START])


@pytest.mark.parametrize(
    "column",
    [
        "insert_date",
        "reason",
        "purchase",
        "user_purchase",
        "judged",
        "raw_record",
        "Reason",
        "QUANTITY",
        "n;--",
    ],
)
def test_a_further_column_of_any_name_does_no_harm(lake, shop, settings, column):
    shop.fill(line("fine", "2021-01-01"), line("none", "null"))
    shop.execute(f'alter table {TABLE} add column "{column}" text default $$theirs$$')
    outcome = export_purchases(settings, [START])
    assert (outcome.delivered, outcome.staged, outcome.quarantined) == (2, 1, {"no invoice_date": 1})
    assert list(lake.staged(TABLE, START)[0]) == tables.USER_PURCHASE.names
    (row,) = lake.quarantined(TABLE, START)
    assert f'"{column}":"theirs"' in row["raw_record"] and '"invoice_number":"none"' in row["raw_record"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [("/dev/null/staging", "Not a directory"), ("ftp://host/staging", "Unrecognized filesystem type in URI")],
)
@pytest.mark.parametrize("setting", ["STAGING_URI", "QUARANTINE_URI"])
def test_a_place_where_nothing_can_be_written_is_one_clear_line(lake, settings, setting, place, reason):
    with pytest.raises(PreparationError, match=f"{setting} is {place}.*{reason}") as refusal:
        export_purchases({**settings, setting: place}, [START])
    assert "\n" not in str(refusal.value) and lake.files() == {}


@pytest.mark.parametrize("dsn", ["mysql://reader:s3cret-word@host/shop", "shop"])
def test_what_is_no_dsn_of_postgresql_is_told(lake, settings, dsn):
    with pytest.raises(PreparationError, match="the DSN is none; write postgresql://") as refusal:
        export_purchases({**settings, "USER_PURCHASE_DSN": dsn}, [START])
    assert "s3cret" not in str(refusal.value)


def test_the_search_path_of_the_connection_finds_the_table(lake, shop, settings):
    shop.execute(f"drop table if exists {TABLE}", "create schema elsewhere")
    shop.fill(schema="elsewhere")
    settings["USER_PURCHASE_DSN"] += "&options=-csearch_path%3Delsewhere"
    assert export_purchases(settings, [START]).delivered == 0


@pytest.mark.parametrize(
    "dsn",
    [
        "postgresql://reader:s3cret-word@127.0.0.1:1/shop",
        "postgresql://reader:s3cret-word@no-such-host.invalid/shop",
        "postgresql://reader:s3cret-word@@127.0.0.1:1/shop",
        "postgresql://reader:%s3cret-word@127.0.0.1:1/shop",
        "postgresql://reader:FATAL: s3cret-word@127.0.0.1:1/shop",
        "password='s3cret-word host=127.0.0.1",
    ],
)
def test_an_unreachable_server_is_told_without_the_password(lake, settings, dsn):
    with pytest.raises(
        PreparationError, match=r"cannot connect to the shop's PostgreSQL.*check USER_PURCHASE_DSN"
    ) as refusal:
        export_purchases({**settings, "USER_PURCHASE_DSN": dsn}, [START])
    assert "s3cret" not in str(refusal.value) and "\n" not in str(refusal.value)


def test_what_the_server_says_is_passed_on(lake, shop, settings):
    settings["USER_PURCHASE_DSN"] = shop.dsn.replace("/postgres?", "/no_such_shop?")
    with pytest.raises(PreparationError, match='database "no_such_shop" does not exist'):
        export_purchases(settings, [START])
