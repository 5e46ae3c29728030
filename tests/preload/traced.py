# SPDX-License-Identifier: Apache-2.0
"""Runs the test programs against the stand-in driver, with and without the library, and reads
what they left: the trace, and what the stand-ins themselves saw."""

import collections
import json
import os
import struct
import subprocess
from pathlib import Path

TOP = Path(__file__).resolve().parents[2]
BUILD = (TOP / os.environ.get("O", "build/release")).resolve()
LIBRARY = BUILD / "libttitrace.so"
TOOL = BUILD / "ttitrace"
FAKE = BUILD / "tests/fake"
PROGRAMS = BUILD / "tests/programs"
PLUGINS = PROGRAMS / "plugin"
CUPTI = FAKE / "libcupti.so.13"

LAUNCH, GRAPH_LAUNCH, COPY, FILL, SYNC, NODE = 1, 2, 3, 4, 5, 6  # TTI_OP
KERNEL = 1  # TTI_ACTIVITY
CAPTURED = 1  # template flag
CAPTURED_COUNTER = 2  # TTI_COUNTER

TIMEOUT_S = 60


class Run:
    """One run of a program: how it ended, what it said, what the driver saw, what was traced."""

    def __init__(self, directory, process, report):
        self.directory = directory
        self.exit_code = process.returncode
        self.stdout = process.stdout
        self.stderr = process.stderr
        self.seen_by_pid = {int(p.suffix[1:]): read_stats(p) for p in report}
        self.seen = collections.Counter()
        for stats in self.seen_by_pid.values():
            self.seen.update(stats)

    @property
    def traces(self):
        return sorted(self.directory.glob("*.ttt"))

    @property
    def trace(self):
        assert len(self.traces) == 1, f"{self.traces}\n{self.stderr}"
        return Trace(self.traces[0])


def read_stats(path):
    """32 bytes each: a name, a number."""
    return {
        name.rstrip(b"\0").decode(): value
        for name, value in struct.iter_unpack("<24sQ", path.read_bytes())
        if name.rstrip(b"\0")
    }


def environment(directory, preload, timing, **more):
    env = {k: v for k, v in os.environ.items() if not k.startswith(("TTITRACE_", "FAKE_"))}
    env["LD_LIBRARY_PATH"] = str(FAKE)
    env["FAKE_CUDA_REPORT"] = str(directory / "seen")
    env["TTITRACE_CUPTI"] = str(CUPTI)
    env["TTITRACE_TIMING"] = timing
    if preload:
        env["LD_PRELOAD"] = str(preload)
    env.update({k: str(v) for k, v in more.items()})
    return env


def run(directory, program, *args, preload=LIBRARY, timing="cupti", start=None, **env):
    """Runs a test program in a directory of its own; `start` is called in the child before exec."""
    directory.mkdir(parents=True, exist_ok=True)
    process = subprocess.run(
        [str(PROGRAMS / program), *map(str, args)],
        cwd=directory,
        env=environment(directory, preload, timing, **env),
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        preexec_fn=start,
    )
    return Run(directory, process, sorted(directory.glob("seen.*")))


def tool(*args):
    """ttitrace ARGS --json: the exit code and the parsed answer."""
    process = subprocess.run(
        [str(TOOL), *map(str, args), "--json"], capture_output=True, text=True, timeout=TIMEOUT_S
    )
    assert process.stdout, process.stderr
    return process.returncode, json.loads(process.stdout)


def text(*args):
    """What ttitrace ARGS prints."""
    return subprocess.run(
        [str(TOOL), *map(str, args)], capture_output=True, text=True, timeout=TIMEOUT_S
    ).stdout


def check(*paths):
    return tool("check", *paths)[0]


def coverage(*paths):
    return tool("report", *paths)[1]["coverage"]


def losses(*paths):
    return {loss["cause"]: loss["count"] for loss in tool("report", *paths)[1]["losses"]}


HostRow = collections.namedtuple(
    "HostRow", "tid template begin_ns duration_ns correlation result node"
)
GpuRow = collections.namedtuple("GpuRow", "template begin_ns duration_ns correlation node")


class Trace:
    """The records of one file, by `ttitrace dump`."""

    def __init__(self, path):
        process = subprocess.run(
            [str(TOOL), "dump", "--json", str(path)],
            capture_output=True,
            text=True,
            timeout=TIMEOUT_S,
        )
        self.path = path
        self.exit_code = process.returncode
        self.records = collections.defaultdict(list)
        # Not splitlines(): a build-id may hold what Unicode calls the end of a line.
        for line in process.stdout.split("\n")[:-1]:
            record = json.loads(line)
            self.records[record["record"]].append(record)
        self.strings = {r["id"]: r["text"] for r in self.records["string"]}
        self.kernels = {r["id"]: r for r in self.records["kernel"]}
        self.templates = {r["id"]: r for r in self.records["template"]}
        self.device_templates = {r["id"]: r for r in self.records["device_template"]}
        self.counts = {r["counter"]: r["value"] for r in self.records["count"]}

    @property
    def finish(self):
        return [r["reason"] for r in self.records["finish"]]

    def host(self):
        for batch in self.records["host"]:
            c = batch["columns"]
            for row in zip(
                c["template"],
                c["begin_ns"],
                c["duration_ns"],
                c["correlation"],
                c["result"],
                c["node"],
            ):
                yield HostRow(batch["tid"], self.templates[row[0]], *row[1:])

    def gpu(self):
        for batch in self.records["gpu"]:
            c = batch["columns"]
            for row in zip(
                c["template"], c["begin_ns"], c["duration_ns"], c["correlation"], c["node"]
            ):
                yield GpuRow(self.device_templates[row[0]], *row[1:])

    def launches(self):
        """Host rows of launches that ran (not captured, not refused)."""
        return [
            r
            for r in self.host()
            if r.template["op"] == LAUNCH and not r.template["flags"] & CAPTURED and r.result == 0
        ]

    def kernels_run(self):
        return [r for r in self.gpu() if r.template["activity"] == KERNEL]

    def api(self, row):
        return self.strings[row.template["api"]]

    def kernel_name(self, row):
        return self.strings.get(self.kernels[row.template["kernel"]]["name"])

    def device_name(self, row):
        return self.strings[row.template["name"]]


def shape(template):
    """Grid and block: what a launch and its device record must have in common."""
    return tuple(
        template[k] for k in ("grid_x", "grid_y", "grid_z", "block_x", "block_y", "block_z")
    )
