#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Runs the GPU tests: `run.sh` all, `run.sh check` what can fail, `run.sh bench` what is measured,
# `run.sh proof` what compares with PyTorch's own account, `run.sh NAME [OPTION...]` one of them.
# BUILD=dir has ttitrace and its libraries, OUT=dir gets the results.  Exit 77: no GPU, all skipped.
set -u

cd "$(dirname "$0")/../.." || exit 2
case ${1:-all} in
all) tests=(coverage coexist against_profiler operators modules imports transparency bench) ;;
check) tests=(coverage coexist against_profiler) ;;
proof) tests=(operators modules imports) ;;
coverage | coexist | against_profiler | operators | modules | imports | transparency | bench) tests=("$1") ;;
*)
	echo "usage: $0 [all|check|proof|bench|NAME [OPTION...]]" >&2
	exit 2
	;;
esac
[ $# -eq 0 ] || shift

export PYTHONUNBUFFERED=1
export OUT=${OUT:-build/gpu} BUILD=${BUILD:-build/release}
passed=0 failed=0 skipped=0

if ! PYTHONPATH=tests/gpu "${PYTHON:-python3}" -c 'import common; common.skip_without_gpu()'; then
	echo "0 passed, 0 failed, ${#tests[@]} skipped"
	exit 77
fi
if ! [ -x "$BUILD/ttitrace" ] || ! [ -e "$BUILD/libttitrace.so" ]; then
	echo "$BUILD has no ttitrace and libttitrace.so: run make first" >&2
	exit 1
fi
# shellcheck source=tests/gpu/setup.sh
. tests/gpu/setup.sh || exit 1

for test in "${tests[@]}"; do
	echo "== $test"
	begin=$SECONDS
	"$PYTHON" "tests/gpu/$test.py" "$@"
	case $? in
	0) passed=$((passed + 1)) ;;
	77) skipped=$((skipped + 1)) ;;
	*) failed=$((failed + 1)) ;;
	esac
	echo "== $test took $((SECONDS - begin)) s"
done
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
