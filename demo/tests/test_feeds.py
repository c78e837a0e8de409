"""The sample feeds: reproducible, as dirty as promised, with answers that a person can check."""

import collections
import csv
import datetime
import filecmp
import json
import re
import subprocess
import sys
import unicodedata
from decimal import Decimal
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import pytest

from demo.answers.marts import answers_for
from demo.feeds.canaries import CANARIES, IP, PHONE
from demo.feeds.deliveries import LOGS, PURCHASES, REVIEWS, Deliveries, Log, Review
from demo.feeds.plan import STRIDE, Plan
from demo.feeds.texts import review_texts
from demo.sample import generate

FIRST_DAY, LAST_DAY = datetime.date(2021, 1, 1), datetime.date(2021, 1, 5)
SIZE: dict[str, Any] = {"reviews_per_day": 200, "purchases_per_day": 200}


@pytest.fixture(scope="module")
def sample(tmp_path_factory) -> tuple[Path, Deliveries]:
    """The smallest sample that promises every mishap: the folder and what is in it."""
    out = tmp_path_factory.mktemp("sample")
    return out, generate(out, FIRST_DAY, LAST_DAY, has_canaries=True, **SIZE)


def files_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


def text_of(folder: Path, pattern: str) -> str:
    paths = sorted(folder.glob(pattern))
    assert paths, pattern
    return "".join(path.read_bytes().decode() for path in paths)


# --- made again, made elsewhere


def test_equal_arguments_give_equal_bytes(sample, tmp_path):
    out, _ = sample
    generate(tmp_path, FIRST_DAY, LAST_DAY, has_canaries=True, **SIZE)
    names = files_below(out)
    assert files_below(tmp_path) == names
    assert filecmp.cmpfiles(out, tmp_path, names, shallow=False) == (names, [], [])


def test_another_process_gives_equal_bytes(sample, tmp_path):
    """Sets of texts are ordered differently in each process: none may decide anything."""
    out, _ = sample
    options = ["--from", str(FIRST_DAY), "--to", str(LAST_DAY), "--canaries"]
    options += ["--reviews-per-day", "200", "--purchases-per-day", "200"]
    command = [sys.executable, "-m", "demo.sample", "--out", str(tmp_path), *options]
    subprocess.run(command, check=True, env={"PYTHONHASHSEED": "12345"}, capture_output=True)
    names = files_below(out)
    assert filecmp.cmpfiles(out, tmp_path, names, shallow=False) == (names, [], [])


def test_another_seed_gives_other_feeds(sample, tmp_path):
    out, _ = sample
    generate(tmp_path, FIRST_DAY, LAST_DAY, seed=2, **SIZE)
    for name in ("user_purchase.csv", f"raw/movie_review/insert_date={FIRST_DAY}/movie_review.csv"):
        assert not filecmp.cmp(out / name, tmp_path / name, shallow=False)


def test_a_sample_replaces_the_one_before(tmp_path):
    generate(tmp_path, FIRST_DAY, LAST_DAY, reviews_per_day=8, purchases_per_day=8)
    generate(tmp_path, FIRST_DAY, FIRST_DAY, reviews_per_day=8, purchases_per_day=8)
    days = {path.name for path in tmp_path.glob("raw/*/*")}
    assert days == {f"insert_date={FIRST_DAY}"}


def test_somebodys_raw_files_are_left_alone(tmp_path):
    theirs = tmp_path / "raw" / "movie_review" / "precious.csv"
    theirs.parent.mkdir(parents=True)
    theirs.write_text("mine")
    with pytest.raises(ValueError, match="is no sample and stays"):
        generate(tmp_path, FIRST_DAY, LAST_DAY)
    assert theirs.read_text() == "mine"


def test_the_remains_of_a_killed_run_are_replaced(tmp_path, monkeypatch):
    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("demo.sample.write_log_reviews", killed)
        generate(tmp_path, FIRST_DAY, FIRST_DAY, reviews_per_day=8, purchases_per_day=8)
    delivered = generate(tmp_path, FIRST_DAY, FIRST_DAY, reviews_per_day=8, purchases_per_day=8)
    assert json.loads((tmp_path / "answers.json").read_text()) == answers_for(delivered)


@pytest.mark.parametrize(("reviews", "purchases", "days"), [(0, 0, 1), (1, 1, 2), (3, 5, 4), (40, 40, 9)])
def test_any_size_will_do(tmp_path, reviews, purchases, days):
    last_day = FIRST_DAY + datetime.timedelta(days - 1)
    delivered = generate(tmp_path, FIRST_DAY, last_day, reviews_per_day=reviews, purchases_per_day=purchases)
    assert len(answers_for(delivered)["ledger"]) == 3 * days


def test_the_command_prints_what_it_made(tmp_path):
    command = [sys.executable, "-m", "demo.sample", "--out", str(tmp_path), "--reviews-per-day", "40"]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    assert [line.split()[0] for line in printed[2:]] == [PURCHASES, REVIEWS, LOGS]
    refused = subprocess.run([*command, "--to", "2020-12-31"], check=False, capture_output=True, text=True)
    assert refused.returncode != 0
    assert refused.stderr == "error: the last day, 2020-12-31, is before the first, 2021-01-01\n"


# --- the vendors' files


def parsed(path: Path) -> list[list[str]]:
    with open(path, encoding="utf-8-sig", newline="") as file:
        return [row for row in csv.reader(file) if row]


def says_good(text: str) -> int:
    """The company's rule, written down independently: the word, with no part of a word beside it."""

    def is_part_of_a_word(character: str) -> bool:
        return character == "_" or unicodedata.category(character)[0] in "LMN"

    spans = ((match.start(), match.end()) for match in re.finditer("good", text, re.IGNORECASE))
    around = (text[max(start - 1, 0) : start] + text[end : end + 1] for start, end in spans)
    return int(any(not any(map(is_part_of_a_word, neighbours)) for neighbours in around))


def test_every_text_has_the_verdict_of_the_rule():
    texts = list(islice(review_texts(Plan(Path(), FIRST_DAY, LAST_DAY, 1, 1, 1, False).chance("t")), 5000))
    assert [verdict for _, verdict in texts] == [says_good(text) for text, _ in texts]
    assert 0.3 < sum(verdict for _, verdict in texts) / len(texts) < 0.5
    assert not any(re.search(r"\n\d+,", text) for text, _ in texts)  # would look like a swallowed record


def test_a_csv_reader_finds_the_sound_reviews(sample):
    out, delivered = sample
    known = collections.Counter(delivered.reviews)
    for number, day in enumerate(delivered.days):
        rows = parsed(out / f"raw/movie_review/insert_date={day}/movie_review.csv")
        assert rows[0] == ["cid", "review_str", "id_review"]
        new = [row for row in rows if len(row) == 3 and row[2].isdigit()]
        sound = [row for row in new if int(row[2]) % STRIDE == 0 and int(row[2]) > number * 200]
        assert len(sound) == (0 if number == 3 else 50)
        for cid, text, review_id in sound:
            assert known[Review(day, int(review_id), int(cid) if cid else None, says_good(text))]


def test_the_ids_of_new_records_ascend(sample):
    out, delivered = sample
    for feed, column in (("movie_review", -1), ("log_reviews", 0)):
        for day in delivered.days[:2]:
            rows = parsed(out / f"raw/{feed}/insert_date={day}/{feed}.csv")
            ids = [int(row[column]) for row in rows if row[column].isdigit() and int(row[column]) % 4 == 0]
            new = ids[: 50 if day == FIRST_DAY else 40]
            assert all(one < next_one for one, next_one in pairwise(new))


def test_every_record_of_a_file_is_in_the_ledger(sample):
    """Counted from the bytes: an unclosed quote makes one record of three for a CSV reader."""
    out, delivered = sample
    ledger = {(row["table_name"], row["insert_date"]): row for row in answers_for(delivered)["ledger"]}
    for table, feed in ((REVIEWS, "movie_review"), (LOGS, "log_reviews")):
        for day in delivered.days:
            records = 0
            for path in (out / f"raw/{feed}/insert_date={day}").glob("*.csv"):
                rows = parsed(path)[1:]
                swallowed = sum(len(re.findall(r"\n\d+,", field)) for row in rows for field in row)
                records += len(rows) + swallowed
            assert ledger[table, str(day)]["records_delivered"] == records, (table, day)


def test_an_unclosed_quote_hurts_its_own_record_alone(sample):
    out, delivered = sample
    for feed, pattern, records in (
        ("movie_review", REVIEW_FEATURES["an unclosed quote"], delivered.reviews),
        ("log_reviews", LOG_FEATURES["an unclosed quote"], delivered.logs),
    ):
        pieces = re.search(pattern, text_of(out, f"raw/{feed}/*/*.csv")).group().splitlines()
        ids = [int(piece.split(",")[-1 if feed == "movie_review" else 0]) for piece in pieces]
        assert ids == [ids[0], ids[0] + 1, ids[0] + 2]
        assert {record[1] for record in records} & set(ids) == {ids[1], ids[2]}


def test_days_on_which_something_is_missing(sample):
    out, delivered = sample
    assert not (out / f"raw/log_reviews/insert_date={delivered.days[2]}").exists()
    assert text_of(out, f"raw/movie_review/insert_date={delivered.days[3]}/*") == "cid,review_str,id_review\n"
    ledger = {(row["table_name"], row["insert_date"]): row for row in answers_for(delivered)["ledger"]}
    missing = [key for key, row in ledger.items() if not row["is_delivered"]]
    assert missing == [(LOGS, str(delivered.days[2]))]
    assert ledger[missing[0]]["records_delivered"] == 0
    assert ledger[REVIEWS, str(delivered.days[3])]["records_delivered"] == 0


REASONS_OF_BOTH_VENDORS = (
    "header is not as agreed",
    "wrong number of fields",
    "unclosed quote",
    "no id_review",
)
REASONS = {
    REVIEWS: {
        *REASONS_OF_BOTH_VENDORS,
        *("id_review is not an integer", "cid is not an integer", "no review_str"),
    },
    LOGS: {
        *REASONS_OF_BOTH_VENDORS,
        *(
            "id_review is not an integer",
            "no log",
            "broken XML",
            "not exactly one <log>",
            "a tag is repeated",
        ),
        *("no logDate", "logDate is not a MM-dd-yyyy date"),
    },
    PURCHASES: {"no invoice_date", "invoice_date is not finite", "unit_price is not a number"},
}


@pytest.mark.parametrize("last_day", [datetime.date(2021, 1, 4), datetime.date(2021, 1, 9)])
def test_every_reason_for_quarantine_occurs(tmp_path, last_day):
    delivered = generate(tmp_path, FIRST_DAY, last_day, **SIZE)
    occurring = collections.defaultdict(set)
    for row in answers_for(delivered)["quarantine"]:
        assert row["records"] > 0
        occurring[row["table_name"]].add(row["reason"])
    assert occurring == REASONS


REVIEW_FEATURES = {
    "an HTML break": r"<br />",
    "doubled quotes": r'""not today""',
    "a line end inside": r'\d,"[^"]*[^\r]\n[^"]*",\d+\r?\n',
    "a blank line inside": r'\d,"[^"]*\n\n[^"]*"',
    "a line of one blank inside": r'\d,"[^"]*\n \n[^"]*"',
    "CRLF inside": r'\d,"[^"]*\r\n[^"]*",\d+\n',
    "a letter beyond ASCII": r"é",
    "U+0085": "\u0085",
    "U+2028": "\u2028",
    "CRLF between records": r",\d+\r\n\d+,",
    "a blank line between records": r",\d+\n\n\d",
    "no cid": r'(?m)^,"',
    "blanks round the ids": r'(?m)^ \d+ ,".*',
    "an id above 32 bit": r",3000000\d\d\d\n",
    "a text for an id": r",R-\d+\r?\n",
    "a text for a cid": r"(?m)^customer \d+,",
    "an unclosed quote": r'(?m)^\d+,"[^",\n]*,\d+\r?\n\d+,[^",\n]*,\d+\r?\n\d+,"[^"\n]*, [^"\n]*",\d+\r?\n',
    "another header": r"(?m)^id_review,text,cid$",
    **{
        word: rf"(?i){word}"
        for word in ("Good!", "good-looking", r"\W<br />good", "good’s", "goodness", "goodbye", "not_good")
    },
    **{word: word for word in ("good123", "goodé", "дgood", "good\u0301", "feelgood", "GOOD")},
}
LOG_FEATURES = {
    "a browser": r"<browser>Opera</browser>",
    "misspelt Pennsylvania": r"Pensylvania",
    "misspelt Louisiana": r"Lousiana",
    "misspelt Massachusetts": r"Massachussets",
    "an unknown device": r"<device>SmartTV</device>",
    "an unknown location": r"<location>Atlantis</location>",
    "an unknown os": r"<os>HarmonyOS</os>",
    "a missing tag": r"</location><ipAddress>",
    "an empty tag": r"<os></os>",
    "an escaped ampersand": r"TV &amp; Console",
    "stray blanks": r"<location>  Ohio</location>",
    "an impossible pair": r"<device>Computer</device><location>[^<]*</location><os>Apple iOS</os>",
    "a quoted log with a comma": r'(?m)^\d+,"<reviewlog>[^"\n]*Portland, Oregon[^"\n]*</reviewlog>"\r?$',
    "a quoted log with quotes": r'7"" Tablet',
    "truncated": r"<os>[^<]*\r?\n",
    "no XML": r"(?m)^\d+,log not available\r?$",
    "a bare ampersand": r"TV & ",
    "a DOCTYPE": r"<!DOCTYPE",
    "two logs": r"</log><log>",
    "no log": r"<reviewlog></reviewlog>",
    "no such date": r"<logDate>04-31-20\d\d</logDate>",
    "an ISO date": r"<logDate>20\d\d-\d\d-\d\d</logDate>",
    "an unclosed quote": r'(?m)^\d+,"<[^"\n]*>\r?\n\d+,<[^"\n]*>\r?\n\d+,"<[^"\n]*, [^"\n]*>"\r?$',
    "a byte order mark": "^\ufeffid_review,log|[>\n]\ufeffid_review,log",
    "another header": r"(?m)^xml,id_review$",
    "the canaries": rf"<ipAddress>{re.escape(IP)}</ipAddress><phoneNumber>{PHONE}</phoneNumber><customerName>",
}


@pytest.mark.parametrize("feature", REVIEW_FEATURES)
def test_reviews_hold(sample, feature):
    assert re.search(REVIEW_FEATURES[feature], text_of(sample[0], "raw/movie_review/*/*.csv"))


@pytest.mark.parametrize("feature", LOG_FEATURES)
def test_logs_hold(sample, feature):
    assert re.search(LOG_FEATURES[feature], text_of(sample[0], "raw/log_reviews/*/*.csv"))


def test_the_canaries_sing_only_when_asked(sample, tmp_path):
    generate(tmp_path, FIRST_DAY, FIRST_DAY, **SIZE)
    for canary in CANARIES.values():
        assert canary not in text_of(tmp_path, "raw/*/*/*.csv")
        for path in sample[0].glob("raw/*/*/*_review*.csv"):
            # the fourth day has no new review, and late logs only
            if path.parent.name != f"insert_date={FIRST_DAY + datetime.timedelta(3)}":
                assert canary in path.read_text(), path


def test_records_are_sent_again(sample):
    _, delivered = sample

    def differences(records: list, field: int) -> set[tuple[bool, bool]]:
        """(on another day, with another value in that field) of all pairs with the same id."""
        by_id = collections.defaultdict(list)
        for record in records:
            by_id[record[1]].append(record)
        pairs = [pair for same in by_id.values() for pair in pairwise(same)]
        return {(a.insert_date != b.insert_date, a[field] != b[field]) for a, b in pairs}

    customer, positive, device, log_date = 2, 3, 3, 2
    assert differences(delivered.reviews, customer) >= {(False, False), (False, True), (True, True)}
    assert differences(delivered.reviews, positive) >= {(False, False), (False, True)}
    assert differences(delivered.logs, device) >= {(False, False), (False, True)}
    assert differences(delivered.logs, log_date) >= {(False, False), (False, True)}
    assert (True, False) in differences(delivered.logs, device)
    nobodys = {
        (review.insert_date, review.review_id) for review in delivered.reviews if not review.customer_id
    }
    somebodys = {(review.insert_date, review.review_id) for review in delivered.reviews if review.customer_id}
    assert nobodys & somebodys and nobodys - somebodys


def test_logs_come_late_early_and_for_nothing(sample):
    _, delivered = sample
    reviewed = {review.review_id: review.insert_date for review in reversed(delivered.reviews)}
    logs = [log for log in delivered.logs if log.log_id in reviewed]
    assert {(log.insert_date - reviewed[log.log_id]).days for log in logs} == {-1, 0, 1, 2, 3, 4}
    assert any(log.log_id > 200 * len(delivered.days) for log in delivered.logs)
    assert {review.review_id for review in delivered.reviews} - {log.log_id for log in delivered.logs}


# --- the shop's file


def test_purchases_are_in_the_shops_form(sample):
    written = (sample[0] / "user_purchase.csv").read_bytes()
    assert written.startswith(
        b"InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\r\n536365,"
    )
    assert written.count(b"\n") == written.count(b"\r\n")
    assert b'"RECORD FRAME 7"" SINGLE, BLACK"' in written and "\ufffd".encode() in written
    for row in parsed(sample[0] / "user_purchase.csv")[1:]:
        invoice, code, detail, quantity, date, price, customer, country = row
        assert re.fullmatch(r"[CA]?\d{6}", invoice) and 0 < len(code) <= 20 and 0 < len(country) <= 20
        assert len(detail) <= 1000 and re.fullmatch(r"-?[1-9]\d*", quantity)
        assert re.fullmatch(r"[1-9]\d?/[1-9]\d?/20\d\d (0|[1-9]\d?):\d\d|infinity|", date)
        assert re.fullmatch(r"0|-?(0|[1-9]\d*)\.\d{0,2}[1-9]|-?[1-9]\d*|NaN", price)
        assert re.fullmatch(r"\d{5}|", customer)


def test_purchases_hold_what_the_real_ones_hold(sample):
    rows = parsed(sample[0] / "user_purchase.csv")[1:]
    invoices, codes, details, quantities, dates, prices, customers, countries = zip(*rows, strict=True)
    assert {invoice[0] for invoice in invoices} == {"5", "C", "A"}
    assert {"M", "m"} <= set(codes)
    assert "" in details and {"damaged", "?", "check", "thrown away"} & set(details)
    assert any(detail.startswith(" ") and detail.endswith(" ") for detail in details)
    assert {"74215", "-74215"} <= set(quantities)
    assert {"0", "11062.06", "-11062.06"} <= set(prices)
    assert any(re.fullmatch(r"\d+\.\d{3}", price) for price in prices)
    assert max(collections.Counter(map(tuple, rows)).values()) >= 3
    assert 0.1 < customers.count("") / len(customers) < 0.4
    countries_of = collections.defaultdict(set)
    quantities_of = collections.defaultdict(list)
    for customer, country, quantity in zip(customers, countries, quantities, strict=True):
        countries_of[customer].add(country)
        quantities_of[customer].append(int(quantity))
    assert any(len(of) > 1 for customer, of in countries_of.items() if customer)
    assert any(max(of) < 0 for customer, of in quantities_of.items() if customer)
    trading = {date.split()[0] for date in dates if date[:1].isdigit()}
    assert "1/2/2021" not in trading and "12/26/2020" not in trading  # Saturdays
    assert {f"1/{day}/2021" for day in (1, 3, 4, 5)} < trading and any("2020" in day for day in trading)
    assert {"1/1/2021 0:00", "1/1/2021 23:59"} <= set(dates)


def test_purchases_add_up_to_the_answers(sample):
    """From the file: the first day takes all before it, lines without a customer or a day are nobody's."""
    out, delivered = sample
    spent: dict[tuple[datetime.date, int], Decimal] = collections.defaultdict(Decimal)
    quarantined = 0
    for _, _, _, quantity, date, price, customer, _ in parsed(out / "user_purchase.csv")[1:]:
        if date in ("", "infinity") or price == "NaN":
            quarantined += 1
        elif customer:
            day = datetime.datetime.strptime(date, "%m/%d/%Y %H:%M").date()
            spent[max(day, FIRST_DAY), int(customer)] += int(quantity) * Decimal(price)
    answers = answers_for(delivered)
    answered = {
        (datetime.date.fromisoformat(row["insert_date"]), row["customer_id"]): Decimal(row["amount_spent"])
        for row in answers["user_behavior_metric"]
    }
    assert {key: amount for key, amount in answered.items() if key in spent} == spent
    assert not any(amount for key, amount in answered.items() if key not in spent)
    of_purchases = [row for row in answers["ledger"] if row["table_name"] == PURCHASES]
    assert sum(row["records_quarantined"] for row in of_purchases) == quarantined
    assert sum(Decimal(row["amount_in_marts"]) for row in of_purchases) == sum(spent.values())


# --- the answers


def test_customers_of_every_kind(sample):
    rows = answers_for(sample[1])["user_behavior_metric"]
    assert any(row["review_count"] and Decimal(row["amount_spent"]) for row in rows)
    buyers = {row["customer_id"] for row in rows if Decimal(row["amount_spent"])}
    writers = {row["customer_id"] for row in rows if row["review_count"]}
    assert buyers - writers and writers - buyers and buyers & writers
    reviews = sorted(
        collections.Counter(row["customer_id"] for row in rows for _ in range(row["review_count"])).values()
    )
    assert reviews[-1] >= 4 * reviews[len(reviews) // 4]  # some write much, most little


def test_the_answers_balance(sample):
    out, delivered = sample
    answers = answers_for(delivered)
    assert json.loads((out / "answers.json").read_text()) == answers
    quarantined: collections.Counter[tuple[str, str]] = collections.Counter()
    for row in answers["quarantine"]:
        quarantined[row["table_name"], row["insert_date"]] += row["records"]
    for row in answers["ledger"]:
        assert row["records_delivered"] == row["records_staged"] + row["records_quarantined"]
        unused = row["records_duplicate"] + row["records_unattributable"]
        assert row["records_staged"] == row["records_in_marts"] + unused
        assert row["records_quarantined"] == quarantined[row["table_name"], row["insert_date"]]
        assert min(value for name, value in row.items() if name.startswith("records_")) >= 0
        if row["table_name"] == PURCHASES:
            used = Decimal(row["amount_in_marts"]) + Decimal(row["amount_unattributable"])
            assert Decimal(row["amount_staged"]) == used

    fact, metric = answers["fact_movie_analytics"], answers["user_behavior_metric"]
    of_customer = collections.defaultdict(list)
    for row in fact:
        of_customer[row["insert_date"], row["customer_id"]].append(row)
    assert len(of_customer) == len(metric)
    for row in metric:
        parts = of_customer[row["insert_date"], row["customer_id"]]
        assert sum(part["review_count"] for part in parts) == row["review_count"]
        assert sum(part["review_score"] for part in parts) == row["review_score"] <= row["review_count"]
        least = sum(Decimal(part["amount_spent_min"]) for part in parts)
        most = sum(Decimal(part["amount_spent_max"]) for part in parts)
        assert least <= Decimal(row["amount_spent"]) <= most
    in_marts = {
        table: sum(row["records_in_marts"] for row in answers["ledger"] if row["table_name"] == table)
        for table in (REVIEWS, LOGS)
    }
    assert sum(row["review_count"] for row in fact) == in_marts[REVIEWS]
    assert sum(row["review_count"] for row in fact if row["log_date"]) == in_marts[LOGS]


DAY = [datetime.date(2021, 3, day) for day in range(1, 7)]
WRITTEN = datetime.date(2021, 2, 28)


def hand_built() -> Deliveries:
    delivered = Deliveries(DAY)
    delivered.purchase(DAY[0], 10, 100_000)
    delivered.purchase(DAY[0], 10, -1)
    delivered.purchase(DAY[0], 11, 5_500)
    delivered.purchase(DAY[0], None, 7_005)
    delivered.purchase(DAY[1], 10, 250)
    delivered.quarantine(PURCHASES, DAY[0], "no invoice_date")
    delivered.quarantine(REVIEWS, DAY[0], "unclosed quote", 3)
    delivered.not_delivered.add((LOGS, DAY[1]))
    delivered.reviews += [
        Review(DAY[1], 1, 9, 1),  # review 1 again: the earlier day has it
        Review(DAY[0], 1, 10, 1),
        Review(DAY[0], 2, None, 1),  # repeated: the one with a customer comes first
        Review(DAY[0], 2, 10, 0),
        Review(DAY[0], 3, 12, 0),  # repeated: the smaller customer comes first
        Review(DAY[0], 3, 10, 0),
        Review(DAY[0], 3, 10, 1),  # and of the same customer the positive one
        Review(DAY[0], 4, None, 1),
        Review(DAY[1], 5, 13, 1),
    ]
    delivered.logs += [
        Log(DAY[0], 1, WRITTEN, "Computer", "Google Android", "Texas", None),
        Log(DAY[3], 2, WRITTEN, "Mobile", "Apple iOS", "Pensylvania", "Firefox"),  # three days late
        Log(DAY[4], 3, WRITTEN, "Mobile", "Apple iOS", "Texas", None),  # four days late
        Log(DAY[0], 4, WRITTEN, "Mobile", "Linux", "Texas", None),  # its review has no customer
        Log(DAY[0], 5, WRITTEN, "Mobile", "Linux", "Texas", None),  # before its review: used
        Log(DAY[2], 5, WRITTEN, "Mobile", "Linux", "Texas", None),
        Log(DAY[0], 6, WRITTEN, None, None, None, None),  # no such review
        Log(DAY[3], 2, WRITTEN, None, "Apple iOS", "Pensylvania", "Firefox"),  # NULLs come last
        Log(DAY[3], 2, WRITTEN + datetime.timedelta(1), "Ampel", "Apple iOS", "Ohio", "Chrome"),
    ]
    return delivered


def test_user_behavior_metric_of_a_case_worked_out_by_hand():
    rows = [tuple(row.values()) for row in answers_for(hand_built())["user_behavior_metric"]]
    assert rows == [
        (10, "2021-03-01", "99.999", 2, 3),
        (11, "2021-03-01", "5.500", 0, 0),
        (10, "2021-03-02", "0.250", 0, 0),
        (13, "2021-03-02", "0.000", 1, 1),
    ]


def test_fact_of_a_case_worked_out_by_hand():
    rows = [tuple(row.values()) for row in answers_for(hand_built())["fact_movie_analytics"]]
    no_log = (None, None, None, None, None, False)
    third = ("33.3329900", "33.3330100")  # of 99.999, give or take 0.00001
    assert rows == [
        ("2021-03-01", 10, "2021-02-28", "Computer", "Texas", "Google Android", "Chrome", True, 1, 1, *third),
        (
            "2021-03-01",
            10,
            "2021-02-28",
            "Mobile",
            "Pennsylvania",
            "Apple iOS",
            "Firefox",
            False,
            1,
            0,
            *third,
        ),
        ("2021-03-01", 10, *no_log, 1, 1, *third),
        ("2021-03-01", 11, *no_log, 0, 0, "5.500", "5.500"),
        ("2021-03-02", 10, *no_log, 0, 0, "0.250", "0.250"),
        ("2021-03-02", 13, "2021-02-28", "Mobile", "Texas", "Linux", "Firefox", True, 1, 1, "0.000", "0.000"),
    ]


def test_ledger_of_a_case_worked_out_by_hand():
    ledger = {
        (row.pop("table_name"), row.pop("insert_date")): tuple(row.values())
        for row in answers_for(hand_built())["ledger"]
    }
    no_amounts = (None, None, None)
    # delivered?, delivered, quarantined, staged, in marts, duplicate, unattributable, amounts
    assert ledger[PURCHASES, "2021-03-01"] == (True, 5, 1, 4, 3, 0, 1, "112.504", "105.499", "7.005")
    assert ledger[PURCHASES, "2021-03-06"] == (True, 0, 0, 0, 0, 0, 0, "0.000", "0.000", "0.000")
    assert ledger[REVIEWS, "2021-03-01"] == (True, 10, 3, 7, 3, 3, 1, *no_amounts)
    assert ledger[REVIEWS, "2021-03-02"] == (True, 2, 0, 2, 1, 1, 0, *no_amounts)
    assert ledger[LOGS, "2021-03-01"] == (True, 4, 0, 4, 2, 0, 2, *no_amounts)
    assert ledger[LOGS, "2021-03-02"] == (False, 0, 0, 0, 0, 0, 0, *no_amounts)
    assert ledger[LOGS, "2021-03-03"] == (True, 1, 0, 1, 0, 1, 0, *no_amounts)
    assert ledger[LOGS, "2021-03-04"] == (True, 3, 0, 3, 1, 2, 0, *no_amounts)
    assert ledger[LOGS, "2021-03-05"] == (True, 1, 0, 1, 0, 0, 1, *no_amounts)


def test_days_that_are_not_run_are_as_if_nothing_came():
    answers = answers_for(hand_built(), [DAY[2], DAY[1]])
    assert answers["days"] == ["2021-03-02", "2021-03-03"]
    rows = [tuple(row.values()) for row in answers["user_behavior_metric"]]
    # The repeat of review 1 is now the first of its kind, and the log of review 5 is now the earliest.
    assert rows == [
        (9, "2021-03-02", "0.000", 1, 1),
        (10, "2021-03-02", "0.250", 0, 0),
        (13, "2021-03-02", "0.000", 1, 1),
    ]
    assert [row["location"] for row in answers["fact_movie_analytics"]] == [None, None, "Texas"]
    assert answers["quarantine"] == []
    with pytest.raises(ValueError, match="2021-03-31"):
        answers_for(hand_built(), [datetime.date(2021, 3, 31)])


@pytest.mark.parametrize(
    ("os", "given", "browser", "derived"),
    [
        ("Linux", None, "Firefox", True),
        ("Google Android", None, "Chrome", True),
        ("Apple iOS", None, "Safari", True),
        ("Apple MacOS", None, "Safari", True),
        ("Microsoft Windows", None, "Edge", True),
        ("Linux", "Opera", "Opera", False),
        ("HarmonyOS", None, None, False),
        (None, None, None, False),
    ],
)
def test_browser_of_a_log(os, given, browser, derived):
    delivered = Deliveries(DAY[:1])
    delivered.reviews.append(Review(DAY[0], 1, 10, 1))
    delivered.logs.append(Log(DAY[0], 1, WRITTEN, "Mobile", os, "Texas", given))
    (row,) = answers_for(delivered)["fact_movie_analytics"]
    assert (row["browser"], row["is_browser_derived"]) == (browser, derived)


def test_questions_of_a_case_worked_out_by_hand():
    delivered = Deliveries(DAY[:1])
    wrote: list[tuple[Any, ...]] = [
        ("Computer", "Google Android", "Texas", WRITTEN, 2),
        ("Computer", "Google Android", "Lousiana", WRITTEN, 2),
        ("Mobile", "Apple iOS", "California", WRITTEN, 3),
        ("Mobile", "Linux", "California", WRITTEN, 1),
        ("Tablet", "Apple MacOS", "New York", datetime.date(2020, 12, 31), 1),
        (None, "Apple MacOS", "Texas", WRITTEN, 1),
        ("Computer", "Apple MacOS", "Ohio", WRITTEN, 3),
        ("Mobile", "Linux", "Atlantis", WRITTEN, 5),
        ("Mobile", "Linux", None, WRITTEN, 1),
    ]
    each = [values for *values, reviews in wrote for _ in range(reviews)]
    for review_id, (device, os, location, log_date) in enumerate(each):
        delivered.reviews.append(Review(DAY[0], review_id, 10, 1))
        delivered.logs.append(Log(DAY[0], review_id, log_date, device, os, location, None))
    assert answers_for(delivered)["questions"] == {
        "reviews_by_state": {"California": 4, "New York": 1, "Texas": 3},
        "apple_reviews_by_state": {"California": 3, "New York": 1, "Texas": 1},
        "apple_reviews_by_state_and_device": {
            "California / Mobile": 3,
            "New York / Tablet": 1,
            "Texas / ": 1,
        },
        "reviews_by_state_and_device": {
            "California / Mobile": 4,
            "New York / Tablet": 1,
            "Texas / ": 1,
            "Texas / Computer": 2,
        },
        "computer_chrome_reviews_by_location": {"Louisiana": 2, "Texas": 2},
        "computer_chrome_reviews_most": ["Louisiana", "Texas"],
        "reviews_by_state_in_2021": {"California": 4, "Louisiana": 2, "Ohio": 3, "Texas": 3},
        "reviews_by_state_in_2021_most": ["California"],
        "reviews_by_state_in_2021_fewest": ["Louisiana"],
        "reviews_by_device_east": {"Computer": 7, "Tablet": 1},
        "reviews_by_device_east_most": ["Computer"],
        "reviews_by_device_west": {"Mobile": 4},
        "reviews_by_device_west_most": ["Mobile"],
    }
