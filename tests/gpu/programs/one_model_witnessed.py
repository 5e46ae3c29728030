#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""one_model.py once more, with PyTorch's own account of it written to a file as JSON.

torch.profiler watches from the first CUDA call to the last (--scope whole) or only the forwards after
the warm-up (--scope window); one more forward, unwatched, is counted for FLOPs and attention calls.
"""

import collections
import contextlib
import json
import pathlib
import tempfile

import one_model
import torch

import models
import truth
import witness

MAX_CHAINS = 12  # the longest of each operator go into the file


def add_arguments(parser):
    parser.add_argument("--scope", choices=("whole", "window"), default="whole")
    parser.add_argument("--truth", type=pathlib.Path, required=True, metavar="FILE")


def profiler(device):
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device != "cpu":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    return torch.profiler.profile(activities=activities)


def gpu_activities(profile):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profile.export_chrome_trace(file.name)
        return list(truth.activities(truth.events_of(file.name)))


@contextlib.contextmanager
def watching(profile, tree, device):
    with profile, tree.watching():
        yield
        if device != "cpu":
            torch.cuda.synchronize()


def watched(args):
    """(what ran on the GPU, the tree of modules that launched it, how to do one more forward)"""
    tree = witness.ModuleTree()
    profile = profiler(args.device)
    watch = watching(profile, tree, args.device)
    with watch if args.scope == "whole" else contextlib.nullcontext():
        module, forward = models.prepare(args)
        output = one_model.perform(args, forward, watch if args.scope == "window" else contextlib.nullcontext())
        print(one_model.summary(args, output))
    return gpu_activities(profile), tree, forward


def operators(ran, tree):
    attention_nodes = {node.number for node in tree.nodes if node.is_attention}
    sums = truth.operator_sums(ran, attention_nodes)
    for row in sums.values():
        row["chains"] = dict(row["chains"].most_common(MAX_CHAINS))
    return sums


def modules(ran, tree):
    """The rows of the tree, with what was launched in each module itself, not in its children."""
    ns, kernels, others = (collections.Counter() for _ in range(3))
    for activity in ran:
        ns[activity.node] += activity.ns
        (kernels if activity.category == "kernel" else others)[activity.node] += 1
    return [
        {**row, "ns": ns[row["number"]], "kernels": kernels[row["number"]], "copies": others[row["number"]]}
        for row in tree.rows()
    ]


def account(args):
    ran, tree, forward = watched(args)
    calls = witness.Calls(witness.ModuleTree())
    with calls.counting():
        forward()
    nr_forwards = args.forwards - (args.scope == "window")
    return {
        "forwards": nr_forwards,
        "gpu_ns": sum(activity.ns for activity in ran),
        "kernels": sum(activity.category == "kernel" for activity in ran),
        "operators": operators(ran, tree),
        "modules": modules(ran, tree),
        "flops": {operator: flops * nr_forwards for operator, flops in calls.flops.items()},
        "causal_flops": calls.causal_flops * nr_forwards,
        "attention": [{**row, "count": row["count"] * nr_forwards} for row in calls.attention_rows()],
    }


def main():
    args = one_model.parse_arguments(add_arguments)
    one_model.take_turn(args.turn)
    args.truth.write_text(json.dumps(account(args)))


if __name__ == "__main__":
    main()
