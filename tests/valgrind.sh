#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# valgrind.sh BUILD: the commands that read traces, over the golden ones, under valgrind: no byte
# read before it was written, none outside, none leaked.
set -u
build=${1:?usage: valgrind.sh BUILD}
here=$(cd "$(dirname "$0")" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
runs=0 failed=0

check() {
	runs=$((runs + 1))
	valgrind -q --error-exitcode=99 --leak-check=full --errors-for-leak-kinds=definite,indirect \
		--log-file="$log" "$build/ttitrace" "$@" >/dev/null 2>&1
	if [ $? -eq 99 ]; then
		echo "ttitrace $*:" >&2
		head -30 "$log" >&2
		failed=$((failed + 1))
	fi
}

for trace in "$here"/golden/*.ttt; do
	check report "$trace"
	check report --json "$trace"
	check check --sizes "$trace"
	check dump "$trace"
	check seqlen "$trace"
	check export --format jsonl "$trace"
done
echo "$runs runs under valgrind, $failed with errors"
[ "$failed" -eq 0 ]
