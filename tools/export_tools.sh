#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# export_tools.sh [all]: a Python environment, build/export-tools, with what reads exports and is no
# package of the distribution: Perfetto's published schema; with `all` HTA as well (some 500 MB).
# TraceLens is taken from a checkout that TRACELENS names.  tests/cli/test_export_tools.py uses it.
set -eu
cd "$(dirname "$0")/.."
environment=build/export-tools
[ -x $environment/bin/python ] || python3 -m venv $environment
$environment/bin/pip install -q perfetto protobuf fastavro
if [ "${1:-}" = all ]; then
	# HTA 0.5 stops with pandas 3.
	$environment/bin/pip install -q HolisticTraceAnalysis 'pandas<3' openpyxl tabulate orjson PyYAML tqdm
fi
