#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Profilers of the frameworks' own, inside a traced program: both sides get complete records.

Each case runs bare and under `ttitrace record`.  Of the profiler: the same kernels, as often, in each
of its profiles.  Of ttitrace: every launch has its GPU time, nothing is lost.  Where the profiler says
which launch a kernel belongs to, its times are compared with ours one by one; else summed up.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import sys
import tempfile

from common import (
    PROGRAMS,
    TTITRACE,
    keep_files,
    limit_time,
    python,
    recorded,
    report,
    run,
    skip_without_gpu,
    table,
    write_results,
)
from against_profiler import demangle
from coverage import coverage_faults

PROGRAM = PROGRAMS / "with_profiler.py"
TIME_LIMIT_S = 240
TIMEOUT_S = 150
MAX_DIFFERENCE = 0.01  # of a kernel's time
MAX_SHIFT_NS = 50_000  # of its begin, over all: the clocks are not the same

CASES = {
    "torch-cuda": ["--profiler", "torch-cuda"],
    "torch": ["--profiler", "torch"],
    "torch-stacks": ["--profiler", "torch-stacks"],
    "torch-5": ["--profiler", "torch", "--times", "5"],
    "torch-whole": ["--profiler", "torch", "--whole"],
    "torch-backlog": ["--profiler", "torch", "--backlog", "--times", "2"],
    "torch-teardown": ["--profiler", "torch", "--times", "3"],
    "proton": ["--profiler", "proton"],
    "proton-5": ["--profiler", "proton", "--times", "5"],
    "proton-whole": ["--profiler", "proton", "--whole"],
    "torch-proton": ["--profiler", "torch+proton", "--times", "2"],
    "jax": ["--profiler", "jax"],
    "jax-5": ["--profiler", "jax", "--times", "5"],
}
ENVIRONMENT = {"torch-teardown": {"TEARDOWN_CUPTI": "1"}}
# torch.profiler keeps CUPTI's only subscriber: bare, Proton is refused after it.
ONLY_TRACED = {"torch-proton"}


def counts(profile):
    sums = collections.Counter()
    for name, _, _, _, count in profile:
        sums[name] += count
    return sums


def difference(bare, traced):
    """What another profile has more or less of, in words."""
    return ", ".join(
        f"{name[:60]}: {bare[name]} bare, {traced[name]} traced"
        for name in sorted(bare | traced)
        if bare[name] != traced[name]
    )


def our_kernels(trace_dir):
    """{correlation id: [(begin, ns)]} of a trace's kernels."""
    found = collections.defaultdict(list)
    for path in trace_dir.glob("*.ttt"):
        for line in run([TTITRACE, "dump", "--json", path], TIMEOUT_S).stdout.splitlines():
            record = json.loads(line)
            if record["record"] == "device_template" and record["activity"] == 1:
                found[None].append(record["id"])
            if record["record"] != "gpu":
                continue
            c = record["columns"]
            kernels = set(found[None])
            for template, begin, ns, correlation in zip(
                c["template"], c["begin_ns"], c["duration_ns"], c["correlation"]
            ):
                if template in kernels:
                    found[correlation].append((begin, ns))
    found.pop(None, None)
    return found


def compare_one_by_one(profile, ours, offset_ns):
    """(faults, kernels compared, largest difference in ns, shift of the begins)"""
    by_id = collections.defaultdict(list)
    for _, begin, ns, correlation, _ in profile:
        by_id[correlation].append((begin - offset_ns, ns))
    compared, largest, shifts, faults = 0, 0, [], []
    for correlation, theirs in by_id.items():
        mine = ours.get(correlation, [])
        if len(mine) != len(theirs):
            faults.append(f"call {correlation}: {len(theirs)} kernels there, {len(mine)} here")
            continue
        for (their_begin, their_ns), (begin, ns) in zip(sorted(theirs), sorted(mine)):
            compared += 1
            largest = max(largest, abs(their_ns - ns))
            shifts.append(their_begin - begin)
            if abs(their_ns - ns) > max(MAX_DIFFERENCE * ns, 20):
                faults.append(f"call {correlation}: {their_ns} ns there, {ns} ns here")
    shift = sorted(shifts)[len(shifts) // 2] if shifts else 0
    return faults, compared, largest, shift


def compare_sums(profile, rep):
    """For a profile of the whole run that has no single kernels: faults, by name."""
    theirs, ours = collections.Counter(), collections.Counter()
    for name, _, ns, _, count in profile:
        theirs[demangle(name)] += ns
        theirs[demangle(name), "count"] += count
    for kernel in rep["kernels"]:
        if kernel.get("mangled"):
            ours[demangle(kernel["mangled"])] += kernel["time_ns"]
            ours[demangle(kernel["mangled"]), "count"] += kernel["launches"]
    for name in sorted({name for name in theirs | ours if isinstance(name, str)}):
        if theirs[name, "count"] != ours[name, "count"]:
            yield f"{name[:60]}: {theirs[name, 'count']} there, {ours[name, 'count']} here"
        elif abs(theirs[name] - ours[name]) > MAX_DIFFERENCE * ours[name]:
            yield f"{name[:60]}: {theirs[name]} ns there, {ours[name]} ns here"


def profile_faults(case, bare, traced, trace_dir, row, rep):
    if case == "proton-whole":
        yield from compare_sums(traced["profiles"][0], rep)
    if len(bare["profiles"]) != len(traced["profiles"]):
        yield f"{len(bare['profiles'])} profiles bare, {len(traced['profiles'])} traced"
    ours = our_kernels(trace_dir)
    for number, (b, t) in enumerate(zip(bare["profiles"], traced["profiles"])):
        row["kernels"] += sum(counts(t).values())
        if not t:
            yield f"profile {number} is empty"
        if case not in ONLY_TRACED and counts(b) != counts(t):
            yield f"profile {number}: {difference(counts(b), counts(t))}"
        if any(correlation is None or begin is None for _, begin, _, correlation, _ in t):
            continue
        faults, compared, largest, shift = compare_one_by_one(t, ours, traced["offset_ns"])
        row["compared"] += compared
        row["largest_ns"] = max(row["largest_ns"], largest)
        row["shift_ns"] = max(row["shift_ns"], 0 if case.startswith("jax") else abs(shift))
        yield from (f"profile {number}: {fault}" for fault in faults[:5])
        if not case.startswith("jax") and abs(shift) > MAX_SHIFT_NS:
            yield f"profile {number} is {shift} ns away from ours"


def new_lines(bare, traced):
    """What the program or its profiler said on standard error only when traced."""
    said = {line for line in bare.stderr.splitlines()}
    return [line for line in traced.stderr.splitlines() if line not in said and "ttitrace: " not in line]


def run_case(case, folder):
    trace_dir = folder / case
    trace_dir.mkdir()
    command = lambda name: python(PROGRAM, *CASES[case], "--output", trace_dir / name)  # noqa: E731
    env = ENVIRONMENT.get(case, {})
    bare = run(command("bare.json"), TIMEOUT_S, env)
    traced = run(recorded(command("traced.json"), trace_dir), TIMEOUT_S, env)
    return bare, traced, trace_dir


def check(case, bare, traced, trace_dir):
    row = {"case": case, "kernels": 0, "compared": 0, "largest_ns": 0, "shift_ns": 0, "faults": []}
    row["said"] = new_lines(bare, traced)
    for name, finished in (("bare", bare), ("traced", traced)):
        if finished.code != 0 and not (name == "bare" and case in ONLY_TRACED):
            row["faults"].append(f"{name}: exit code {finished.code}\n{finished.tail()}")
    rep, finished = report(trace_dir)
    if rep is None:
        row["faults"].append(f"ttitrace report: exit code {finished.code}\n{finished.tail()}")
    else:
        row["launches"] = rep["coverage"]["launches"]
        row["faults"] += coverage_faults(rep)
    if not row["faults"] or rep is not None:
        try:
            names = ["traced.json" if case in ONLY_TRACED else "bare.json", "traced.json"]
            read = [json.loads((trace_dir / name).read_text()) for name in names]
            row["faults"] += list(profile_faults(case, *read, trace_dir, row, rep))
        except OSError as error:
            row["faults"].append(str(error))
    return row


def text(rows):
    header = ("case", "verdict", "launches", "profiled", "compared", "largest ns", "shift ns")
    cells = [
        (r["case"], "FAILED" if r["faults"] else "ok", r.get("launches", ""), r["kernels"])
        + (r["compared"], r["largest_ns"], r["shift_ns"])
        for r in rows
    ]
    details = [f"{r['case']}: {fault}" for r in rows for fault in r["faults"][:12]]
    said = [f"{r['case']} said: {line[:300]}" for r in rows for line in r["said"][:12]]
    return table(header, cells) + details + said


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=4, help="cases at a time")
    parser.add_argument("cases", nargs="*", help="default: all")
    args = parser.parse_args()
    skip_without_gpu()
    limit_time(TIME_LIMIT_S)
    cases = args.cases or list(CASES)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
            runs = {case: pool.submit(run_case, case, scratch) for case in cases}
            rows = [check(case, *runs[case].result()) for case in cases]
        keep_files("coexist.tar", scratch, [*scratch.glob("*/*.ttt"), *scratch.glob("*/*.json")])
    lines = text(rows)
    print("\n".join(lines))
    write_results("coexist", lines, rows)
    sys.exit(any(row["faults"] for row in rows))


if __name__ == "__main__":
    main()
