#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Where in the model: the module tree, GPU time of each module, steps, against PyTorch's own account.

For each model one process runs under ttitrace, another inside torch.profiler with a range around every
module call.  The trees must be the same, instances numbered as in named_modules(), with the same
launches in each module and its share of GPU time within 1 % of the profiler's; every step is found.
"""

import dataclasses
import itertools
import pathlib
import sys
import tempfile

import ours
from common import ROOT, limit_time, python, recorded, run, table, write_results
from side_by_side import (
    OFFLINE,
    TIMEOUT_S,
    Case,
    Failed,
    judged,
    keep_runs,
    must_succeed,
    parse_arguments,
    runs_of,
)

TIME_LIMIT_S = 290
NR_FORWARDS = 7
NR_ROUNDS = 2  # each side's times are the means of so many processes
MIN_SHARE = 0.01  # modules below this are judged by their launches alone
MAX_TIME_DIFFERENCE = 0.01
MAX_FAULTS_SHOWN = 12
NR_ROWS_SHOWN = 15

CASES = [Case(name, [name], NR_FORWARDS) for name in ("sd15", "unet3d", "sd3", "llama")]
PIPELINE = "diffusion pipeline"  # examples/diffusion/generate.py, for its phases
PIPELINE_STEPS = 9


@dataclasses.dataclass
class Node:
    """A module of one side, its sums with those of its children."""

    class_name: str
    children: list
    ns: int = 0
    launches: int = 0
    copies: int = 0  # known to the truth alone: whether they are in launches is ttitrace's choice
    path: str = ""  # in named_modules()
    order: int = -1


def true_tree(rows):
    """Top nodes of PyTorch's account, without modules that launched nothing."""
    nodes = {}
    for row in rows:
        nodes[row["number"]] = Node(
            row["class"], [], row["ns"], row["kernels"], row["copies"], row["path"], row["order"]
        )
    for row in reversed(rows):  # children come after their parents
        node, parent = nodes[row["number"]], nodes.get(row["parent"])
        if parent:
            parent.ns += node.ns
            parent.launches += node.launches
            parent.copies += node.copies
    for row in rows:
        node = nodes[row["number"]]
        if row["parent"] is not None and node.launches + node.copies:
            nodes[row["parent"]].children.append(node)
    return [nodes[row["number"]] for row in rows if row["parent"] is None]


def our_tree(modules, classes):
    """Top nodes of ttitrace's tree: only modules; what stands between them is left out."""
    nodes = []
    for module in sorted(modules, key=lambda module: module.place or 0):
        below = our_tree(module.children, classes)
        if module.class_name in classes:
            nodes.append(Node(module.class_name, below, module.ns, module.launches))
        else:
            nodes += below
    return nodes


def numbered(nodes):
    """{"Class[i]": node}: instances of a class below one parent are numbered in their order."""
    counters, names = {}, {}
    for node in nodes:
        number = next(counters.setdefault(node.class_name, itertools.count()))
        names[f"{node.class_name}[{number}]"] = node
    return names


def merged(nodes):
    """One node of several that are the same module, called from several places."""
    whole = Node(nodes[0].class_name, [], sum(n.ns for n in nodes), sum(n.launches for n in nodes))
    by_name = {}
    for node in nodes:
        for name, child in numbered(node.children).items():
            by_name.setdefault(name, []).append(child)
    whole.children = [merged(same) if len(same) > 1 else same[0] for same in by_name.values()]
    return whole


def model_of(nodes, wanted):
    """Ours, cut to where the model begins, as one node.

    A wrapper may stand above it; it may stand below itself, as generate() calls the model.
    """
    while nodes and not any(node.class_name == wanted for node in nodes):
        nodes = [child for node in nodes for child in node.children]
    tops = [node for node in nodes if node.class_name == wanted]
    for top in tops:
        again = [child for child in top.children if child.class_name == wanted]
        top.children = [child for child in top.children if child.class_name != wanted]
        top.children += [child for node in again for child in node.children]
    return [merged(tops)] if tops else []


def pairs_of(true_nodes, our_nodes, path=()):
    """(path, true node or None, our node or None) of the whole tree."""
    true_names, our_names = numbered(true_nodes), numbered(our_nodes)
    for name in {**true_names, **our_names}:
        true_node, our_node = true_names.get(name), our_names.get(name)
        yield (*path, name), true_node, our_node
        if true_node and our_node:
            yield from pairs_of(true_node.children, our_node.children, (*path, name))


def order_faults(true_nodes, path=()):
    """Instances of a class below one parent that are not called in the order of named_modules()."""
    latest = {}
    for node in true_nodes:
        if node.order >= 0 and node.order < latest.get(node.class_name, -1):
            yield f"{node.path} is called out of the order of named_modules()"
        latest[node.class_name] = node.order
        yield from order_faults(node.children)


def compare(true_top, our_top):
    """(rows of modules that both have, faults)"""
    rows, faults = [], []
    true_total, our_total = (sum(node.ns for node in top) or 1 for top in (true_top, our_top))
    for path, true_node, our_node in pairs_of(true_top, our_top):
        name = " / ".join(path)
        if not our_node:
            faults.append(f"missing: {name} ({true_node.path}), {true_node.launches} launches")
        elif not true_node:
            faults.append(f"no such module: {name}, {our_node.launches} launches")
        else:
            rows.append(module_row(name, true_node, our_node, true_total, our_total))
    return rows, faults


def module_row(name, true_node, our_node, true_total, our_total):
    share, true_share = our_node.ns / our_total, true_node.ns / true_total
    return {
        "module": name,
        "path": true_node.path,
        "ns": our_node.ns,
        "ns_profiler": true_node.ns,
        "share_profiler": true_share,
        "difference": share / true_share - 1 if true_share else float(share > 0),
        "launches": our_node.launches,
        "launches_profiler": [true_node.launches, true_node.launches + true_node.copies],
    }


def row_faults(rows):
    for row in rows:
        kernels, with_copies = row["launches_profiler"]
        if not kernels <= row["launches"] <= with_copies:
            yield (
                f"{row['launches']} launches, torch.profiler {kernels}, {with_copies} with copies: "
                f"{row['module']}"
            )
        elif row["share_profiler"] >= MIN_SHARE and abs(row["difference"]) > MAX_TIME_DIFFERENCE:
            yield f"time differs by {row['difference']:+.2%}: {row['module']}"


def mean_rows(rounds):
    """One list of rows of several: times are means, all else is that of the first."""
    by_name = [{row["module"]: row for row in rows} for rows in rounds]
    for row in rounds[0]:
        same = [names[row["module"]] for names in by_name if row["module"] in names]
        mean = {key: sum(r[key] for r in same) / len(same) for key in ("ns", "ns_profiler", "difference")}
        yield {**row, **mean}


def phase_faults(found, wanted):
    for phase, count in wanted.items():
        if found.get(phase, 0) != count:
            yield f"{phase}: {count} done, {found.get(phase, 0)} found; all found: {dict(found)}"


def wanted_phases(truth):
    """A generation is one prefill, then a decode step per further token; else each forward is a step."""
    if truth["new_tokens"]:
        return {"prefill": truth["forwards"], "decode step": truth["forwards"] * (truth["new_tokens"] - 1)}
    return {"denoising step": truth["forwards"]}


def judge_tree(truth, trace_dir):
    true_top = true_tree(truth["modules"])
    classes = {row["class"] for row in truth["modules"]}
    our_top = model_of(our_tree(ours.module_tree(trace_dir), classes), true_top[0].class_name)
    rows, faults = compare(true_top, our_top)
    return rows, faults, list(order_faults(true_top))


def judge(case, truth, trace_dir):
    """Of one round; the rows are judged when all rounds are there."""
    result = {"faults": [], "notes": [], "rows": []}
    try:
        result["rows"], result["faults"], result["notes"] = judge_tree(truth, trace_dir)
    except ours.Unavailable as why:
        result["faults"].append(str(why))
    try:
        result["phases"] = ours.phases(trace_dir)
        result["faults"] += phase_faults(result["phases"], wanted_phases(truth))
    except ours.Unavailable as why:
        result["faults"].append(str(why))
    return result


def of_all_rounds(rounds):
    result = dict(rounds[0], faults=list(dict.fromkeys(fault for r in rounds for fault in r["faults"])))
    if all(r.get("rows") for r in rounds):
        result["rows"] = list(mean_rows([r["rows"] for r in rounds]))
        result["faults"] += row_faults(result["rows"])
    return result


def record_pipeline(trace_dir, args):
    trace_dir.mkdir()
    options = ["--steps", PIPELINE_STEPS, "--device", args.device, *(["--tiny"] if args.tiny else [])]
    program = python(ROOT / "examples/diffusion/generate.py", *options)
    command = recorded(program, trace_dir, *ours.RECORD_OPTIONS)
    must_succeed("under ttitrace", run(command, TIMEOUT_S, OFFLINE))


def judge_pipeline(trace_dir, args):
    """Text encoding, steps and VAE decode of the diffusers pipeline are found."""
    try:
        if not args.again:
            record_pipeline(trace_dir, args)
        found = ours.phases(trace_dir)
    except (Failed, ours.Unavailable) as why:
        return {"faults": [str(why)]}
    # The prompt and the negative prompt are encoded apart, one right after the other: one phase or two.
    encodings = found.get("text encoding", 0)
    faults = list(phase_faults(found, {"denoising step": PIPELINE_STEPS, "VAE decode": 1}))
    if encodings not in (1, 2):
        faults.append(f"text encoding: 2 done, {encodings} found; all found: {dict(found)}")
    return {"faults": faults, "phases": found}


def module_lines(rows):
    shown = sorted(rows, key=lambda row: -row["ns_profiler"])[:NR_ROWS_SHOWN]
    cells = [
        (
            row["module"][-90:],
            f"{row['ns'] / 1e6:.3f}",
            f"{row['ns_profiler'] / 1e6:.3f}",
            f"{row['difference']:+.2%}",
            row["launches"],
            row["launches_profiler"][0],
        )
        for row in shown
    ]
    return table(("module", "ms", "torch.profiler", "share differs", "launches", "torch.profiler"), cells)


def case_lines(name, result):
    rows, faults = result.get("rows") or [], result["faults"]
    large = [abs(row["difference"]) for row in rows if row["share_profiler"] >= MIN_SHARE]
    words = []
    if rows:
        words = [f"{len(rows)} modules agree in place", f"shares within {max(large, default=0):.2%}"]
    words += [f"{count} x {phase}" for phase, count in result.get("phases", {}).items()][:8]
    lines = [f"{'FAIL' if faults else 'ok  '} {name}: {', '.join(words)}"]
    lines += [f"       {line}" for fault in faults[:MAX_FAULTS_SHOWN] for line in fault.splitlines()]
    if len(faults) > MAX_FAULTS_SHOWN:
        lines.append(f"       and {len(faults) - MAX_FAULTS_SHOWN} more")
    lines += [f"       note: {note}" for note in result.get("notes", ())[:MAX_FAULTS_SHOWN]]
    return lines + ([f"       {line}" for line in module_lines(rows)] if faults and rows else [])


def main():
    args = parse_arguments(__doc__, [*CASES, Case(PIPELINE, [], NR_FORWARDS)], TIME_LIMIT_S)
    cases = [case for case in args.cases if case.name != PIPELINE]
    limit_time(args.limit)
    results = {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        runs = runs_of(args, scratch)
        futures = [{case.name: runs.start(case, number) for case in cases} for number in range(NR_ROUNDS)]
        rounds = [dict_by_name(judged(cases, of_round, judge)) for of_round in futures]
        for case in cases:
            results[case.name] = of_all_rounds([by_name[case.name] for by_name in rounds])
        if len(cases) < len(args.cases):  # by itself: it takes no turns
            results[PIPELINE] = judge_pipeline(scratch / "pipeline", args)
        if not args.again:
            keep_runs("modules.tar", scratch)
    lines = [line for name, result in results.items() for line in case_lines(name, result)]
    nr_failed = sum(bool(result["faults"]) for result in results.values())
    lines.append(f"{len(results) - nr_failed} of {len(results)} cases are as PyTorch has them")
    print("\n".join(lines))
    write_results("modules", lines, results)
    sys.exit(nr_failed > 0)


def dict_by_name(case_results):
    return {case.name: result for case, result in case_results}


if __name__ == "__main__":
    main()
