#!/usr/bin/env bash
# Bootstrap action of EMR on EC2, run on every node before Spark is installed: gives /usr/local/bin/spark-python, the
# Python of driver and executors, one that the jobs can run on (3.11 or newer), with what requirements/cluster.txt locks.
set -euo pipefail

PACKAGES=(boto3==1.44.5 numpy==2.4.6 pandas==3.1.1 pyarrow==26.0.1)
IMPORTS='import boto3, numpy, pandas, pyarrow'

found=()
for python in python3.13 python3.12 python3.11; do
  if command -v "$python" >/dev/null; then found+=("$(command -v "$python")"); fi
done
if [ ${#found[@]} = 0 ]; then
  echo "error: this image has no Python 3.11 to 3.13; use an EMR release that has one (emr-spark-8.0.0)" >&2
  exit 1
fi

# One that has them already needs no network.
chosen=''
for python in "${found[@]}"; do
  if "$python" -c "$IMPORTS" 2>/dev/null; then chosen=$python; break; fi
done
if [ -z "$chosen" ]; then
  chosen=${found[0]}
  "$chosen" -m pip --version >/dev/null 2>&1 || sudo "$chosen" -m ensurepip
  sudo "$chosen" -m pip install --quiet "${PACKAGES[@]}" || {
    echo "error: ${PACKAGES[*]} could not be installed for $chosen; the subnet needs a way to a package index" >&2
    exit 1
  }
fi
sudo ln -sf "$chosen" /usr/local/bin/spark-python
