"""check_day as Airflow runs it: the figures, the JSON line, and the days that must not go on to the warehouse."""

import contextlib
import functools
import http.server
import json
import os
import subprocess
import sys
import threading
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from spark_prep.logs.parse_logs import parse_logs

TABLE, DAY = "review_logs", "2021-01-31"


@pytest.fixture
def root(tmp_path) -> Path:
    """10 records delivered, 8 staged, 2 rejected."""
    stage(tmp_path, delivered=10, staged=8, rejected={"no log": 1, "broken XML": 1})
    return tmp_path


def stage(root: Path, *, delivered: int, staged: int, rejected: dict[str, int], is_delivered: bool = True):
    rejections = [{"table_name": TABLE, "reason": reason, "records": n} for reason, n in rejected.items()]
    delivery = {
        "table_name": TABLE,
        "is_delivered": is_delivered,
        "file_count": 1,
        "delivered_records": delivered,
    }
    write(root, "delivery", [delivery])
    if is_delivered:
        write(root, "rejection", rejections)
        write(root, TABLE, [{"log_id": n} for n in range(staged)])


def write(root: Path, folder: str, rows: list[dict]):
    file = root / "staging" / folder / f"insert_date={DAY}" / f"{TABLE}.parquet"
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(rows), file)


def check(
    root: Path | str, *options: str, share: str = "0.2", **settings: str
) -> subprocess.CompletedProcess:
    environment = {"STAGING_URI": f"{root}/staging", "QUARANTINE_URI": f"{root}/quarantine", **settings}
    return subprocess.run(
        [sys.executable, "-m", "spark_prep.check_day", "--table", TABLE, "--date", DAY, "--max-rejected-share", share,
         *options],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip


def figures(checked: subprocess.CompletedProcess) -> dict:
    return json.loads(checked.stdout.splitlines()[-1])


def test_a_sound_day_prints_its_figures_for_people_and_for_airflow(root):
    checked = check(root)
    assert (checked.returncode, checked.stderr) == (0, "")
    assert figures(checked) == {
        "table": TABLE, "date": DAY, "is_delivered": True, "delivered": 10, "staged": 8,
        "quarantined": {"no log": 1, "broken XML": 1}, "rejected_share": 0.2,
    }  # fmt: skip
    assert "1  broken XML" in checked.stdout


def test_above_the_threshold_the_day_stops_and_says_why_where_and_what_to_do(root):
    stage(root, delivered=10, staged=7, rejected={"broken XML": 1, "no log": 2})
    checked = check(root)
    assert checked.returncode == 2
    assert checked.stderr == (
        "error: review_logs of 2021-01-31: 30.0% of the records were rejected, more than the 20.0% allowed "
        f"(2 no log, 1 broken XML); they are in {root}/quarantine/review_logs/insert_date=2021-01-31/. Look at them, "
        "have the file delivered again and stage that day again, or allow a larger share\n"
    )
    # the figures are there all the same
    assert figures(checked)["rejected_share"] == 0.3
    assert check(root, share="0.3").returncode == 0


@pytest.mark.parametrize("delivered", [9, 11])
def test_a_record_that_is_unaccounted_for_stops_the_day(root, delivered):
    stage(root, delivered=delivered, staged=8, rejected={"no log": 2})
    checked = check(root, share="1")
    assert checked.returncode == 2
    assert f"{delivered} records were delivered, 10 are staged or quarantined" in checked.stderr
    assert "stage that day again" in checked.stderr


def test_a_staged_file_that_is_gone_stops_the_day(root):
    (root / "staging" / TABLE / f"insert_date={DAY}" / f"{TABLE}.parquet").unlink()
    assert "10 records were delivered, 2 are staged or quarantined" in check(root, share="1").stderr


def test_a_file_that_cannot_be_read_stops_the_day(root):
    (root / "staging" / TABLE / f"insert_date={DAY}" / f"{TABLE}.parquet").write_text("no Parquet")
    checked = check(root)
    assert checked.returncode == 2
    assert checked.stderr.startswith(f"error: review_logs of 2021-01-31 cannot be read in {root}/staging: ")
    assert checked.stderr.count("\n") == 1


def test_a_day_that_was_never_staged_is_named(tmp_path):
    checked = check(tmp_path)
    assert checked.returncode == 2
    assert checked.stderr.startswith(
        f"error: review_logs of 2021-01-31 was never staged: there is no {tmp_path}/staging/delivery/"
    )


@pytest.mark.parametrize("is_delivered", [True, False])
def test_a_day_without_records_or_without_a_file_is_sound(tmp_path, is_delivered):
    """A missing file is the wait's to stop; who goes on without it knows."""
    stage(tmp_path, delivered=0, staged=0, rejected={}, is_delivered=is_delivered)
    checked = check(tmp_path, share="0")
    assert checked.returncode == 0, checked.stderr
    assert figures(checked)["is_delivered"] is is_delivered
    assert figures(checked)["rejected_share"] == 0


@pytest.mark.slow
def test_what_the_jobs_stage_is_what_is_checked(spark, lake):
    """The writer's own files, not this test's idea of them."""
    day = date.fromisoformat(DAY)
    log = "<reviewlog><log><logDate>01-30-2021</logDate></log></reviewlog>"
    lake.deliver("log_reviews", day, f"id_review,log\n1,{log}\n2,{log}\nx,{log}\n")
    parse_logs(spark, lake.settings, [day])
    checked = check(lake.root, share="0.34")
    assert checked.returncode == 0, checked.stderr
    assert (figures(checked)["delivered"], figures(checked)["staged"]) == (3, 2)
    assert figures(checked)["quarantined"] == {"id_review is not an integer": 1}
    assert check(lake.root, share="0.33").returncode == 2


@pytest.mark.parametrize(
    "options", [("--max-rejected-share", "20"), ("--table", "movies"), ("--date", "31.01.2021")]
)
def test_options_that_make_no_sense_are_refused(root, options):
    checked = check(root, *options)
    assert checked.returncode == 2 and "Traceback" not in checked.stderr


class Bucket(http.server.SimpleHTTPRequestHandler):
    """GET and HEAD of S3 over a folder: /<bucket>/<key>, ranges, the bucket's region."""

    def do_HEAD(self):
        self.answer(with_body=False)

    def do_GET(self):
        self.answer(with_body=True)

    def answer(self, *, with_body: bool):
        file = Path(self.translate_path(self.path))
        if not file.is_file():
            self.send_response(200 if file.is_dir() and self.path.count("/") == 1 else 404)
            self.send_header("x-amz-bucket-region", "eu-west-1")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        content, status = file.read_bytes(), 200
        if asked := self.headers.get("Range"):
            first, _, last = asked.removeprefix("bytes=").partition("-")
            content, status = content[int(first) : int(last) + 1], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Last-Modified", self.date_time_string())
        self.end_headers()
        if with_body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


@contextlib.contextmanager
def s3(folder: Path):
    handler = functools.partial(Bucket, directory=str(folder))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_staging_in_a_bucket(root, tmp_path):
    """By Hadoop's name of the scheme, too; a missing object is a missing day."""
    (tmp_path / "buckets").mkdir()
    (root / "staging").rename(tmp_path / "buckets/lake")
    (tmp_path / "buckets/empty").mkdir()
    with s3(tmp_path / "buckets") as endpoint:
        aws = {"AWS_ENDPOINT_URL": endpoint, "AWS_ACCESS_KEY_ID": "none", "AWS_SECRET_ACCESS_KEY": "none"}
        for uri in ("s3://lake", "s3a://lake"):
            checked = check(root, STAGING_URI=uri, **aws)
            assert checked.returncode == 0, checked.stderr
            assert figures(checked)["staged"] == 8
        assert "was never staged" in check(root, STAGING_URI="s3://empty", **aws).stderr
