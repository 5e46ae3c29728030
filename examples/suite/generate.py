#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Generates an image, a video or a text with one of the suite's models, of real size and random weights.

Nothing is downloaded, and what comes out is noise; the work is what real weights would be.
"""

import argparse
import fcntl
import pathlib
import sys
import time
import zlib

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import workloads
from attention import CHOICES
from parts import DTYPES, Settings

MAX_TINY_STEPS = 3
TINY_SIDE = 64
MAX_TINY_FRAMES = 5


def size_of(text):
    height, _, width = text.partition("x")
    return int(height), int(width or height)


def parse_arguments(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("workload", choices=workloads.NAMES)
    parser.add_argument("--size", type=size_of, metavar="N|HxW", help="pixels")
    parser.add_argument("--steps", type=int, help="of denoising; tokens to generate")
    parser.add_argument("--frames", type=int, help="of a video")
    parser.add_argument("--tokens", type=int, help="of the prompt")
    parser.add_argument("--guidance", type=float)
    parser.add_argument("--batch", type=int)
    parser.add_argument("--layers", type=int, help="of the model that is called in each step; default: all")
    parser.add_argument("--dtype", choices=DTYPES)
    parser.add_argument("--attention", choices=CHOICES, help="baseline: written out; default sdpa")
    parser.add_argument("--compile", action="store_true", help="torch.compile what is called in each step")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--weights", metavar="REPO", help="real weights: a repository, or a folder like one")
    parser.add_argument("--prompt", help="with real weights")
    parser.add_argument("--seed", type=int)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="toy models, to try the program out")
    parser.add_argument("--repeat", type=int, default=1, help="generations; all but the last are warm-ups")
    parser.add_argument(
        "--turn", metavar="FILE", help="a lock: of all that name it one uses the GPU at a time"
    )
    args = parser.parse_args(argv)
    workload = workloads.workload(args.workload)
    fields = {name for name in Settings.__dataclass_fields__ if getattr(args, name, None) is not None}
    given = {name: getattr(args, name) for name in fields}
    for name in ("size", "steps", "frames", "tokens", "guidance"):
        if name in given and name not in workload.DEFAULTS:
            parser.error(f"{args.workload} has no --{name}")
    if args.device == "cpu":
        given.setdefault("dtype", "fp32")
    settings = Settings(**{**workload.DEFAULTS, **given})
    return args, workload, made_tiny(settings) if args.tiny else settings


def made_tiny(settings):
    settings.steps = min(settings.steps, MAX_TINY_STEPS)
    if settings.size:
        settings.size = (TINY_SIDE, TINY_SIDE)
    if settings.frames:
        settings.frames = min(settings.frames, MAX_TINY_FRAMES)
    return settings


def take_turn(path):
    """The lock lasts to the end of the process."""
    if path:
        file = open(path, "w")  # noqa: SIM115
        fcntl.flock(file, fcntl.LOCK_EX)
        return file
    return None


def synchronize(settings):
    if settings.device != "cpu":
        torch.cuda.synchronize()


def summary(name, output):
    """One line; exits with an error if there are values that are no numbers."""
    values = output.detach().cpu()
    if values.is_floating_point():
        if not values.isfinite().all():
            sys.exit(f"{name}: the output has values that are not numbers")
        values = values.float()
    crc = zlib.crc32(values.numpy().tobytes())
    mean, deviation = values.double().mean(), values.double().std()
    what = f"mean {mean:.4g}, deviation {deviation:.3g}, checksum {crc:08x}"
    return f"{name}: output {tuple(values.shape)}, {what}"


def main(argv=None):
    args, workload, settings = parse_arguments(argv)
    generation = workload(settings)
    turn = take_turn(args.turn)
    begin = time.monotonic()
    torch.manual_seed(settings.seed)
    generation.build.place()
    synchronize(settings)
    print(f"models made in {time.monotonic() - begin:.2f} s", file=sys.stderr)
    for _ in range(args.repeat):
        begin = time.monotonic()
        output = generation.run()
        synchronize(settings)
        print(f"generated in {time.monotonic() - begin:.3f} s", file=sys.stderr)
    print(summary(args.workload, output))
    if turn:
        turn.close()


if __name__ == "__main__":
    main()
