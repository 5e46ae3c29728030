# SPDX-License-Identifier: Apache-2.0
"""Which operator asked for each kernel, by PyTorch's own account: a torch.profiler trace.

The op chain of a kernel is every op that was running where it was launched, outermost first.  The
outermost op that is named below decides; where none is, the kernel is elementwise.
"""

import collections
import dataclasses
import json
import pathlib
import re

# Names of ops without "aten::" and without the underscores around.  The first match counts.
OPERATORS = {
    "attention": r"scaled_dot_product_\w+|(flash|efficient|cudnn)_attention_forward"
    r"|native_multi_head_attention",
    "convolution": r"conv(_?transpose)?[123]d|convolution\w*|(cudnn|miopen|slow|thnn|mkldnn)_conv\w*"
    r"|conv_depthwise\w*|conv_(tbc|transpose)\w*",
    "linear": r"linear|addmm|addmm_activation|mm|bmm|baddbmm|addbmm|matmul|einsum|bilinear|mv|addmv|dot"
    r"|scaled_mm\w*|int_mm|grouped_mm|tensordot|inner|chain_matmul",
    "group_norm": r"(native_)?group_norm",
    "layer_norm": r"(native_)?layer_norm|(fused_)?rms_norm",
    "other": r"(native_|cudnn_)?batch_norm\w*|instance_norm",
    "softmax": r"(log_|safe_)?softmax",
    "embedding": r"embedding\w*|index_select|gather|take_along_dim|index|index_put\w*",
    "resample": r"upsample\w*|interpolate|grid_sample\w*|\w*pool[123]d\w*"
    r"|(native_)?(pixel|channel)_(un)?shuffle",
    "sampling": r"multinomial|topk|sort|argsort|searchsorted|bernoulli|normal|uniform|exponential|random"
    r"|rand(n|int|perm)?(_like)?|dropout|native_dropout",
    "reduction": r"sum|nansum|mean|any|all|max|min|amax|amin|aminmax|argmax|argmin|prod|cumsum|cumprod"
    r"|logsumexp|norm|linalg_vector_norm|linalg_norm|var|std|var_mean|std_mean|count_nonzero|median",
    "memory": r"to|to_copy|copy|clone|contiguous|cat|concat\w*|stack|[hvd]stack|fill|zero|zeros|ones|full|empty"
    r"|(zeros|ones|full|empty)_like|new_\w+|pad|(constant|reflection|replication)_pad\w*|roll|flip|arange"
    r"|linspace|reshape|flatten|unflatten|repeat|repeat_interleave|tile|item|local_scalar_dense|masked_fill|eye"
    r"|chunk_cat|pin_memory",
}
MATRIX_PRODUCTS = re.compile(r"mm|bmm|baddbmm|matmul|einsum")
NAMED = {operator: re.compile(words) for operator, words in OPERATORS.items()}
NOTHING_NAMED = "elementwise"
NO_OP = "other"  # launched by no op at all

NODE_PREFIX = "module node "  # record_function ranges of witness.ModuleTree
HOST_CATEGORIES = ("cpu_op", "user_annotation", "cuda_runtime", "cuda_driver")
GPU_CATEGORIES = ("kernel", "gpu_memcpy", "gpu_memset")


def bare(op):
    return op.removeprefix("aten::").strip("_")


def operator_of_op(op):
    """The operator that this op names, or None: then what it calls decides."""
    if op.startswith("aten::"):
        return next((o for o, words in NAMED.items() if words.fullmatch(bare(op))), None)
    return None


def operator_of_chain(chain, in_attention=False):
    """chain: ops, outermost first; in_attention: below a module that is an attention.

    There, products and softmax are attention written out; its linear layers stay linear.
    """
    for op in chain:
        operator = operator_of_op(op)
        if operator is None:
            continue
        if in_attention and (operator == "softmax" or MATRIX_PRODUCTS.fullmatch(bare(op))):
            return "attention"
        return operator
    return NOTHING_NAMED if chain else NO_OP


@dataclasses.dataclass
class Activity:
    """One kernel, copy or fill on the GPU."""

    name: str
    category: str
    ns: int
    chain: tuple  # ops, outermost first
    node: int  # the innermost module it was launched in, by number; None outside of all


def host_chains(events):
    """{correlation: (chain, node)} of the calls into CUDA that were made on the host."""
    by_thread = collections.defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and event.get("cat") in HOST_CATEGORIES:
            by_thread[event["pid"], event["tid"]].append(event)
    chains = {}
    for thread in by_thread.values():
        thread.sort(key=lambda event: (event["ts"], -event["dur"]))
        open_events = []
        for event in thread:
            while open_events and open_events[-1]["ts"] + open_events[-1]["dur"] <= event["ts"]:
                open_events.pop()
            if event["cat"].startswith("cuda_"):
                correlation = event.get("args", {}).get("correlation")
                # A runtime call and the driver call inside it may share the number: the outer one is first.
                chains.setdefault(correlation, chain_and_node(open_events))
            else:
                open_events.append(event)
    return chains


def chain_and_node(open_events):
    chain = tuple(event["name"] for event in open_events if event["cat"] == "cpu_op")
    nodes = [event["name"] for event in open_events if event["name"].startswith(NODE_PREFIX)]
    return chain, int(nodes[-1].removeprefix(NODE_PREFIX)) if nodes else None


def activities(events):
    """What ran on the GPU, of the events of a torch.profiler trace."""
    chains = host_chains(events)
    for event in events:
        if event.get("ph") == "X" and event.get("cat") in GPU_CATEGORIES:
            chain, node = chains.get(event.get("args", {}).get("correlation"), ((), None))
            yield Activity(event["name"], event["cat"], round(event["dur"] * 1000), chain, node)


def events_of(path):
    return json.loads(pathlib.Path(path).read_text())["traceEvents"]


def operator_of(activity, attention_nodes=frozenset()):
    if not activity.chain and activity.category != "kernel":
        return "memory"
    return operator_of_chain(activity.chain, activity.node in attention_nodes)


def operator_sums(activity_list, attention_nodes=frozenset()):
    """{operator: {"ns", "kernels", "chains": {op chain: ns}}}"""
    sums = {}
    for activity in activity_list:
        operator = operator_of(activity, attention_nodes)
        row = sums.setdefault(operator, {"ns": 0, "kernels": 0, "chains": collections.Counter()})
        row["ns"] += activity.ns
        row["kernels"] += activity.category == "kernel"
        row["chains"][">".join(activity.chain)] += activity.ns
    return sums
