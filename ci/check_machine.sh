#!/usr/bin/env bash
# Is there a Python 3.11 or newer and a Java 17 or 21? Says in one line what to install if not.
# `check_machine.sh python` prints the Python to use.
set -euo pipefail

python=""
# python3 last: it may be newer than 3.13, the newest that Spark 4.0 is made for. The project is tested on 3.11.
for candidate in python3.11 python3.12 python3.13 python3; do
    if command -v "$candidate" > /dev/null \
        && "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
        python=$(command -v "$candidate")
        break
    fi
done
if [ -z "$python" ]; then
    echo "error: no Python 3.11 or newer found. Install one (Debian, Ubuntu: apt install python3 python3-venv)." >&2
    exit 2
fi
if [ "${1:-}" = python ]; then
    echo "$python"
    exit
fi

java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
# The version is in the first quoted text: openjdk version "17.0.15" 2025-04-15
version=$("$java" -version 2>&1 | sed -n 's/.*version "\(1\.[0-9]*\|[0-9]*\).*/\1/p' | head -1 || true)
case "$version" in
    17 | 21) ;;
    "") echo "error: no Java found (looked for $java). Spark needs Java 17 or 21; install one (Debian, Ubuntu: apt install openjdk-17-jre-headless or openjdk-21-jre-headless)." >&2
        exit 2 ;;
    *) echo "error: $java is Java $version. Spark needs Java 17 or 21; install one and set JAVA_HOME to it." >&2
        exit 2 ;;
esac
