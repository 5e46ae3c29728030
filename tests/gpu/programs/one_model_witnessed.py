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


def synchronize(device):
    if device != "cpu":
        torch.cuda.synchronize()


@contextlib.contextmanager
def watching(profile, tree, device):
    with profile, tree.watching():
        yield
        synchronize(device)


def profiler(device):
    activities = [torch.profiler.ProfilerActivity.CPU]
    if device != "cpu":
        activities.append(torch.profiler.ProfilerActivity.CUDA)
    return torch.profiler.profile(activities=activities)


def run_watched(args, profile, tree):
    """The same work as one_model.py; (the model, how to do one more forward)."""
    watch = watching(profile, tree, args.device)
    nothing = contextlib.nullcontext()
    with watch if args.scope == "whole" else nothing:
        module, plain_forward = models.prepare(args)

        def forward():
            with tree.entering(module):
                return plain_forward()

        output = one_model.perform(args, forward, watch if args.scope == "window" else nothing)
        print(one_model.summary(args, output))
    return module, plain_forward


def counted(forward):
    calls = witness.Calls(witness.ModuleTree())
    with calls.counting():
        forward()
    return calls


def gpu_activities(profile):
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        profile.export_chrome_trace(file.name)
        return list(truth.activities(truth.events_of(file.name)))


def operators(ran, attention_nodes):
    sums = truth.operator_sums(ran, attention_nodes)
    for row in sums.values():
        row["chains"] = dict(row["chains"].most_common(MAX_CHAINS))
    return sums


def kernels(ran, attention_nodes):
    """{name: {operator: [count, ns]}}"""
    names = {}
    for activity in ran:
        of_name = names.setdefault(activity.name, {})
        row = of_name.setdefault(truth.operator_of(activity, attention_nodes), [0, 0])
        row[0] += 1
        row[1] += activity.ns
    return names


def modules(ran, rows):
    """The rows of the module tree, with what was launched in each itself, not in its children."""
    ns, launched, others = (collections.Counter() for _ in range(3))
    for activity in ran:
        ns[activity.node] += activity.ns
        (launched if activity.category == "kernel" else others)[activity.node] += 1
    return [
        {**row, "ns": ns[row["number"]], "kernels": launched[row["number"]], "copies": others[row["number"]]}
        for row in rows
    ]


def account(args):
    turn = one_model.Turn(args.turn)
    tree, profile = witness.ModuleTree(), profiler(args.device)
    module, forward = run_watched(args, profile, tree)
    calls = counted(forward)
    synchronize(args.device)
    turn.leave()
    ran = gpu_activities(profile)
    attention_nodes = {node.number for node in tree.nodes if node.is_attention}
    nr_forwards = args.forwards - (args.scope == "window")
    return {
        "forwards": nr_forwards,
        "new_tokens": models.MODELS[args.name].new_tokens,
        "gpu_ns": sum(activity.ns for activity in ran),
        "launches": sum(activity.category == "kernel" for activity in ran),
        "operators": operators(ran, attention_nodes),
        "kernels": kernels(ran, attention_nodes),
        "modules": modules(ran, tree.rows(module)),
        "flops": {operator: flops * nr_forwards for operator, flops in calls.flops.items()},
        "causal_flops": calls.causal_flops * nr_forwards,
        "attention": [{**row, "count": row["count"] * nr_forwards} for row in calls.attention_rows()],
    }


def main():
    args = one_model.parse_arguments(add_arguments)
    args.truth.write_text(json.dumps(account(args)))


if __name__ == "__main__":
    main()
