#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# run.sh WORKLOAD [OPTION...]: one generation under `ttitrace record`, then what it did.
# TTITRACE=command  PYTHON=python3  TRACE=file (default WORKLOAD.ttt)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -gt 0 ] || exec "${PYTHON:-python3}" "$here/generate.py" --help
tool=${TTITRACE:-$(command -v ttitrace || echo "$here/../../build/release/ttitrace")}
trace=${TRACE:-$1.ttt}

"$tool" record --output "$trace" -- "${PYTHON:-python3}" "$here/generate.py" "$@"
"$tool" report --top 12 "$trace"
"$tool" report --by phase --top 12 "$trace" | sed -n '/^phase/,$p'
"$tool" seqlen --top 12 "$trace"
