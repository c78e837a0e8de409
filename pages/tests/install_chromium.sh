#!/usr/bin/env bash
# The browser for `make test-site`: installs Debian's Chromium as root where there is none, else says what is not checked.
set -euo pipefail

for browser in chromium chromium-browser google-chrome; do
    if command -v "$browser" > /dev/null; then exit; fi
done
missing="note: no Chromium here, so no page is checked in a browser (Debian: apt install chromium fonts-dejavu-core)"
if [ "$(id -u)" != 0 ] || ! command -v apt-get > /dev/null; then
    echo "$missing"
    exit
fi
echo "Installing Chromium for the tests of the pages …"
log=$(mktemp)
if ! { apt-get update && apt-get install --yes --no-install-recommends chromium fonts-dejavu-core; } > "$log" 2>&1; then
    tail -3 "$log"
    echo "$missing"
fi
rm -f "$log"
