# SPDX-License-Identifier: Apache-2.0
"""The comparisons of operators.py and modules.py, on made-up accounts: no GPU, no PyTorch."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import modules
import operators
import ours
from side_by_side import Case


def true_account(**more):
    return {
        "forwards": 2,
        "new_tokens": 0,
        "gpu_ns": 1000,
        "launches": 20,
        "operators": {
            "attention": {"ns": 400, "kernels": 4, "chains": {}},
            "linear": {"ns": 600, "kernels": 16, "chains": {}},
        },
        "kernels": {"gemm": {"linear": [16, 600]}, "flash": {"attention": [4, 400]}},
        "flops": {"linear": 5000, "attention": 1000},
        "causal_flops": 500,
        "attention": [dict(SHAPE, count=4, fused=True)],
        **more,
    }


SHAPE = dict(batch=2, heads=8, kv_heads=8, seq_q=77, seq_k=77, head_dim=64, head_dim_v=64)


class Ours:
    """Stands for ttitrace: by default it agrees with true_account()."""

    def __init__(self, monkeypatch):
        self.operators = {"attention": {"ns": 800, "launches": 4}, "linear": {"ns": 1200, "launches": 16}}
        self.flops = {"linear": 5000, "attention": 1000}
        self.attention = [dict(SHAPE, count=4)]
        self.others = {}
        monkeypatch.setattr(ours, "operators", lambda trace: (self.operators, []))
        monkeypatch.setattr(ours, "operators_by_names", lambda trace: self.operators)
        monkeypatch.setattr(ours, "flops", lambda trace: self.flops)
        monkeypatch.setattr(ours, "attention", lambda trace: (self.attention, self.others))
        monkeypatch.setattr(ours, "seqlen_calls", lambda trace: self.nr_calls())

    def nr_calls(self):
        return sum(row["count"] for row in self.attention) + sum(self.others.values())

    def faults(self, *options, **account):
        case = Case("model", ["model", *options], 2)
        return operators.judge(case, true_account(**account), "trace")["faults"]


@pytest.fixture
def said(monkeypatch):
    return Ours(monkeypatch)


def test_agreement_has_no_faults(said):
    assert said.faults() == []
    result = operators.judge(Case("model", ["model"], 2), true_account(), "trace")
    assert operators.case_lines(Case("model", ["model"], 2), result)[0].startswith("ok ")


def test_half_a_point_is_too_much_and_names_alone_may_be_three_off(said):
    said.operators["linear"]["ns"] += 50
    assert sorted(fault.split()[0] for fault in said.faults()) == ["attention", "linear"]


def test_unknown_time_is_a_fault(said):
    said.operators["unknown"] = {"ns": 5, "launches": 1}
    assert any("unknown" in fault for fault in said.faults())


def test_causal_attention_may_be_halved(said):
    said.flops["attention"] = 500
    assert said.faults() == []
    assert len(said.faults(causal_flops=0)) == 1


def test_every_call_is_counted(said):
    said.attention = [dict(SHAPE, count=3), dict(SHAPE, seq_k=78, count=1)]
    assert len(said.faults()) == 2


def test_calls_that_are_not_exact_are_faults(said):
    said.others = {"unknown": 1}
    assert len(said.faults()) == 1


def test_batched_products_have_heads_in_their_batch(said):
    said.attention = [dict(SHAPE, batch=16, heads=1, kv_heads=1, count=4)]
    assert len(said.faults()) == 2
    assert said.faults("--backend", "math") == []


def test_kernels_charged_elsewhere_are_listed():
    rows = operators.kernel_rows(
        true_account(), [{"name": "gemm", "mangled": "", "operator": "convolution", "time_ns": 10}]
    )
    assert [(row["name"], row["moved_ns"]) for row in rows] == [("gemm", 600)]


def true_rows():
    """UNet(Block(Linear, Linear), Block(Linear)), with a module that launches nothing."""
    fields = ("number", "parent", "class", "ns", "kernels", "copies", "path", "order")
    rows = [
        (0, None, "UNet", 10, 1, 1, "", 0),
        (1, 0, "Block", 0, 0, 0, "blocks.0", 2),
        (2, 1, "Linear", 500, 5, 0, "blocks.0.a", 3),
        (3, 1, "Dropout", 0, 0, 0, "blocks.0.drop", 4),
        (4, 1, "Linear", 300, 3, 0, "blocks.0.b", 5),
        (5, 0, "Block", 0, 0, 0, "blocks.1", 6),
        (6, 5, "Linear", 190, 2, 0, "blocks.1.a", 7),
    ]
    return [dict(zip(fields, row)) for row in rows]


def module(name, ns, launches, *children):
    return ours.module_of(
        {
            "name": name,
            "class": name.partition("[")[0],
            "time_ns": ns,
            "launches": launches,
            "children": children,
        }
    )


def node(name, ns, launches, *children):
    return {"name": name, "time_ns": ns, "launches": launches, "children": children}


def our_rows(last="Linear[0]"):
    """The same tree below a function, with a helper object inside, sorted by time."""
    linears = node("Linear[1]", 600, 3), node("Linear[0]", 1000, 5)
    first_block = node("Block[0]", 1600, 8, node("Processor[0]", 1600, 8, *linears))
    second_block = node("Block[1]", 380, 2, node(last, 380, 2))
    return [module("main", 2000, 12, node("UNet[0]", 2000, 11, second_block, first_block))]


def compared(tree):
    true_top = modules.true_tree(true_rows())
    our_top = modules.model_of(modules.our_tree(tree, {row["class"] for row in true_rows()}), "UNet")
    rows, faults = modules.compare(true_top, our_top)
    return rows, faults + list(modules.row_faults(rows))


def test_same_tree_has_no_faults():
    rows, faults = compared(our_rows())
    assert faults == [] and len(rows) == 6
    assert list(modules.order_faults(modules.true_tree(true_rows()))) == []


def test_missing_and_additional_modules_are_faults():
    faults = compared(our_rows(last="Dropout[0]"))[1]
    assert [fault.split(":")[0] for fault in faults] == ["missing", "no such module"]


def model_of(*tops):
    return modules.model_of(modules.our_tree(tops, {"UNet", "Block"}), "UNet")


def test_model_that_stands_below_itself_is_one():
    blocks = node("UNet[0]", 1980, 10, node("Block[0]", 1600, 8), node("Block[1]", 380, 2))
    (model,) = model_of(module("UNet[0]", 2000, 11, blocks))
    assert (model.ns, [child.ns for child in model.children]) == (2000, [1600, 380])


def test_model_that_is_called_from_two_places_is_one():
    (model,) = model_of(*[module("UNet[0]", 1000, 5, node("Block[0]", 800, 4)) for _ in range(2)])
    assert (model.ns, [child.ns for child in model.children]) == (2000, [1600])


def test_time_and_launches_of_a_module_are_judged():
    rows, _ = compared(our_rows())
    rows[2]["difference"] = 0.02
    rows[4]["launches"] += 1
    assert len(list(modules.row_faults(rows))) == 2


def test_attention_of_a_report(monkeypatch):
    row = dict(b=2, h=8, h_kv=0, s_q=77, s_k=77, d=64, d_v=0, calls=4, backend="flash", role="self")
    rows = [{**row, "exactness": "exact"}, {**row, "exactness": "upper bound"}, {"name": "?", "calls": 3}]
    monkeypatch.setattr(ours, "asked", lambda *words: {"attention": rows})
    exact, others = ours.attention("trace")
    assert exact == [dict(SHAPE, count=4, backend="flash", role="self")]
    assert others == {"upper bound": 4, "without a shape": 3}


@pytest.mark.parametrize(
    "name, phase",
    [
        ("denoising step 3", "denoising step"),
        ("step[3]", "denoising step"),
        ("decode step 3", "decode step"),
        ("VAE decode", "VAE decode"),
        ("text encoding", "text encoding"),
        ("prefill", "prefill"),
    ],
)
def test_phase_names(monkeypatch, name, phase):
    monkeypatch.setattr(ours, "asked", lambda *words: {"phases": [{"name": name}]})
    assert ours.phases("trace") == {phase: 1}
