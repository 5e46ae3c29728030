#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Operator shares, FLOPs and attention shapes, against PyTorch's own account of the same work.

For each model and setting one process runs under ttitrace, another inside torch.profiler and
torch.utils.flop_counter.  Shares of GPU time must agree within 0.5 percentage point, FLOPs within
0.1 %, attention calls exactly; at most 0.1 % of the time may be unknown.
"""

import collections
import pathlib
import sys
import tempfile

import ours
from against_profiler import demangle
from common import limit_time, table, write_results
from side_by_side import Case, judged, keep_runs, parse_arguments, runs_of

TIME_LIMIT_S = 290
NR_FORWARDS = 4
NR_SHORT_FORWARDS = 16  # where one takes a few milliseconds: to outweigh making the weights
MAX_SHARE_POINTS = 0.5
MAX_SHARE_POINTS_BY_NAMES = 3.0
MAX_UNKNOWN_SHARE = 0.001
MAX_FLOPS_DIFFERENCE = 0.001
FLOPS_OPERATORS = ("convolution", "linear", "attention")
# A product of matrices looks the same, by its name, wherever it is.
PRODUCTS = ("attention", "linear", "softmax")
NR_KERNELS_SHOWN = 6


def sd15(setting, *options, **more):
    return Case(f"sd15 {setting}".strip(), ["sd15", *options], NR_FORWARDS, **more)


def model(name):
    return Case(name, [name], NR_SHORT_FORWARDS if name in SHORT else NR_FORWARDS)


SHORT = ("clip", "t5", "amused")
CASES = [
    sd15(""),
    sd15("flash", "--backend", "flash"),
    sd15("efficient", "--backend", "efficient"),
    sd15("math", "--backend", "math"),
    sd15("unfused", "--backend", "unfused"),
    model("unet3d"),
    model("vae"),
    model("llama"),
    model("clip"),
    # Its kernels run without PyTorch's knowledge: the truth is the same model without a graph.
    sd15("graph", "--graph", truth_options=["sd15"]),
    sd15("channels-last flash", "--channels-last", "--backend", "flash"),
    sd15("channels-last bf16 unfused", "--channels-last", "--dtype", "bf16", "--backend", "unfused"),
    sd15("cudnn bf16", "--backend", "cudnn", "--dtype", "bf16"),
    sd15("fp32", "--dtype", "fp32"),
    sd15("tf32", "--dtype", "fp32", "--tf32"),
    model("sdxl"),
    model("sd3"),
    model("flux"),
    model("wan"),
    model("amused"),
    model("parti"),
    model("if"),
    model("t5"),
    model("llama_gqa"),
    model("wan_vae"),
    Case("llama unfused", ["llama", "--backend", "unfused"], NR_FORWARDS),
]


def shares(ns_by_operator):
    total = sum(ns_by_operator.values())
    return {operator: ns / total if total else 0.0 for operator, ns in ns_by_operator.items()}


def share_rows(truth, found):
    """A row per operator: its share of GPU time for PyTorch and for ttitrace, the longest first."""
    true_shares = shares({operator: row["ns"] for operator, row in truth["operators"].items()})
    our_shares = shares({operator: row["ns"] for operator, row in found.items()})
    rows = [
        {
            "operator": operator,
            "share": our_shares.get(operator, 0.0),
            "share_profiler": true_shares.get(operator, 0.0),
            "points": 100 * (our_shares.get(operator, 0.0) - true_shares.get(operator, 0.0)),
            "launches": found.get(operator, {}).get("launches", 0),
            "kernels_profiler": truth["operators"].get(operator, {}).get("kernels", 0),
        }
        for operator in {**true_shares, **our_shares}
    ]
    return sorted(rows, key=lambda row: -max(row["share"], row["share_profiler"]))


def share_faults(rows, limit):
    for row in rows:
        if abs(row["points"]) > limit and row["operator"] != "unknown":
            yield f"{row['operator']} is {row['share']:.2%}, torch.profiler {row['share_profiler']:.2%}"


def unknown_faults(rows):
    unknown = next((row["share"] for row in rows if row["operator"] == "unknown"), 0.0)
    if unknown > MAX_UNKNOWN_SHARE:
        yield f"{unknown:.2%} of the GPU time is unknown"


def kernel_rows(truth, kernels):
    """Kernels whose time is charged to other operators than PyTorch charges it to, the worst first."""
    true_ns, our_ns = (collections.defaultdict(collections.Counter) for _ in range(2))
    for name, by_operator in truth["kernels"].items():
        for operator, (_, ns) in by_operator.items():
            true_ns[demangle(name)][operator] += ns
    for kernel in kernels:
        our_ns[demangle(kernel.get("mangled") or kernel["name"])][kernel["operator"]] += kernel["time_ns"]
    rows = []
    for name in set(true_ns) & set(our_ns):
        true_shares, our_shares = shares(true_ns[name]), shares(our_ns[name])
        every = {**true_shares, **our_shares}
        moved = sum(abs(true_shares.get(o, 0) - our_shares.get(o, 0)) for o in every) / 2
        if moved > 0.01:
            ns = sum(true_ns[name].values())
            rows.append({"name": name, "moved_ns": moved * ns, "ours": our_shares, "profiler": true_shares})
    return sorted(rows, key=lambda row: -row["moved_ns"])


def flops_rows(truth, found):
    """Ours against the flop counter, which does not halve causal attention; ours may."""
    rows = []
    for operator in FLOPS_OPERATORS:
        wanted, got = truth["flops"].get(operator, 0), found.get(operator, 0)
        candidates = [wanted]
        if operator == "attention" and truth["causal_flops"]:
            candidates.append(wanted - truth["causal_flops"])
        differences = [got / value - 1 if value else float(got != 0) for value in candidates]
        best = min(differences, key=abs)
        is_halved = len(differences) > 1 and best == differences[1]
        rows.append(
            {
                "operator": operator,
                "flops": got,
                "flops_counter": wanted,
                "difference": best,
                "causal_halved": is_halved,
            }
        )
    return rows


def flops_faults(rows):
    for row in rows:
        if abs(row["difference"]) > MAX_FLOPS_DIFFERENCE:
            yield (
                f"{row['operator']} has {row['flops'] / 1e9:,.3f} GFLOP, the flop counter "
                f"{row['flops_counter'] / 1e9:,.3f} ({row['difference']:+.2%})"
            )


def call_counts(rows, heads_in_batch):
    """{(B, H, Sq, Sk, D, Dv): count}; heads_in_batch: (B * H, 1, ...), as batched products have it."""
    counts = collections.Counter()
    for row in rows:
        batch, heads = row["batch"] or 1, row["heads"] or 1
        key = (batch * heads, 1) if heads_in_batch else (batch, heads)
        widths = (row["head_dim"], row["head_dim_v"])
        counts[(*key, row["seq_q"], row["seq_k"], *widths)] += row["count"]
    return counts


def attention_faults(wanted, got, others):
    for shape in sorted({**wanted, **got}, key=str):
        if wanted[shape] != got[shape]:
            yield f"attention (B, H, Sq, Sk, D, Dv) {shape}: {wanted[shape]} calls, {got[shape]} found"
    for exactness, count in others.items():
        yield f"{count} attention calls are {exactness}"


def judge_attention(truth, trace_dir, heads_in_batch):
    """(faults, notes, counts): every call of the model is there, and nothing else."""
    exact, others = ours.attention(trace_dir)
    wanted, got = (call_counts(rows, heads_in_batch) for rows in (truth["attention"], exact))
    faults = list(attention_faults(wanted, got, others))
    in_report, in_seqlen = sum(got.values()) + sum(others.values()), ours.seqlen_calls(trace_dir)
    if in_report != in_seqlen:
        faults.append(f"`report` has {in_report} attention calls, `seqlen` {in_seqlen}")
    notes = []
    if heads_in_batch and any(row["fused"] for row in truth["attention"]):
        if call_counts(truth["attention"], False) != call_counts(exact, False):
            notes.append("batch and heads are told only as their product")
    true_kv, our_kv = (
        sorted({(row["heads"], row["kv_heads"]) for row in rows}) for rows in (truth["attention"], exact)
    )
    if true_kv != our_kv and not heads_in_batch:
        notes.append(f"(heads, heads of K and V) are {our_kv}, the calls had {true_kv}")
    return faults, notes, {"calls": sum(wanted.values()), "found": sum(got.values()), "shapes": len(wanted)}


def judge_names(truth, trace_dir, are_products_apart):
    """(faults, notes, rows) of a report that may look at kernel names only."""
    try:
        rows = share_rows(truth, ours.operators_by_names(trace_dir))
    except ours.Unavailable as why:
        return [], [f"names only: {why}"], []
    if not are_products_apart:
        products = [row for row in rows if row["operator"] in PRODUCTS]
        rest = [row for row in rows if row["operator"] not in PRODUCTS]
        merged = {key: sum(row[key] for row in products) for key in ("share", "share_profiler")}
        points = 100 * (merged["share"] - merged["share_profiler"])
        rows = [{"operator": " + ".join(PRODUCTS), **merged, "points": points}, *rest]
    return [f"names only: {fault}" for fault in share_faults(rows, MAX_SHARE_POINTS_BY_NAMES)], [], rows


def part(result, name, judge):
    """Adds what judge() finds to result; that ttitrace cannot say it yet is a fault like any other."""
    try:
        faults, notes, result[name] = judge()
    except ours.Unavailable as why:
        faults, notes = [str(why)], []
    except (KeyError, TypeError) as error:
        faults, notes = [f"{name}: what ttitrace says is not as expected: {error!r}"], []
    result["faults"] += faults
    result["notes"] += notes


def judge(case, truth, trace_dir):
    backend = case.option("--backend", "default")
    is_graph = "--graph" in case.options
    heads_in_batch = backend in ("math", "unfused")
    result = {"faults": [], "notes": [], "gpu_ms": truth["gpu_ns"] / 1e6, "launches": truth["launches"]}

    def judge_shares():
        found, kernels = ours.operators(trace_dir)
        rows = share_rows(truth, found)
        result["kernels"] = kernel_rows(truth, kernels)
        # A graph's nodes run closer together than single launches: times differ, a little.
        faults = [] if is_graph else list(share_faults(rows, MAX_SHARE_POINTS))
        return faults + list(unknown_faults(rows)), [], rows

    def judge_flops():
        rows = flops_rows(truth, ours.flops(trace_dir))
        notes = ["FLOPs of causal attention are halved"] if any(row["causal_halved"] for row in rows) else []
        return list(flops_faults(rows)), notes, rows

    part(result, "shares", judge_shares)
    part(result, "flops", judge_flops)
    part(result, "attention", lambda: judge_attention(truth, trace_dir, heads_in_batch))
    if not is_graph:
        part(result, "names_only", lambda: judge_names(truth, trace_dir, not heads_in_batch))
    result["chains"] = {operator: row["chains"] for operator, row in truth["operators"].items()}
    return result


def share_lines(rows):
    cells = [
        (
            row["operator"],
            f"{row['share']:.2%}",
            f"{row['share_profiler']:.2%}",
            f"{row['points']:+.2f}",
            row["launches"],
            row["kernels_profiler"],
        )
        for row in rows
    ]
    return table(("operator", "ttitrace", "torch.profiler", "points", "launches", "its kernels"), cells)


def kernel_lines(rows):
    def words(by_operator):
        return ", ".join(f"{operator} {share:.0%}" for operator, share in by_operator.items())

    for row in rows[:NR_KERNELS_SHOWN]:
        yield f"{row['moved_ns'] / 1e6:.3f} ms: {words(row['ours'])}; torch.profiler: {words(row['profiler'])}"
        yield f"    {row['name'][:150]}"


def summary(result):
    words = []
    if "shares" in result:
        worst = max((abs(row["points"]) for row in result["shares"]), default=0)
        words.append(f"shares within {worst:.2f} points")
    if "flops" in result:
        words.append(f"FLOPs within {max(abs(row['difference']) for row in result['flops']):.3%}")
    if "attention" in result:
        words.append("{found} of {calls} attention calls in {shapes} shapes".format(**result["attention"]))
    if result.get("names_only"):
        worst = max(abs(row["points"]) for row in result["names_only"])
        words.append(f"by names within {worst:.2f} points")
    return ", ".join(words)


def case_lines(case, result):
    """The verdict first; details only of what is wrong."""
    lines = [f"{'FAIL' if result['faults'] else 'ok  '} {case.name}: {summary(result)}"]
    lines += [f"       {line}" for fault in result["faults"] for line in fault.splitlines()]
    lines += [f"       note: {note}" for note in result.get("notes", ())]
    if result["faults"]:
        if result.get("shares"):
            lines += [f"       {line}" for line in share_lines(result["shares"])]
        lines += [f"       {line}" for line in kernel_lines(result.get("kernels", []))]
    return lines


def main():
    args = parse_arguments(__doc__, CASES, TIME_LIMIT_S)
    limit_time(args.limit)
    lines, results = [], {}
    with tempfile.TemporaryDirectory() as scratch:
        scratch = pathlib.Path(scratch)
        runs = runs_of(args, scratch)
        futures = {case.name: runs.start(case) for case in args.cases}
        for case, result in judged(args.cases, futures, judge):
            new_lines = case_lines(case, result)
            print("\n".join(new_lines), flush=True)
            lines += new_lines
            results[case.name] = result
        if not args.again:
            keep_runs("operators.tar", scratch)
    nr_failed = sum(bool(result["faults"]) for result in results.values())
    lines.append(f"{len(results) - nr_failed} of {len(results)} cases are as PyTorch has them")
    print(lines[-1])
    write_results("operators", lines, results)
    sys.exit(nr_failed > 0)


if __name__ == "__main__":
    main()
