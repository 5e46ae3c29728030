#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Records the study's runs, each in a process of its own under `ttitrace record`.

A run that is recorded already is not recorded again, so that what was interrupted can go on.
Some processes are started ahead: their imports take longer than their work.  One at a time
uses the GPU.
"""

import argparse
import concurrent.futures
import os
import pathlib
import re
import shutil
import subprocess
import sys
import time

import runs

ROOT = pathlib.Path(__file__).resolve().parents[2]
PROGRAM = ROOT / "examples/suite/generate.py"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("only", nargs="?", default="", help="regular expression: the runs to do")
    parser.add_argument("--traces", type=pathlib.Path, default=pathlib.Path("build/study"), help="where to")
    parser.add_argument("--ttitrace", default=os.environ.get("TTITRACE", ROOT / "build/release/ttitrace"))
    parser.add_argument("--jobs", type=int, default=4, help="processes at once; one of them uses the GPU")
    parser.add_argument("--limit", type=float, default=1e9, help="seconds, after which nothing is started")
    parser.add_argument("--run-limit", type=float, default=300, help="seconds for a process, waiting and all")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy models, to try the study out")
    parser.add_argument("--list", action="store_true")
    return parser.parse_args()


def command_of(args, folder, words):
    more = ["--device", args.device, "--turn", args.traces / "turn", *(["--tiny"] if args.tiny else [])]
    record = [args.ttitrace, "record", "--output", folder / "%p.ttt", "--"]
    return [str(word) for word in (*record, sys.executable, PROGRAM, *words, *more)]


def record(args, name, words, begin):
    """How it ended, in words; the trace is args.traces/name.ttt, what the program said name.log."""
    trace, log = args.traces / f"{name}.ttt", args.traces / f"{name}.log"
    if trace.exists():
        return "recorded already"
    if time.monotonic() - begin > args.limit:
        return "not started: too late"
    folder = args.traces / f"{name}.part"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    with open(log, "w") as file:
        try:
            done = subprocess.run(
                command_of(args, folder, words),
                stdout=file,
                stderr=subprocess.STDOUT,
                timeout=args.run_limit,
                env={**os.environ, "HF_HUB_OFFLINE": "1"},
            )
        except subprocess.TimeoutExpired:
            return f"FAILED: killed after {args.run_limit} s"
    said = log.read_text()
    made = sorted(folder.glob("*.ttt"), key=lambda path: path.stat().st_size)
    if done.returncode:
        return f"FAILED, exit code {done.returncode}: {' / '.join(said.splitlines()[-3:])}"
    took = re.findall(r"generated in ([\d.]+) s", said)
    if made:
        made[-1].rename(trace)
    shutil.rmtree(folder, ignore_errors=True)
    return f"{took[-1] if took else '?'} s, {trace.stat().st_size if made else 0:,} bytes"


def main():
    args = parse_arguments()
    chosen = {name: words for name, words in runs.all_runs().items() if re.search(args.only, name)}
    if args.list:
        print("\n".join(f"{name}: {' '.join(map(str, words))}" for name, words in chosen.items()))
        return
    args.traces.mkdir(parents=True, exist_ok=True)
    begin, failed = time.monotonic(), 0
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        futures = {pool.submit(record, args, name, words, begin): name for name, words in chosen.items()}
        for number, future in enumerate(concurrent.futures.as_completed(futures), 1):
            how = future.result()
            failed += how.startswith("FAILED")
            elapsed = time.monotonic() - begin
            print(f"[{number}/{len(futures)}, {elapsed:.0f} s] {futures[future]}: {how}", flush=True)
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
