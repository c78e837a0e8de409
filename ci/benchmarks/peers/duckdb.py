"""One machine's limit: `python -m ci.benchmarks.peers.duckdb reviews|logs FILE OUT`."""

from __future__ import annotations

import sys
from pathlib import Path

import duckdb

# The project's rule: no letter, mark, digit or underscore on either side.
NO_WORD = r"[^\p{L}\p{M}\p{N}_]"
TAGS = {
    "log_date": "logDate",
    "device": "device",
    "location": "location",
    "os": "os",
    "ip": "ipAddress",
    "phone_number": "phoneNumber",
}
VALUES = ", ".join(
    f"regexp_extract(log, '<{tag}>([^<]*)</{tag}>', 1) as {name}" for name, tag in TAGS.items()
)
QUERIES = {
    "reviews": f"""
        select
            id_review::int as review_id, cid::int as customer_id,
            regexp_matches(review_str, '(?i)(?:^|{NO_WORD})good(?:$|{NO_WORD})')::int as positive_review
        from read_csv(?, all_varchar = true, header = true, quote = '"', escape = '"', max_line_size = 20000000)
    """,
    "logs": f"""
        select id_review::int as log_id, {VALUES}
        from read_csv(?, all_varchar = true, header = true, quote = '"', escape = '"')
    """,
}


def main(feed: str, file: str, out: str) -> None:
    Path(out).mkdir(parents=True)
    duckdb.execute("set preserve_insertion_order = false")
    duckdb.execute(f"copy ({QUERIES[feed]}) to '{out}/rows.parquet' (format parquet)", [file])


if __name__ == "__main__":
    main(*sys.argv[1:])
