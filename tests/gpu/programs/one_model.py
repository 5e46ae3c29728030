#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs one model of tests/gpu/models.py: a warm-up, then forwards between cudaProfilerStart and Stop.

All forwards are the same work.  With --graph those after the warm-up are replays of a CUDA graph.
"""

import argparse
import contextlib
import fcntl
import pathlib
import sys

import torch

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import models


def parse_arguments(add_more=lambda parser: None):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    models.add_arguments(parser)
    parser.add_argument("--forwards", type=int, default=4, help="of these the first is the warm-up")
    parser.add_argument("--graph", action="store_true", help="replay a CUDA graph")
    parser.add_argument("--turn", metavar="FILE", help="a lock: of all that name it one uses the GPU at a time")
    add_more(parser)
    return parser.parse_args()


class Turn:
    """A lock on a file, from here to leave() or to the end of the process."""

    def __init__(self, path):
        self.file = open(path, "w") if path else None
        if self.file:
            fcntl.flock(self.file, fcntl.LOCK_EX)

    def leave(self):
        if self.file:
            self.file.close()


@contextlib.contextmanager
def cuda_profiler_range(device):
    if device == "cpu":
        yield
        return
    torch.cuda.synchronize()
    torch.cuda.profiler.start()
    yield
    torch.cuda.synchronize()
    torch.cuda.profiler.stop()


def warm_up_for_capture(forward):
    """PyTorch wants this on another stream than the one it captures from."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        forward()
    torch.cuda.current_stream().wait_stream(side)


def captured(forward):
    """A function that replays forward as a graph and returns its output."""
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        output = forward()

    def replay():
        graph.replay()
        return output

    return replay


def perform(args, forward, window):
    """The warm-up, then the other forwards inside the context manager window; the last output."""
    if args.graph and args.device != "cpu":
        warm_up_for_capture(forward)
        forward = captured(forward)
    else:
        output = forward()
    with window:
        for _ in range(args.forwards - 1):
            output = forward()
    return output


def summary(args, output):
    """One line; exits with an error if the output is no good."""
    values = models.tensor_of(output).detach().cpu().double()
    if not torch.isfinite(values).all():
        sys.exit(f"{args.name}: the output has values that are not numbers")
    shape, mean = tuple(values.shape), values.abs().mean()
    return f"{args.name}: {args.forwards} forwards, output {shape}, mean {mean:.3g}"


def main():
    args = parse_arguments()
    turn = Turn(args.turn)
    _, forward = models.prepare(args)
    print(summary(args, perform(args, forward, cuda_profiler_range(args.device))))
    if args.device != "cpu":
        torch.cuda.synchronize()
    turn.leave()


if __name__ == "__main__":
    main()
