# SPDX-License-Identifier: Apache-2.0
"""What ttitrace says about a trace, in the terms of the proofs.  All they know of its JSON is here."""

import collections
import dataclasses
import json
import os
import re
import shlex

from common import TTITRACE, run

# How a report is cut to what lies between cudaProfilerStart and Stop.  While empty, both sides look at
# the whole process; with ("--window", "profiler") both look at the measured forwards.
WINDOW_OPTIONS = ()
# How a report is made to forget all but the names of kernels.
NAMES_ONLY_OPTIONS = ("--evidence", "names")

REPORT_TIMEOUT_S = 60

# More options for `ttitrace record`, and for each command that judges: such as --symbols FILE where that
# is done on another machine.
RECORD_OPTIONS = shlex.split(os.environ.get("RECORD_OPTIONS", ""))
ANALYSIS_OPTIONS = shlex.split(os.environ.get("ANALYSIS_OPTIONS", ""))

SHAPE = {
    "batch": "b",
    "heads": "h",
    "kv_heads": "h_kv",
    "seq_q": "s_q",
    "seq_k": "s_k",
    "head_dim": "d",
    "head_dim_v": "d_v",
}

# What phases are called, and what steps are they.
PHASES = {
    "denoising step": re.compile(r"denois|^(?!.*decode).*\bstep\b", re.IGNORECASE),
    "text encoding": re.compile(r"text|encod|prompt", re.IGNORECASE),
    "VAE decode": re.compile(r"vae|image decod|AutoencoderKL", re.IGNORECASE),
    "prefill": re.compile(r"prefill", re.IGNORECASE),
    "decode step": re.compile(r"^(?!.*(vae|image|auto)).*decode", re.IGNORECASE),
}


class Unavailable(Exception):
    """This ttitrace cannot say that; says why."""


def asked(trace_dir, command, *options):
    all_options = ["--json", *options, *WINDOW_OPTIONS, *ANALYSIS_OPTIONS]
    finished = run([TTITRACE, command, *all_options, trace_dir], REPORT_TIMEOUT_S)
    words = " ".join(map(str, (command, *options)))
    why = f"`ttitrace {words}`: exit code {finished.code}, {finished.stderr.strip()[:300]}"
    try:
        answer = json.loads(finished.stdout)
    except ValueError:
        raise Unavailable(f"no JSON of {why}") from None
    if finished.code not in (0, 1):  # 1: the trace is damaged, and reported as far as it goes
        raise Unavailable(why)
    return answer


def rows_of(answer, *keys):
    """The first list that answer has below one of the keys."""
    for key in keys:
        if isinstance(answer.get(key), list):
            return answer[key]
    raise Unavailable(f"the JSON has none of the lists {', '.join(keys)}; it has {', '.join(answer)}")


def operators(trace_dir, *options):
    """({operator: {"ns", "launches"}}, [kernel rows]), longest first."""
    answer = asked(trace_dir, "report", *options)
    sums = {
        row["name"]: {"ns": row["time_ns"], "launches": row["launches"]} for row in rows_of(answer, "operators")
    }
    return sums, answer.get("kernels", [])


def operators_by_names(trace_dir):
    return operators(trace_dir, *NAMES_ONLY_OPTIONS)[0]


def flops(trace_dir):
    """{operator: FLOPs}"""
    rows = rows_of(asked(trace_dir, "roofline", "--by", "operator"), "rows", "operators")
    return {row["name"]: row["flops"] or 0 for row in rows if "flops" in row}


def attention(trace_dir):
    """([{shape, "count"}] of the calls that are known exactly, how many others there are by exactness)"""
    exact, others = [], collections.Counter()
    for call in rows_of(asked(trace_dir, "report"), "attention"):
        count = call["calls"]
        if not count:  # a kernel that is part of other rows' calls
            continue
        exactness = call.get("exactness", "without a shape")
        if exactness != "exact":
            others[exactness] += count
            continue
        row = {key: call[short] for key, short in SHAPE.items()}
        row["kv_heads"] = row["kv_heads"] or row["heads"]
        row["head_dim_v"] = row["head_dim_v"] or row["head_dim"]
        exact.append({**row, "count": count, "backend": call["backend"], "role": call["role"]})
    return exact, others


def seqlen_calls(trace_dir):
    """How many attention calls `ttitrace seqlen` has."""
    return sum(row["calls"] for row in rows_of(asked(trace_dir, "seqlen"), "distribution"))


@dataclasses.dataclass
class Module:
    """A node of the module tree; ns and launches include those of its children."""

    class_name: str
    place: int  # among the instances of its class below the same parent; None if not said
    ns: int
    launches: int
    children: list


def module_tree(trace_dir):
    """The top nodes.  Nodes may be functions and helper objects too, with modules below them."""
    answer = asked(trace_dir, "report", "--by", "module")
    return [module_of(node) for node in rows_of(answer, "modules", "tree", "by")]


def module_of(node):
    place = re.search(r"\[(\d+)\]$", node.get("name") or "")
    class_name = node.get("class") or re.sub(r"\[\d+\]$", "", node.get("name") or "")
    return Module(
        class_name.rpartition(".")[2],
        int(place.group(1)) if place else None,
        node["time_ns"],
        node["launches"],
        [module_of(child) for child in node.get("children", ())],
    )


def phases(trace_dir):
    """{a key of PHASES or the phase's own name: how many}"""
    found = collections.Counter()
    for row in rows_of(asked(trace_dir, "report", "--by", "phase"), "phases", "by"):
        name = str(row.get("kind") or row.get("name"))
        known = next((phase for phase, words in PHASES.items() if words.search(name)), name)
        found[known] += row.get("count", 1)
    return found
