"""Runs a command of the jobs as if the clock were some hours off: `python -m ci.faults.clock -36.5 spark_prep.shop.export_purchases …`.

Only where runs get their ids and old runs are told from young ones: nothing else in spark_prep asks for the time.
"""

import runpy
import sys
from datetime import datetime, timedelta, tzinfo

from spark_prep.contract import publish

OFFSET = timedelta(hours=float(sys.argv[1]))


class OffClock(datetime):
    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "OffClock":
        return super().now(tz) + OFFSET


if __name__ == "__main__":
    vars(publish)["datetime"] = OffClock
    sys.argv = sys.argv[2:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
