#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The diffusion example, from its first CUDA call to its last, bare or inside torch.profiler.

With --kernels FILE the profiler's count and time per kernel name are written to FILE; without it this
is the same work with no profiler.  Further options are those of examples/diffusion/generate.py.
"""

import argparse
import collections
import json
import pathlib
import sys
import tempfile

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "examples/diffusion"))
import generate


def work(argv):
    args = generate.parse_arguments(argv)
    pipeline = generate.build_pipeline(args)
    for _ in range(2):
        images = generate.generate(pipeline, args)
    print(f"checksum {generate.checksum(images):08x}")


def kernels_of(profile):
    """{name: [count, ns]} from the profiler's own trace."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profile.export_chrome_trace(file.name)
        events = json.loads(pathlib.Path(file.name).read_text())["traceEvents"]
    kernels = collections.defaultdict(lambda: [0, 0])
    for event in events:
        if event.get("cat") == "kernel":
            kernels[event["name"]][0] += 1
            kernels[event["name"]][1] += round(event["dur"] * 1000)
    return kernels


def profiled_work(argv):
    on_gpu = torch.cuda.is_available()
    activity = torch.profiler.ProfilerActivity.CUDA if on_gpu else torch.profiler.ProfilerActivity.CPU
    with torch.profiler.profile(activities=[activity]) as profile:
        work(argv)
        if on_gpu:
            torch.cuda.synchronize()
    return kernels_of(profile)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kernels", type=pathlib.Path, metavar="FILE")
    args, argv = parser.parse_known_args()
    if args.kernels:
        args.kernels.write_text(json.dumps(profiled_work(argv)))
    else:
        work(argv)


if __name__ == "__main__":
    main()
