#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Instructions per launch on the launching thread: bare, hooks alone, recording without CUPTI.
#   tests/bench/instructions.sh BUILD
# Two runs of different length; the difference has no start-up in it.
set -eu
build=$(cd "${1:?usage: instructions.sh BUILD}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
few=2000 many=12000

# count LIBRARY LAUNCHES: instructions of the thread that launches (thread 2 of the program).
count() {
	env TTITRACE_TIMING=none TTITRACE_OUTPUT="$out/%p.ttt" \
		LD_LIBRARY_PATH="$build/tests/fake/cheap" ${1:+LD_PRELOAD="$build/$1"} \
		valgrind --tool=callgrind --separate-threads=yes --trace-children=no \
		--callgrind-out-file="$out/cg" --log-file="$out/log" \
		"$build/tests/bench/bench_launch" "$2" 1 >"$out/stdout"
	# Preloading adds threads of our own: the launching one runs launch_many.
	for f in "$out"/cg-*; do
		grep -q launch_many "$f" && awk '/^(summary|totals):/ { n = $2 } END { print n }' "$f"
	done | tail -1
	rm -f "$out"/cg*
}

for library in "" libttitrace-nop.so libttitrace.so; do
	if [ -n "$library" ] && [ ! -e "$build/$library" ]; then
		echo "$library: not built"
		continue
	fi
	a=$(count "$library" $few)
	b=$(count "$library" $many)
	echo "${library:-bare}: $(((b - a) / (many - few))) instructions per launch"
done
