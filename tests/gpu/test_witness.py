# SPDX-License-Identifier: Apache-2.0
"""witness.py on a CPU: which FLOPs, attention calls and modules it sees."""

import pathlib
import sys

import pytest

torch = pytest.importorskip("torch")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import witness


class WrittenOutAttention(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.to_q = torch.nn.Linear(64, 64)

    def forward(self, x):
        q, k = self.to_q(x), x
        scores = torch.baddbmm(torch.empty(3, 10, 10), q, k.transpose(1, 2), beta=0, alpha=0.1)
        return scores.softmax(-1) @ x


class FusedAttention(torch.nn.Module):
    def forward(self, x):
        q, kv = x.view(3, 10, 8, 8).transpose(1, 2), x.view(3, 10, 8, 8).transpose(1, 2)[:, :2]
        return torch.nn.functional.scaled_dot_product_attention(q, kv, kv, enable_gqa=True)


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.attentions = torch.nn.ModuleList([WrittenOutAttention(), WrittenOutAttention()])
        self.fused = FusedAttention()

    def forward(self, x):
        for attention in self.attentions:
            x = attention(x)
        self.fused(x)
        return x @ torch.eye(64)

    def generate(self, x):
        return self(self(x))


@pytest.fixture
def calls():
    calls = witness.Calls(witness.ModuleTree())
    with torch.inference_mode(), torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH):
        with calls.counting():
            Model()(torch.randn(3, 10, 64))
    return calls


def test_flops_go_to_what_the_product_is_for(calls):
    linear = 2 * 3 * 10 * 64 * 64
    written_out = 2 * 2 * 3 * 10 * 10 * 64
    fused = 2 * 2 * 3 * 8 * 10 * 10 * 8
    assert calls.flops == {"linear": 3 * linear, "attention": 2 * written_out + fused}
    assert sum(calls.flops.values()) == calls.counter.get_total_flops()


def test_attention_calls_have_their_shapes(calls):
    shape = dict(seq_q=10, seq_k=10)
    assert calls.attention_rows() == [
        dict(shape, batch=3, heads=8, kv_heads=2, head_dim=8, head_dim_v=8, count=1, fused=True),
        dict(shape, batch=3, heads=1, kv_heads=1, head_dim=64, head_dim_v=64, count=2, fused=False),
    ]


def test_module_tree_is_that_of_the_calls():
    tree, model = witness.ModuleTree(), Model()
    with tree.watching(), tree.entering(model):
        model.generate(torch.randn(3, 10, 64))
    rows = tree.rows(model)
    assert [(row["path"], row["parent"], row["calls"]) for row in rows] == [
        ("", None, 3),
        ("attentions.0", 0, 2),
        ("attentions.0.to_q", 1, 2),
        ("attentions.1", 0, 2),
        ("attentions.1.to_q", 3, 2),
        ("fused", 0, 2),
    ]
    assert not tree.open
