#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""one_model.py once more inside torch.profiler, from the first CUDA call to the last, its trace as JSON.

With shapes, stacks and modules, as `export_chrome_trace` writes them (.json or .json.gz).
"""

import argparse
import pathlib

import one_model
import torch

import models


def add_arguments(parser):
    parser.add_argument("--trace", type=pathlib.Path, required=True, metavar="FILE")
    parser.add_argument("--plain", action="store_true", help="neither shapes nor stacks")


def profiler(args):
    activities = [torch.profiler.ProfilerActivity.CPU]
    if args.device != "cpu":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    return torch.profiler.profile(
        activities=activities,
        record_shapes=not args.plain,
        with_stack=not args.plain,
        with_modules=not args.plain,
    )


def import_all(args):
    """What the model imports when it is built and first run is nothing to be watched."""
    tiny = argparse.Namespace(**{**vars(args), "tiny": True, "device": "cpu", "backend": "default"})
    _, forward = models.prepare(tiny)
    forward()


def main():
    args = one_model.parse_arguments(add_arguments)
    import_all(args)
    turn = one_model.Turn(args.turn)
    with profiler(args) as profile:
        _, forward = models.prepare(args)
        print(one_model.summary(args, one_model.perform(args, forward, one_model.cuda_profiler_range("cpu"))))
        if args.device != "cpu":
            torch.cuda.synchronize()
    turn.leave()
    profile.export_chrome_trace(str(args.trace))


if __name__ == "__main__":
    main()
