#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every launch of every program has its device record, and the program does not notice.

Each program runs bare and under `ttitrace record`, side by side; then `ttitrace report --json` must
account for everything, and both runs must have printed the same.
"""

import argparse
import concurrent.futures
import dataclasses
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import typing

from common import (
    EXIT_SKIPPED,
    PROGRAMS,
    ROOT,
    build_cuda,
    keep_files,
    limit_time,
    python,
    recorded,
    report,
    run,
    skip_without_gpu,
    table,
    trace_bytes,
    write_results,
)

TIME_LIMIT_S = 270


@dataclasses.dataclass
class Program:
    name: str
    command: list
    timeout_s: int = 120
    expect: typing.Callable = None  # (report, stdout) -> faults that only this program can have


def kernels_as_printed(rep, stdout):
    """For marked: each line of its output says how often a kernel was launched."""
    counted = {kernel["name"].split("(")[0]: kernel["launches"] for kernel in rep["kernels"]}
    for name, launches in re.findall(r"^(\w+) (\d+) launches", stdout, re.MULTILINE):
        if counted.get(name, 0) != int(launches):
            yield f"{name}: {launches} launches made, {counted.get(name, 0)} reported"


def graph_as_printed(rep, stdout):
    """For cuda_graph: the driver said how many kernels the graph has."""
    printed = re.search(r"(\d+) kernels, \d+ nodes, (\d+) replays", stdout)
    if not printed:
        yield "the program printed no graph"
        return
    kernels, replays = map(int, printed.groups())
    coverage = rep["coverage"]
    if coverage["graph_launches"] != replays:
        yield f"{replays} replays made, {coverage['graph_launches']} graph launches reported"
    if coverage["node_records"] != kernels * replays:
        yield f"{kernels} kernels x {replays} replays made, {coverage['node_records']} node records reported"
    if coverage["captured"] != kernels:
        yield f"{kernels} kernels in the graph, {coverage['captured']} launches captured"


def has_graph_launches(rep, stdout):
    if rep["coverage"]["graph_launches"] == 0:
        yield "no graph launch was seen"


def one_process(rep, stdout):
    """For fork_workers: the workers never touch the GPU, so they leave no trace."""
    nr_processes = rep["processes"] if isinstance(rep["processes"], int) else len(rep["processes"])
    if nr_processes != 1:
        yield f"{nr_processes} processes left a trace"


def cuda12(binaries):
    """A program of CUDA 12; CUDA12_LIB is a folder with libcudart.so.12 and libcupti.so.12."""
    folder = pathlib.Path(os.environ.get("CUDA12_LIB", ROOT / "local/cu12/lib"))
    output = binaries / "cuda12"
    subprocess.run(["cc", "-O1", "-o", output, PROGRAMS / "cuda12.c", "-ldl"], check=True)
    return Program("cuda12", ["env", f"LD_LIBRARY_PATH={folder}", output], 60, cupti_of_cuda12)


def cupti_of_cuda12(rep, stdout):
    """The application's CUDA decides which CUPTI is used, not the one ttitrace was built with."""
    path = rep["processes"][0]["info"].get("cupti.path", "")
    if not path.endswith("libcupti.so.12"):
        yield f"CUPTI is {path}"


def two_ranks(rep, stdout):
    """For two_gpus: a process for each rank, and each of them knows its own."""
    ranks = sorted(str(process.get("rank")) for process in rep["processes"])
    if ranks != ["0", "1"]:
        yield f"ranks are {ranks}"


CORNERS = (
    "nested",
    "cloned",
    "updated",
    "recycled",
    "conditional",
    "reset",
    "destroyed",
    "green",
    "contexts",
    "pool",
)


def corners(binaries):
    """Graphs and contexts where a tracer could go wrong; the kernels count themselves."""
    binary = build_cuda(PROGRAMS / "corners.cu", binaries / "corners", "-lcuda")
    return [Program(f"corners-{case}", [binary, case], 60, kernels_as_printed) for case in CORNERS]


def all_programs(binaries):
    marked = ROOT / "examples/cuda/marked.cu"
    generate = ROOT / "examples/diffusion/generate.py"

    def build(name, *flags):
        return [build_cuda(marked, binaries / name, *flags, "-lcuda")]

    return [
        Program("marked-static", build("marked-static"), 60, kernels_as_printed),
        Program("marked-shared", build("marked-shared", "-cudart", "shared"), 60, kernels_as_printed),
        Program("marked-ptds", build("marked-ptds", "-default-stream", "per-thread"), 60, kernels_as_printed),
        cuda12(binaries),
        *corners(binaries),
        Program("diffusion", python(generate), 150),
        Program("diffusion-eager", python(generate, "--attention", "eager", "--steps", 4), 150),
        Program("torch_compile", python(PROGRAMS / "torch_compile.py"), 240, has_graph_launches),
        Program("cuda_graph", python(PROGRAMS / "cuda_graph.py"), 90, graph_as_printed),
        Program("fork_workers", python(PROGRAMS / "fork_workers.py"), 120, one_process),
        Program("triton_kernel", python(PROGRAMS / "triton_kernel.py"), 120),
        Program("jax_block", python(PROGRAMS / "jax_block.py"), 150),
        Program("cupy_ops", python(PROGRAMS / "cupy_ops.py"), 120),
        Program("two_gpus", python(PROGRAMS / "two_gpus.py"), 120, two_ranks),
        Program("two_gpus_one_process", python(PROGRAMS / "two_gpus.py", "--one-process"), 120),
        Program("numba_kernel", python(PROGRAMS / "numba_kernel.py"), 90),
    ]


def run_isolated(command, timeout_s):
    """With caches of its own: runs side by side must not find each other's compiled kernels."""
    variables = ("TORCHINDUCTOR_CACHE_DIR", "TRITON_CACHE_DIR", "CUPY_CACHE_DIR", "NUMBA_CACHE_DIR")
    with tempfile.TemporaryDirectory() as caches:
        return run(command, timeout_s, env={name: f"{caches}/{name}" for name in variables})


def coverage_faults(rep):
    coverage = rep["coverage"]
    for key in ("launches_without_record", "records_without_launch", "mismatched"):
        if coverage[key] != 0:
            yield f"{key} is {coverage[key]}"
    if not coverage["complete"]:
        yield "coverage is not complete"
    for loss in rep["losses"]:
        yield f"loss: {loss['count']} x {loss['cause']}"
    if coverage["launches"] == 0:
        yield "no launch was seen"
    if coverage["matched"] < coverage["launches"]:
        yield f"{coverage['launches']} launches, {coverage['matched']} matched"
    # With or without the graph nodes, whichever way the report counts kernel records.
    if coverage["kernel_records"] - coverage["launches"] not in (0, coverage["node_records"]):
        yield f"{coverage['launches']} launches, {coverage['kernel_records']} kernel records"


def difference(program, bare, traced):
    """(faults, notes): what the program did differently under ttitrace.

    A program whose output varies by itself is excused, with a note.
    """
    if bare.code != traced.code:
        return [f"exit code {traced.code}, bare {bare.code}\n{traced.tail()}"], []
    if bare.stdout == traced.stdout:
        return [], []
    again = run_isolated(program.command, program.timeout_s)
    if again.stdout == bare.stdout:
        return [f"prints {traced.stdout.strip()!r}, bare {bare.stdout.strip()!r}"], []
    return [], [f"prints something else each time: {bare.stdout.strip()!r}, then {again.stdout.strip()!r}"]


def report_faults(program, rep, stdout):
    try:
        return list(coverage_faults(rep)) + list(program.expect(rep, stdout) if program.expect else [])
    except (KeyError, TypeError) as error:
        return [f"the report lacks something: {error!r}"]


def check(program, bare, traced, trace_dir):
    """One row of the result."""
    row = {
        "program": program.name,
        "wall_s": round(traced.wall_s, 1),
        "coverage": {},
        "trace_bytes": 0,
        "faults": [],
        "notes": [],
    }
    if bare.code == EXIT_SKIPPED:
        return {**row, "verdict": "skipped", "notes": [bare.stdout.strip()]}
    if bare.code != 0:
        return {**row, "verdict": "FAILED", "faults": [f"bare: exit code {bare.code}\n{bare.tail()}"]}
    faults, row["notes"] = difference(program, bare, traced)
    rep, finished = report(trace_dir)
    if rep is None:
        faults.append(f"ttitrace report: exit code {finished.code}\n{finished.tail()}")
        faults.append(f"recording said:\n{traced.tail()}")
    else:
        row["coverage"] = rep.get("coverage", {})
        row["trace_bytes"] = trace_bytes(trace_dir)
        faults += report_faults(program, rep, traced.stdout)
    return {**row, "verdict": "FAILED" if faults else "ok", "faults": faults}


def run_all(programs, traces, jobs):
    """Rows, in the order of programs; bare and traced runs share the machine."""
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        runs = []
        for program in programs:
            trace_dir = traces / program.name
            trace_dir.mkdir()
            bare = pool.submit(run_isolated, program.command, program.timeout_s)
            traced = pool.submit(run_isolated, recorded(program.command, trace_dir), program.timeout_s + 30)
            runs.append((program, bare, traced, trace_dir))
        rows = []
        for program, bare, traced, trace_dir in runs:
            rows.append(check(program, bare.result(), traced.result(), trace_dir))
            print(f"{program.name}: {rows[-1]['verdict']}", flush=True)
        return rows


def text(rows):
    header = ("program", "verdict", "launches", "captured", "graphs", "nodes", "trace kB", "seconds")
    keys = ("launches", "captured", "graph_launches", "node_records")
    cells = [
        (row["program"], row["verdict"])
        + tuple(row["coverage"].get(key, "") for key in keys)
        + (row["trace_bytes"] // 1000, row["wall_s"])
        for row in rows
    ]
    details = [f"{row['program']}: {what}" for row in rows for what in row["faults"] + row["notes"]]
    verdicts = [row["verdict"] for row in rows]
    passed, failed, skipped = (verdicts.count(verdict) for verdict in ("ok", "FAILED", "skipped"))
    summary = f"coverage: {passed} passed, {failed} failed, {skipped} skipped"
    return table(header, cells) + details + [summary]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--jobs", type=int, default=4, help="programs at a time")
    parser.add_argument("programs", nargs="*", help="default: all")
    args = parser.parse_args()
    skip_without_gpu()
    limit_time(TIME_LIMIT_S)
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        traces = scratch / "traces"
        traces.mkdir()
        programs = [p for p in all_programs(scratch) if not args.programs or p.name in args.programs]
        rows = run_all(programs, traces, args.jobs)
        keep_files("traces.tar", traces, traces.glob("*/*.ttt"))
    lines = text(rows)
    print("\n".join(lines))
    write_results("coverage", lines, rows)
    sys.exit(any(row["verdict"] == "FAILED" for row in rows))


if __name__ == "__main__":
    main()
