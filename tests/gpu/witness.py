# SPDX-License-Identifier: Apache-2.0
"""What a PyTorch program did, seen from inside: its module calls, FLOPs and attention calls."""

import collections
import contextlib

import torch
from torch.nn.modules import module as module_hooks
from torch.overrides import TorchFunctionMode
from torch.utils.flop_counter import FlopCounterMode
from truth import MATRIX_PRODUCTS, NODE_PREFIX, bare, operator_of_op


class Node:
    """A module below the module that called it: the same module below two callers is two nodes."""

    def __init__(self, number, parent, module):
        self.number = number
        self.module = module  # kept alive, so that its id stays its own
        self.class_name = type(module).__name__
        self.is_attention = "Attention" in self.class_name or bool(parent and parent.is_attention)
        self.parent = parent
        self.calls = 0
        self.children = {}  # by id of the module, in the order of their first calls


class ModuleTree:
    """The tree of module calls; each call is a record_function range that a profiler can see."""

    def __init__(self):
        self.nodes = []
        self.roots = {}
        self.open = []  # (node, range) of the calls in progress

    @contextlib.contextmanager
    def watching(self):
        hooks = [
            module_hooks.register_module_forward_pre_hook(self._enter),
            module_hooks.register_module_forward_hook(self._leave, always_call=True),
        ]
        try:
            yield self
        finally:
            for hook in hooks:
                hook.remove()

    @contextlib.contextmanager
    def entering(self, module):
        """For what is no call of the module: another method of it, such as generate() or decode()."""
        self._enter(module, ())
        try:
            yield
        finally:
            self._leave(module, (), None)

    def innermost(self):
        return self.open[-1][0] if self.open else None

    def _enter(self, module, _args):
        parent = self.innermost()
        if parent and parent.module is module:  # a method of it that calls it
            parent = parent.parent
        siblings = parent.children if parent else self.roots
        node = siblings.get(id(module))
        if node is None:
            node = siblings[id(module)] = Node(len(self.nodes), parent, module)
            self.nodes.append(node)
        node.calls += 1
        called = torch.autograd.profiler.record_function(f"{NODE_PREFIX}{node.number}")
        called.__enter__()
        self.open.append((node, called))

    def _leave(self, _module, _args, _output):
        if self.open:
            self.open.pop()[1].__exit__(None, None, None)

    def rows(self, root):
        """One dict per node, parents before children; order: the place in root.named_modules()."""
        order = {id(module): (place, name) for place, (name, module) in enumerate(root.named_modules())}
        return [
            {
                "number": node.number,
                "parent": node.parent.number if node.parent else None,
                "class": node.class_name,
                "order": order.get(id(node.module), (-1, ""))[0],
                "path": order.get(id(node.module), (-1, ""))[1],
                "calls": node.calls,
                "is_attention": node.is_attention,
            }
            for node in self.nodes
        ]


class Calls(TorchFunctionMode):
    """FLOPs by operator and every attention call, of what runs inside `with calls.counting():`.

    FLOPs are those of torch.utils.flop_counter, charged to the operator of the outermost function.
    Attention that is written out has its heads in its batch: (batch * heads, 1, Sq, Sk, D, Dv).
    """

    def __init__(self, tree):
        super().__init__()
        self.tree = tree
        self.counter = FlopCounterMode(display=False)
        self.flops = collections.Counter()
        self.causal_flops = 0  # what a causal mask spares in square attention: half
        self.attention = collections.Counter()
        self.unfused = collections.Counter()
        self.scores_of = {}  # attention module -> shape of its open product QK^T

    @contextlib.contextmanager
    def counting(self):
        with self.tree.watching(), self.counter, self:
            yield self

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        name = bare(getattr(function, "__name__", ""))
        if name == "scaled_dot_product_attention":
            args, kwargs = self._see_attention(*args, **kwargs)
        before = self.counter.get_total_flops()
        result = function(*args, **kwargs)
        flops = self.counter.get_total_flops() - before
        if flops:
            self.flops[self._operator(name, args, result)] += flops
        return result

    def _operator(self, name, args, result):
        operator = operator_of_op(f"aten::{name}")
        if MATRIX_PRODUCTS.fullmatch(name):
            node = self.tree.innermost()
            if node and node.is_attention:
                self._see_product(node, args, result)
                return "attention"
        return operator or "other"

    def _see_attention(self, query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, **kwargs):
        heads, kv_heads = query.shape[-3], key.shape[-3]
        shape = {
            "batch": query.shape[:-3].numel(),
            "heads": heads,
            "kv_heads": kv_heads,
            "seq_q": query.shape[-2],
            "seq_k": key.shape[-2],
            "head_dim": query.shape[-1],
            "head_dim_v": value.shape[-1],
        }
        self.attention[tuple(shape.items())] += 1
        if is_causal and shape["seq_q"] == shape["seq_k"]:
            widths = query.shape[-1] + value.shape[-1]
            self.causal_flops += query.shape[:-1].numel() * key.shape[-2] * widths
        if kwargs.pop("enable_gqa", False) and heads != kv_heads:
            # The same FLOPs; the counter has no formula for fewer heads in K and V.
            key = key.repeat_interleave(heads // kv_heads, dim=-3)
            value = value.repeat_interleave(heads // kv_heads, dim=-3)
        kwargs.update(attn_mask=attn_mask, dropout_p=dropout_p, is_causal=is_causal)
        return (query, key, value), kwargs

    def _see_product(self, node, args, result):
        """Attention written out: of a module's products the first is QK^T, the second PV, and so on."""
        left, right = [arg for arg in args if isinstance(arg, torch.Tensor)][-2:]
        scores = self.scores_of.pop(node, None)
        if scores is None:
            self.scores_of[node] = (tuple(result.shape), left.shape[-1])
            return
        shape, head_dim = scores
        self.unfused[
            tuple(
                {
                    "batch": torch.Size(shape[:-2]).numel(),
                    "heads": 1,
                    "kv_heads": 1,
                    "seq_q": shape[-2],
                    "seq_k": shape[-1],
                    "head_dim": head_dim,
                    "head_dim_v": right.shape[-1],
                }.items()
            )
        ] += 1

    def attention_rows(self):
        """[{shape..., "count", "fused"}]; fused: as one call of scaled_dot_product_attention."""
        return [
            {**dict(shape), "count": count, "fused": fused}
            for calls, fused in ((self.attention, True), (self.unfused, False))
            for shape, count in calls.items()
        ]
