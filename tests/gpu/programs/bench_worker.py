#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Repeats one piece of work whenever it is told to, so that several set-ups can take turns.

Says {"event": "ready"} once it is warm.  Every line on standard input is one repetition: a short
untimed run that wakes the GPU up, then the timed one, reported as one JSON line.  End of input: exit.
"""

import argparse
import ctypes
import json
import os
import pathlib
import sys
import tempfile
import time

import torch

ROOT = pathlib.Path(__file__).resolve().parents[3]


class DiffusionWork:
    """A generation by the diffusion example."""

    def __init__(self, args):
        sys.path.insert(0, str(ROOT / "examples/diffusion"))
        import generate

        self.generate = generate.generate
        options = ["--device", args.device] + (["--tiny"] if args.tiny else [])
        self.full = generate.parse_arguments(options)
        self.short = generate.parse_arguments(options + ["--steps", str(min(4, self.full.steps))])
        self.pipeline = generate.build_pipeline(self.full)

    def wake_up(self):
        self.generate(self.pipeline, self.short)

    def run(self):
        self.generate(self.pipeline, self.full)


class LaunchWork:
    """Launches of an empty kernel by empty_launch.cu, with torch in the process for its profiler."""

    def __init__(self, args):
        self.nr_launches = 1000 if args.tiny else 100_000
        if args.device == "cpu":
            self.launch = lambda n: sum(range(n))
            return
        torch.cuda.init()
        torch.zeros(1, device="cuda")
        library = ctypes.CDLL(args.library)
        library.launch_empty.restype = ctypes.c_double
        self.launch = library.launch_empty

    def wake_up(self):
        self.launch(self.nr_launches // 10)

    def run(self):
        if self.launch(self.nr_launches) < 0:
            sys.exit("a launch failed")


class NoProfiler:
    def start(self):
        pass

    def stop(self):
        return {}


class TorchProfiler:
    def __init__(self, *names):
        self.activities = [getattr(torch.profiler.ProfilerActivity, name) for name in names]
        self.profile = None

    def start(self):
        self.profile = torch.profiler.profile(activities=self.activities)
        self.profile.start()

    def stop(self):
        begin = time.perf_counter()
        self.profile.stop()
        stopped = time.perf_counter()
        with tempfile.NamedTemporaryFile(suffix=".json") as file:
            self.profile.export_chrome_trace(file.name)
            exported = time.perf_counter()
            data = pathlib.Path(file.name).read_bytes()
        self.profile = None
        kernels = data.count(b'"cat": "kernel"')
        return {
            "stop_s": exported - begin,
            "export_s": exported - stopped,
            "bytes": len(data),
            "launches": kernels,
        }


class Proton:
    def __init__(self):
        import triton.profiler

        self.proton = triton.profiler
        self.directory = tempfile.TemporaryDirectory()
        self.session = None

    def start(self):
        self.session = self.proton.start(os.path.join(self.directory.name, "profile"))

    def stop(self):
        begin = time.perf_counter()
        self.proton.finalize()
        seconds = time.perf_counter() - begin
        size = sum(path.stat().st_size for path in pathlib.Path(self.directory.name).iterdir())
        return {"stop_s": seconds, "bytes": size}


WORK = {"diffusion": DiffusionWork, "launches": LaunchWork}
PROFILERS = {
    "none": NoProfiler,
    "cuda": lambda: TorchProfiler("CUDA"),
    "cpu+cuda": lambda: TorchProfiler("CPU", "CUDA"),
    "cpu": lambda: TorchProfiler("CPU"),
    "proton": Proton,
}


def say(**what):
    print(json.dumps(what), flush=True)


def repetition(work, profiler, synchronize):
    work.wake_up()
    synchronize()
    cpu_begin = time.process_time()
    profiler.start()
    begin = time.perf_counter()
    work.run()
    synchronize()
    seconds = time.perf_counter() - begin
    return {"seconds": seconds, **profiler.stop(), "cpu_s": time.process_time() - cpu_begin}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", choices=WORK, required=True)
    parser.add_argument("--profiler", choices=PROFILERS, default="none")
    parser.add_argument("--library", help="empty_launch.cu as a shared library, for --work launches")
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true")
    args = parser.parse_args()
    synchronize = torch.cuda.synchronize if args.device == "cuda" else lambda: None
    work, profiler = WORK[args.work](args), PROFILERS[args.profiler]()
    work.run()
    profiler.start()  # a profiler's first start is slow and is not what we measure
    work.wake_up()
    synchronize()
    profiler.stop()
    say(event="ready")
    for _ in sys.stdin:
        say(event="repetition", **repetition(work, profiler, synchronize))


if __name__ == "__main__":
    main()
