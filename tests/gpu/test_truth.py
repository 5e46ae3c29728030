# SPDX-License-Identifier: Apache-2.0
"""truth.py needs no GPU: op chains of six models on an H200, labelled by hand, and a made-up trace."""

import csv
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import truth


def labelled_chains():
    with open(pathlib.Path(__file__).with_name("op_chains.tsv"), newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            yield row["op_chain"].split(">"), row["in_attention"] == "yes", row["operator"]


@pytest.mark.parametrize("chain, in_attention, operator", labelled_chains())
def test_chain_has_the_labelled_operator(chain, in_attention, operator):
    assert truth.operator_of_chain(chain, in_attention) == operator


def event(cat, name, ts, dur, correlation=None, tid=1):
    args = {} if correlation is None else {"correlation": correlation}
    return {"ph": "X", "pid": 1, "tid": tid, "cat": cat, "name": name, "ts": ts, "dur": dur, "args": args}


def made_up_trace():
    return [
        event("user_annotation", truth.NODE_PREFIX + "0", 0, 100),
        event("cpu_op", "aten::conv2d", 1, 50),
        event("cpu_op", "aten::add_", 20, 10),
        event("cuda_runtime", "cudaLaunchKernel", 22, 2, 7),
        event("cuda_driver", "cuLaunchKernel", 22.5, 1, 7),
        event("user_annotation", truth.NODE_PREFIX + "3", 60, 30),
        event("cpu_op", "aten::bmm", 61, 10),
        event("cuda_driver", "cuLaunchKernelEx", 62, 1, 8),
        event("cpu_op", "aten::silu", 75, 10, tid=2),
        event("cuda_runtime", "cudaLaunchKernel", 76, 1, 9, tid=3),
        event("cuda_runtime", "cudaMemcpyAsync", 200, 1, 10),
        event("kernel", "bias", 500, 3.001, 7),
        event("kernel", "product", 510, 4, 8),
        event("kernel", "mystery", 520, 1, 9),
        event("gpu_memcpy", "Memcpy HtoD", 530, 2, 10),
    ]


def test_kernel_belongs_to_what_was_open_on_its_thread():
    bias, product, mystery, copy = truth.activities(made_up_trace())
    assert (bias.chain, bias.node, bias.ns) == (("aten::conv2d", "aten::add_"), 0, 3001)
    assert (product.chain, product.node) == (("aten::bmm",), 3)
    assert (mystery.chain, mystery.node) == ((), None)
    assert (copy.chain, copy.node) == ((), None)


def test_product_is_attention_only_below_an_attention_module():
    listed = list(truth.activities(made_up_trace()))
    assert {o: row["ns"] for o, row in truth.operator_sums(listed, {3}).items()} == {
        "convolution": 3001,
        "attention": 4000,
        "other": 1000,
        "memory": 2000,
    }
    assert truth.operator_sums(listed)["linear"]["kernels"] == 1
