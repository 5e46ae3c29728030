#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD SECONDS [FUZZER...]: each libFuzzer binary in BUILD/tests/fuzz for so long.
# Starts from corpus/FUZZER; what it learns stays in BUILD/corpus, what breaks in BUILD/crashes.
# A crasher belongs into tests/broken (a trace) or corpus/ (the rest), with a test, and is fixed.
#
# A corpus is made smaller by:   BUILD/tests/fuzz/FUZZER -merge=1 SMALL LARGE
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD SECONDS [FUZZER...]}" && pwd)
seconds=${2:?usage: run.sh BUILD SECONDS [FUZZER...]}
shift 2
here=$(cd "$(dirname "$0")" && pwd)
failed=

if [ $# -eq 0 ]; then
	for source in "$here"/fuzz_*.c; do
		set -- "$@" "$(basename "$source" .c)"
	done
fi
mkdir -p "$build/crashes"
for fuzzer in "$@"; do
	echo "== $fuzzer, $seconds s"
	learnt="$build/corpus/$fuzzer"
	mkdir -p "$learnt"
	dictionary=()
	[ -e "$here/$fuzzer.dict" ] && dictionary=("-dict=$here/$fuzzer.dict")
	"$build/tests/fuzz/$fuzzer" "$learnt" "$here/corpus/$fuzzer" "${dictionary[@]}" \
		-max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -max_len=20000 \
		-artifact_prefix="$build/crashes/$fuzzer-" -print_final_stats=1 \
		2>"$build/$fuzzer.log" || failed="$failed $fuzzer"
	grep -E '^(stat::number_of_executed_units|stat::slowest|stat::peak|SUMMARY)' \
		"$build/$fuzzer.log" || true
done
if [ -n "$failed" ]; then
	echo "FAILED:$failed; logs: $build/*.log, inputs: $build/crashes" >&2
	exit 1
fi
