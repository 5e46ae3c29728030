#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Instructions per launch on the launching thread: bare, hooks alone, recording without CUPTI, and
# where those of recording go.
#   tests/bench/instructions.sh BUILD
# Two runs of different length; the difference has no start-up in it.
set -euo pipefail
build=$(cd "${1:?usage: instructions.sh BUILD}" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
few=2000 many=12000

# count LIBRARY LAUNCHES STACKS: instructions of the thread that launches (thread 2 of the program), by
# function, into $out/LAUNCHES.
count() {
	env TTITRACE_TIMING=none TTITRACE_STACKS="$3" TTITRACE_OUTPUT="$out/%p.ttt" \
		LD_LIBRARY_PATH="$build/tests/fake/cheap" ${1:+LD_PRELOAD="$build/$1"} \
		valgrind --tool=callgrind --separate-threads=yes --trace-children=no \
		--callgrind-out-file="$out/cg" --log-file="$out/log" \
		"$build/tests/bench/bench_launch" "$2" 1 >"$out/stdout"
	# Preloading adds threads of our own: the launching one runs launch_many.
	callgrind_annotate --auto=no --tree=none --threshold=100 "$(grep -l launch_many "$out"/cg-* | tail -1)" |
		awk '/^ *[0-9,]+ \([^)]*\) / { n = $1; gsub(",", "", n); sub(/^.*\)  */, "");
			sub(/^.*:/, ""); sub(/ \[.*/, ""); sub(/[.](lto_priv|constprop|part).*/, "");
			if (n && !/PROGRAM TOTALS/) sum[$0] += n } END { for (f in sum) print f "\t" sum[f] }' >"$out/$2"
	rm -f "$out"/cg*
}

# Of the two runs: function and instructions per launch, most first; without bench and driver.
functions() {
	awk -F'\t' -v n=$((many - few)) 'NR == FNR { was[$1] = $2; next }
		{ d = ($2 - was[$1]) / n; if (d >= 0.5) printf "%8.0f  %s\n", d, $1 }' \
		"$out/$few" "$out/$many" | sort -rn
}

for setup in bare: hooks:libttitrace-nop.so recording:libttitrace.so; do
	library=${setup#*:}
	if [ -n "$library" ] && [ ! -e "$build/$library" ]; then
		echo "$library: not built"
		continue
	fi
	count "$library" $few none
	count "$library" $many none
	echo "${library:-bare}: $(functions | awk '{ n += $1 } END { print n }') instructions per launch"
	functions >"$out/functions"
done
echo "of recording, by function (those of the program and the driver too; what is inlined counts for its caller):"
cat "$out/functions"
