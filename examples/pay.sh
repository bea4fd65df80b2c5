#!/usr/bin/env bash
# Fetches a paid URL from a script: what it may cost is said once, the exit status tells how it went, and the wallet has the books.
#
#   paydoor demo &
#   examples/pay.sh http://127.0.0.1:8402/hello
set -euo pipefail
if [ $# -ne 1 ] || [ -z "$1" ]; then
	echo "usage: pay.sh URL, such as http://127.0.0.1:8402/hello, which paydoor demo serves" >&2
	exit 2
fi
url=$1

# What would it cost? Nothing is paid.
paydoor fetch --dry-run --max 100 "$url"

# One request may cost 100 at this host, from now on.
paydoor fetch --max 100 -o answer.txt "$url"
cat answer.txt

# A body, and JSON about the payment.
paydoor fetch --json -d 'question=6*7' "$url"

# A maximum that is too low. With --dry-run it is not remembered, or one request could cost 1 from now on.
status=0
paydoor fetch --dry-run --max 1 "$url" || status=$?
if [ "$status" != 4 ]; then
	echo "pay.sh: the exit status is $status, and 4 says that the price is above the maximum" >&2
	exit 1
fi
echo "nothing above it would be paid"

# What was spent when.
paydoor wallet
paydoor wallet export --format csv
