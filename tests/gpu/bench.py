#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What tracing costs: the same work bare, under ttitrace and under other profilers, in turn.

One process per set-up does the work whenever it is its turn; the order changes with every round, so
that clocks, temperature and neighbours are the same for all.
"""

import argparse
import ctypes
import contextlib
import dataclasses
import importlib
import importlib.util
import json
import os
import pathlib
import queue
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time

from common import (
    NOP_LIBRARY,
    PROGRAMS,
    ROOT,
    build_cuda,
    kill_group,
    limit_time,
    python,
    recorded,
    report,
    run,
    skip_without_gpu,
    spread,
    table,
    time_left,
    trace_bytes,
    wait_with_usage,
    write_results,
)

TIME_LIMIT_S = 470
START_TIMEOUT_S = 120
REPETITION_TIMEOUT_S = 90
EXIT_TIMEOUT_S = 60


@dataclasses.dataclass
class Setup:
    """A way to run a program."""

    name: str
    profiler: str = "none"  # of bench_worker.py
    is_recorded: bool = False
    env: dict = dataclasses.field(default_factory=dict)

    def command(self, command, trace_dir):
        return recorded(command, trace_dir) if self.is_recorded else command


def has_libunwind():
    try:
        ctypes.CDLL("libunwind.so.8")
    except OSError:
        return False
    return True


def cupti_floor(directory):
    """cupti_floor.c, against the libcupti that torch brings, else the toolkit's; None: neither."""
    home = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    wheels = [pathlib.Path(p) for p in getattr(importlib.import_module("nvidia"), "__path__", ())] if (
        importlib.util.find_spec("nvidia")
    ) else []
    places = [(w, "*/lib/libcupti.so.*") for w in wheels] + [
        (home, "extras/CUPTI/lib64/libcupti.so.*"),
        (home, "lib64/libcupti.so.*"),
    ]
    found = [path for root, pattern in places for path in sorted(root.glob(pattern))]
    if not found:
        return None
    library = directory / "cupti_floor.so"
    includes = [f"-I{home}/include", f"-I{home}/extras/CUPTI/include"]
    source = ROOT / "tests/gpu/cupti_floor.c"
    words = ["cc", "-O2", "-shared", "-fPIC", *includes, "-o", library, source, found[0]]
    finished = run([*words, f"-Wl,-rpath,{found[0].parent}"], timeout_s=60)
    return library if finished.code == 0 else None


BARE = Setup("bare")
TTITRACE = Setup("ttitrace", is_recorded=True)
PRELOADS = [
    BARE,
    Setup("ttitrace, nop library", env={"LD_PRELOAD": str(NOP_LIBRARY)}),
    Setup("ttitrace, host only", is_recorded=True, env={"TTITRACE_TIMING": "none", "TTITRACE_STACKS": "none"}),
    Setup("ttitrace, no stacks", is_recorded=True, env={"TTITRACE_STACKS": "none"}),
    TTITRACE,
]
if has_libunwind():
    PRELOADS.append(Setup("ttitrace, both stacks", is_recorded=True, env={"TTITRACE_STACKS": "both"}))
PROFILERS = [
    Setup("torch.profiler CUDA", profiler="cuda"),
    Setup("torch.profiler CPU+CUDA", profiler="cpu+cuda"),
    Setup("Triton Proton", profiler="proton"),
]


class Broken(Exception):
    """A worker that does not answer; says why."""


class Worker:
    """A bench_worker.py under one set-up."""

    def __init__(self, setup, options, scratch):
        self.setup = setup
        self.trace_dir = scratch / setup.name.replace(" ", "_")
        self.trace_dir.mkdir(parents=True)
        self.repetitions = []
        self.exit_s = None
        self.usage = None
        self.stderr = open(self.trace_dir / "stderr", "w+b")
        command = python(PROGRAMS / "bench_worker.py", "--profiler", setup.profiler, *options)
        self.process = subprocess.Popen(
            [str(word) for word in setup.command(command, self.trace_dir)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.stderr,
            text=True,
            env={**os.environ, **setup.env},
            start_new_session=True,
        )
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def _broken(self, why):
        self.stderr.seek(0)
        tail = self.stderr.read().decode(errors="replace").splitlines()[-5:]
        return Broken(f"{self.setup.name}: {why}\n" + "\n".join(tail))

    def await_event(self, event, timeout_s):
        deadline = time.monotonic() + time_left(timeout_s)
        while True:
            try:
                line = self.lines.get(timeout=max(0.0, deadline - time.monotonic()))
            except queue.Empty:
                raise self._broken(f"no answer within {timeout_s} s") from None
            if line is None:
                raise self._broken("ended early")
            with contextlib.suppress(ValueError):
                answer = json.loads(line)
                if isinstance(answer, dict) and answer.get("event") == event:
                    return answer

    def repeat(self):
        try:
            self.process.stdin.write("go\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._broken("ended early") from None
        self.repetitions.append(self.await_event("repetition", REPETITION_TIMEOUT_S))

    def abandon(self):
        kill_group(self.process)
        self.process.wait()
        self.stderr.close()

    def quit(self):
        """Lets it exit by itself, as a program does, and notes how long that took."""
        begin = time.monotonic()
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        self.usage = wait_with_usage(self.process, EXIT_TIMEOUT_S)
        self.exit_s = time.monotonic() - begin
        kill_group(self.process)
        self.stderr.close()


def start_all(setups, options, scratch, notes):
    """Workers that are ready; what is wrong with the others goes into notes."""
    workers = [Worker(setup, options, scratch) for setup in setups]
    ready = []
    for worker in workers:
        try:
            worker.await_event("ready", START_TIMEOUT_S)
            ready.append(worker)
        except Broken as why:
            notes.append(str(why))
            worker.abandon()
    return ready


def take_turns(workers, rounds, max_rounds, notes):
    """rounds repetitions of each worker; max_rounds has fewer for some, by set-up name."""
    order = random.Random(1)
    for number in range(rounds):
        order.shuffle(workers)
        for worker in list(workers):
            if number >= max_rounds.get(worker.setup.name, rounds):
                continue
            try:
                worker.repeat()
            except Broken as why:
                notes.append(str(why))
                worker.abandon()
                workers.remove(worker)


def recorded_launches(trace_dir):
    """(launches and graph nodes in the trace or None, launches per second of `ttitrace report`)"""
    rep, finished = report(trace_dir)
    if rep is None:
        return None, None
    launches = rep["coverage"]["launches"] + rep["coverage"]["node_records"]
    return launches, launches / finished.wall_s


def measured(worker):
    """What one set-up cost."""
    repetitions = worker.repetitions
    row = {
        "setup": worker.setup.name,
        "seconds": spread([r["seconds"] for r in repetitions]),
        "cpu_s": spread([r["cpu_s"] for r in repetitions]),
        "exit_s": worker.exit_s,
        "process_cpu_s": worker.usage.ru_utime + worker.usage.ru_stime,
        "rss_mib": worker.usage.ru_maxrss / 1024,
    }
    if "stop_s" in repetitions[0]:
        row["stop_s"] = spread([r["stop_s"] for r in repetitions])
        row["output_bytes"] = spread([r["bytes"] for r in repetitions])
    if repetitions[0].get("launches"):
        row["launches"] = repetitions[0]["launches"]
        row["bytes_per_launch"] = statistics.median(r["bytes"] / r["launches"] for r in repetitions)
    if worker.setup.is_recorded:
        row["output_bytes"] = trace_bytes(worker.trace_dir)
        row["launches"], row["report_launches_per_s"] = recorded_launches(worker.trace_dir)
        if row["launches"]:
            row["bytes_per_launch"] = row["output_bytes"] / row["launches"]
    return row


def against_bare(rows):
    """Adds what only makes sense beside the bare run."""
    bare = next((row for row in rows if row["setup"] == BARE.name), None)
    for row in rows if bare else ():
        row["slow_down"] = row["seconds"]["median"] / bare["seconds"]["median"]
        if row["setup"].startswith("ttitrace"):
            row["stop_s"] = spread([max(0.0, row["exit_s"] - bare["exit_s"])])
    return rows


def bench_work(name, setups, options, rounds, max_rounds, notes):
    with tempfile.TemporaryDirectory() as scratch:
        workers = start_all(setups, ["--work", name, *options], pathlib.Path(scratch), notes)
        take_turns(workers, rounds, max_rounds, notes)
        for worker in workers:
            worker.quit()
        rows = [measured(worker) for worker in workers if worker.repetitions]
    names = [setup.name for setup in setups]
    return against_bare(sorted(rows, key=lambda row: names.index(row["setup"])))


def bench_programs(command, setups, rounds, timeout_s, read):
    """Runs whole processes in turn; read(Finished) -> the figures that the program itself gave."""
    rows = {setup.name: [] for setup in setups}
    for _ in range(rounds):
        for setup in setups:
            with tempfile.TemporaryDirectory() as scratch:
                finished = run(setup.command(command, pathlib.Path(scratch)), timeout_s, env=setup.env)
            if finished.code == 0:
                figures = {"wall_s": finished.wall_s, "cpu_s": finished.cpu_s, "rss_mib": finished.rss_mib}
                rows[setup.name].append({**figures, **read(finished)})
    return {
        name: {key: spread([run[key] for run in runs]) for key in runs[0]}
        for name, runs in rows.items()
        if runs
    }


def number(value, digits=3, unit=""):
    return "" if value is None else f"{value:,.{digits}f}{unit}"


def work_text(title, rows, scale, unit):
    """scale turns seconds of a repetition into the unit shown."""
    header = ("", "n", f"median {unit}", "min", "max", "slow-down", "CPU s", "stop s", "B/launch", "RSS MiB")
    cells = [
        (
            row["setup"],
            row["seconds"]["n"],
            *(number(row["seconds"][key] * scale) for key in ("median", "min", "max")),
            number(row.get("slow_down"), 3),
            number(row["cpu_s"]["median"], 2),
            number(row["stop_s"]["median"] if "stop_s" in row else None, 2),
            number(row.get("bytes_per_launch"), 2),
            number(row["rss_mib"], 0),
        )
        for row in rows
    ]
    reading = [
        f"report: {row['report_launches_per_s'] / 1e6:.2f} million launches/s, "
        f"{row['launches']} launches ({row['setup']})"
        for row in rows
        if row.get("report_launches_per_s")
    ]
    return [title, *table(header, cells), *reading, ""]


def programs_text(title, result, keys):
    cells = [
        (name, result[name]["wall_s"]["n"])
        + tuple(number(result[name][key][how], 2) for key in keys for how in ("median", "min"))
        for name in result
    ]
    header = ("", "n", *(f"{how}{key}" for key in keys for how in ("", "min ")))
    return [title, *table(header, cells), ""]


class Bench:
    """The sections; each is printed and written as soon as it is there."""

    def __init__(self, args):
        self.args = args
        self.options = ["--device", args.device] + (["--tiny"] if args.tiny else [])
        self.generate = python(ROOT / "examples/diffusion/generate.py", *self.options)
        self.results = {"notes": []}
        self.lines = []
        self.preloads = list(PRELOADS)
        self.scratch = tempfile.TemporaryDirectory()
        floor = cupti_floor(pathlib.Path(self.scratch.name)) if args.device == "cuda" else None
        if floor:
            self.preloads.append(Setup("CUPTI alone", env={"CUDA_INJECTION64_PATH": str(floor)}))

    def _publish(self, name, result, lines):
        self.results[name] = result
        self.lines += lines
        notes = [f"note: {note}" for note in self.results["notes"]]
        print("\n".join(lines), flush=True)
        write_results("bench", self.lines + notes, self.results)

    def diffusion(self):
        setups = self.preloads + PROFILERS
        rows = bench_work("diffusion", setups, self.options, self.args.rounds, {}, self.results["notes"])
        self._publish("diffusion", rows, work_text("one generation, after warm-up", rows, 1, "s"))

    def launches(self):
        with tempfile.TemporaryDirectory() as scratch:
            source = ROOT / "tests/gpu/empty_launch.cu"
            library, loop = pathlib.Path(scratch) / "empty_launch.so", pathlib.Path(scratch) / "empty_launch"
            if self.args.device == "cuda":
                build_cuda(source, library, "-shared", "-Xcompiler", "-fPIC")
                build_cuda(source, loop)
            self._launches_in_torch(library)
            if self.args.device == "cuda":
                self._launches_in_c(loop)

    def _launches_in_torch(self, library):
        fewer = {setup.name: self.args.profiler_launch_rounds for setup in PROFILERS}
        options = ["--library", library, *self.options]
        setups = self.preloads + PROFILERS
        rows = bench_work("launches", setups, options, self.args.rounds, fewer, self.results["notes"])
        ns_per_launch = 1e9 / (1000 if self.args.tiny else 100_000)
        title = "launch of an empty kernel, in a torch process"
        self._publish("launches", rows, work_text(title, rows, ns_per_launch, "ns"))

    def _launches_in_c(self, loop):
        result = bench_programs([loop], self.preloads, 2, 60, lambda finished: json.loads(finished.stdout))
        keys = ("ns_per_launch_median", "ns_per_launch_min", "wall_s")
        self._publish("loop", result, programs_text("launch of an empty kernel, in a C program", result, keys))

    def processes(self):
        rounds = self.args.process_rounds
        result = bench_programs(self.generate, [BARE, TTITRACE], rounds, START_TIMEOUT_S, lambda finished: {})
        title = "whole process, one cold generation"
        self._publish("process", result, programs_text(title, result, ("wall_s", "cpu_s", "rss_mib")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7, help="repetitions of each set-up")
    parser.add_argument(
        "--profiler-launch-rounds", type=int, default=3, help="of the profilers in the launch loop"
    )
    parser.add_argument("--process-rounds", type=int, default=3, help="whole processes of each set-up")
    parser.add_argument("--device", default="cuda", help="cpu: only to try this script out")
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    if args.device == "cuda":
        skip_without_gpu()
    limit_time(TIME_LIMIT_S)
    bench = Bench(args)
    run(bench.generate, START_TIMEOUT_S)  # fills the page cache, for all alike
    bench.diffusion()
    bench.launches()
    bench.processes()
    sys.exit(not {BARE.name, TTITRACE.name} <= {row["setup"] for row in bench.results["diffusion"]})


if __name__ == "__main__":
    main()
