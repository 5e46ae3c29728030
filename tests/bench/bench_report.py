#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Launches per second and peak memory of `ttitrace report` and its sisters.

usage: bench_report.py [--large N] [BUILD_FOLDER]

BUILD_FOLDER (build/release) needs ttitrace, tests/mkbench and tests/mkrepeat.  `generated` traces are
mkbench's: 250 templates, no paths.  `real` is a real program (tests/golden/sd15.ttt: Stable Diffusion
1.5 with Python paths and parameters) that does again and again what it did once.  Rates are launches
by seconds of the processor (user and system, of all threads), medians of five runs; --large adds a
generated trace of N launches.
"""

import argparse
import json
import os
import pathlib
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
SIZES = (10_000, 100_000, 1_000_000, 10_000_000)
REAL = ROOT / "tests/golden/sd15.ttt"
REAL_TIMES = 100
RUNS = 5
COMMANDS = (("report",), ("report", "--by", "module"), ("report", "--by", "phase"), ("seqlen",))

# What people do with an nsys export: time by kernel.
QUERY = """SELECT work.kernel, SUM(gpu_ns) AS ns, COUNT(*) FROM launch JOIN work USING (work)
           GROUP BY work.kernel ORDER BY ns DESC"""


def measure(command, runs=RUNS):
    """Medians of wall and processor's seconds, and the most memory in kB."""
    walls, cpus, peak = [], [], 0
    for _ in range(runs):
        begin = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        walls.append(time.perf_counter() - begin)
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode == 0, command
        cpus.append(usage.ru_utime + usage.ru_stime)
        peak = max(peak, usage.ru_maxrss)
    return statistics.median(walls), statistics.median(cpus), peak


def tell(launches, what, command, runs=RUNS):
    wall, cpu, peak = measure(command, runs)
    rate = launches / cpu / 1e6
    print(f"{launches:>10} {wall:>8.3f} {cpu:>8.3f} {rate:>13.1f} {peak:>8}  {what}", flush=True)


def generate(command, path):
    with path.open("wb") as out:
        subprocess.run(command, stdout=out, check=True)
    return path


def count_launches(ttitrace, path):
    text = subprocess.run(
        [ttitrace, "check", "--json", path], capture_output=True, check=True
    ).stdout
    return json.loads(text)["coverage"]["launches"]


def compare_peers(ttitrace, trace, launches, folder):
    """What reading the same rows takes where others keep them."""
    chrome, database = folder / "t.json", folder / "t.sqlite"
    subprocess.run(
        [ttitrace, "export", "--format", "chrome", "-o", chrome, trace],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    subprocess.run(
        [ttitrace, "export", "--format", "sqlite", "-o", database, trace],
        check=True,
        stderr=subprocess.DEVNULL,
    )
    loads = "import json, sys; json.loads(open(sys.argv[1]).read())"
    query = f"import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('''{QUERY}''').fetchall()"
    tell(launches, "report", [ttitrace, "report", trace])
    tell(launches, "json.loads of the Chrome export", [sys.executable, "-c", loads, chrome], 3)
    tell(launches, "SQLite: sum by kernel", [sys.executable, "-c", query, database], 3)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--large", type=int)
    parser.add_argument("build", nargs="?", type=pathlib.Path, default=ROOT / "build/release")
    options = parser.parse_args()
    ttitrace = options.build / "ttitrace"
    print(f"{'launches':>10} {'wall s':>8} {'CPU s':>8} {'M launches/s':>13} {'peak kB':>8}  what")
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        trace = folder / "t.ttt"
        for launches in SIZES + ((options.large,) if options.large else ()):
            generate([options.build / "tests/mkbench", str(launches)], trace)
            runs = RUNS if launches <= max(SIZES) else 1
            tell(launches, "report, generated", [ttitrace, "report", trace], runs)
        generate([options.build / "tests/mkrepeat", REAL, str(REAL_TIMES)], trace)
        launches = count_launches(ttitrace, trace)
        for command in COMMANDS:
            tell(launches, f"{' '.join(command)}, real", [ttitrace, *command, trace])
        tell(2 * launches, "diff, real", [ttitrace, "diff", trace, trace])
        tell(2 * launches, "diff --as-is, real", [ttitrace, "diff", "--as-is", trace, trace])
        generate([options.build / "tests/mkrepeat", REAL, "10"], trace)
        compare_peers(ttitrace, trace, count_launches(ttitrace, trace), folder)


if __name__ == "__main__":
    main()
