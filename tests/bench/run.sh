#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh BUILD: what tracing costs, in one table, each figure with its bar beside it.
#
# The driver is a stand-in whose launches do nothing, so that what is measured is our own code; the
# bars of DESIGN are for real programs on a GPU, where `make bench-gpu` measures.  Status 1 only
# where a figure that does not depend on the machine is over its bar by more than TOLERANCE percent:
# instructions and bytes.  RESULTS.md has figures of known machines.
set -euo pipefail
build=$(cd "${1:?usage: run.sh BUILD}" && pwd)
here=$(cd "$(dirname "$0")" && pwd)
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
failed=0

TOLERANCE=10
# Own code per launch.  Instructions: what it takes today, so that a change for the worse is seen.
BAR_NS=100
BAR_INSTRUCTIONS=480
BAR_STARTUP=1000 # microseconds
BAR_BYTES=6
BAR_REPORT=20 # million launches per second
BAR_REPORTS=10 # of seqlen, diff, --by
BAR_EXPORT=1  # million events per second

row() { printf '%-46s %16s %16s  %s\n' "$1" "$2" "${3:-}" "${4:-}"; }
skipped() { row "$1" - '' "skipped: $2"; }

# judged WHAT FIGURE BAR: a stable figure.
judged() {
	if awk "BEGIN { exit !($2 > $3 * (1 + $TOLERANCE / 100)) }"; then
		row "$1" "$2" "<= $3" "OVER by more than $TOLERANCE %"
		failed=1
	else
		row "$1" "$2" "<= $3"
	fi
}

launches() {
	local -a field
	# The line of one thread: median (least - most) of bare, hooks, recording, with callbacks.
	"$here/launch.py" "$build" 7 200000 1 >"$out/launch"
	read -ra field < <(grep -E '^ +1 ' "$out/launch")
	row "ns per launch, off" "${field[1]}"
	row "ns per launch, hooks that record nothing" "${field[5]}"
	row "ns per launch, recording without GPU times" "${field[9]}"
	row "ns per launch, recording, CUPTI a stand-in" "${field[13]}"
	row "ns per launch, our own code" \
		"$(awk "BEGIN { printf \"%.1f\", ${field[9]} - ${field[1]} }")" "<= $BAR_NS"
}

# Pausing and resuming between turns of one process: what the machine does meanwhile hits both alike.
one_process() {
	local bare paused
	read -ra bare < <(LD_LIBRARY_PATH="$build/tests/fake/cheap" "$build/tests/bench/bench_pause")
	read -ra paused < <(LD_LIBRARY_PATH="$build/tests/fake/cheap" TTITRACE_TIMING=none \
		TTITRACE_STACKS=none TTITRACE_RING_KB=16384 TTITRACE_OUTPUT="$out/%p.ttt" \
		LD_PRELOAD="$build/libttitrace.so" "$build/tests/bench/bench_pause")
	row "ns of one launch and a clock, off: median, p99" "${bare[4]}, ${bare[5]}"
	row "the same, recording paused" "${paused[1]}, ${paused[2]}"
	row "the same, recording" "${paused[4]}, ${paused[5]}"
}

instructions() {
	if ! command -v valgrind >/dev/null; then
		skipped "instructions per launch" "no valgrind"
		return
	fi
	"$here/instructions.sh" "$build" >"$out/instructions"
	local bare nop record
	bare=$(awk '/^bare:/ { print $2 }' "$out/instructions")
	nop=$(awk '/^libttitrace-nop.so:/ { print $2 }' "$out/instructions")
	record=$(awk '/^libttitrace.so:/ { print $2 }' "$out/instructions")
	# The loop and the stand-in alone take some: fewer is a measurement that went wrong.
	if [ "${bare:-0}" -lt 10 ] || [ "${nop:-0}" -le "$bare" ] || [ "${record:-0}" -le "$nop" ]; then
		row "instructions per launch" "?" '' "WRONG: $(tr '\n' ' ' <"$out/instructions")"
		failed=1
		return
	fi
	row "instructions per launch, off" "$bare"
	row "instructions per launch, hooks that record nothing" "$nop"
	row "instructions per launch, recording" "$record"
	judged "instructions per launch, our own code" $((record - bare)) $BAR_INSTRUCTIONS
	sed -n '/^of recording/,$p' "$out/instructions"
}

startup() {
	local more
	"$here/startup.py" "$build" >"$out/startup"
	more=$(awk '/^libttitrace.so:/ { print $4 }' "$out/startup")
	row "us more to start and end a program without CUDA" "$more" "<= $BAR_STARTUP"
}

bytes() {
	local nr=1000000 trace launches
	"$build/tests/mkbench" $nr >"$out/generated.ttt"
	judged "bytes per launch, generated, 1 M launches" \
		"$(awk "BEGIN { printf \"%.2f\", $(stat -c %s "$out/generated.ttt") / $nr }")" $BAR_BYTES
	for trace in "$here"/../golden/*.ttt; do
		[ -e "$trace" ] || continue
		launches=$("$build/ttitrace" check --json "$trace" 2>/dev/null |
			grep -oE '"launches": ?[0-9]+' | head -1 | grep -oE '[0-9]+') || continue
		[ "${launches:-0}" -gt 0 ] || continue
		row "bytes per launch, $(basename "$trace"), $launches launches" \
			"$(awk "BEGIN { printf \"%.2f\", $(stat -c %s "$trace") / $launches }")" '' \
			"short: definitions weigh"
	done
}

reports() {
	local launches wall speed peak what bar
	"$here/bench_report.py" "$build" >"$out/report"
	while read -r launches wall _ speed peak what; do
		[[ $launches =~ ^[0-9]+$ ]] || continue
		case $what in
		json* | SQLite*) bar="" ;;
		"report, "* | report) bar=">= $BAR_REPORT" ;;
		*) bar=">= $BAR_REPORTS" ;;
		esac
		row "M launches/s, $launches, $what" "$speed" "$bar" \
			"$wall s by the clock, peak memory $((peak / 1024)) MB"
	done <"$out/report"
}

exports() {
	"$here/bench_export.py" "$build" 1000000 3 >"$out/export"
	while read -r format _ speed _ peak; do
		[[ $peak =~ ^[0-9]+$ ]] || continue
		case $format in
		perfetto | sqlite) row "M events/s in export, $format" "$speed" ">= $BAR_EXPORT" \
			"peak memory $((peak / 1024)) MB" ;;
		*) row "M events/s in export, $format" "$speed" '' "peak memory $((peak / 1024)) MB" ;;
		esac
	done <"$out/export"
}

echo "$(nproc) processors, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1)"
row what here bar
if [ -e "$build/libttitrace.so" ]; then
	launches
	one_process
	instructions
	startup
else
	skipped "launches" "no libttitrace.so: built without CUDA headers"
fi
bytes
reports
exports
exit $failed
