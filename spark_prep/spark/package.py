"""Builds what a cluster needs into a folder: `python -m spark_prep.spark.package dist/spark`.

submit.py, spark_prep.zip and emr_bootstrap.sh; the same bytes from the same sources, on any machine.

Driver and executors also need pyarrow, numpy and pandas (Spark's own condition for handing Arrow to Python), and boto3 on AWS.
Dataproc and Glue bring them; emr_bootstrap.sh installs them on EMR on EC2; EMR Serverless gets them as packages.tar.gz, which
`make spark-package` makes of the locked wheels.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path
from zipfile import ZipFile, ZipInfo

HERE = Path(__file__).parent
PACKAGE = HERE.parent


def build(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("submit.py", "emr_bootstrap.sh"):
        shutil.copyfile(HERE / name, folder / name)
    kinds = ("*.py", "*.properties", "*.sql", "*.txt")
    sources = [path for kind in kinds for path in PACKAGE.rglob(kind) if path.parent != PACKAGE / "tests"]
    # not compressed, which zlib versions do differently
    with ZipFile(folder / "spark_prep.zip", "w") as package:
        for source in sorted(sources):
            # the time of a ZipInfo is 1980 unless told
            entry = ZipInfo(str(source.relative_to(PACKAGE.parent)))
            entry.external_attr = 0o644 << 16
            package.writestr(entry, source.read_bytes())


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m spark_prep.spark.package", description=__doc__.splitlines()[0]
    )
    parser.add_argument("folder", type=Path, help="where to put them")
    build(parser.parse_args().folder)


if __name__ == "__main__":
    main()
