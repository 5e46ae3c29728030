# SPDX-License-Identifier: Apache-2.0
"""How attention is computed: written out, or by a backend of scaled_dot_product_attention."""

import contextlib
import math

import torch
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

BACKENDS = {
    "flash": SDPBackend.FLASH_ATTENTION,
    "efficient": SDPBackend.EFFICIENT_ATTENTION,
    "cudnn": SDPBackend.CUDNN_ATTENTION,
    "math": SDPBackend.MATH,
}
CHOICES = ("baseline", "sdpa", *BACKENDS)
# What a backend cannot do (masks, heads of 512 in a VAE) the next one does; math can do all.
SUBSTITUTES = (SDPBackend.EFFICIENT_ATTENTION, SDPBackend.MATH)


def attention_written_out(
    query, key, value, attn_mask=None, dropout_p=0.0, is_causal=False, scale=None, enable_gqa=False
):
    """scaled_dot_product_attention as two products of matrices and a softmax between them."""
    if enable_gqa and query.shape[1] != key.shape[1]:
        key, value = (t.repeat_interleave(query.shape[1] // key.shape[1], dim=1) for t in (key, value))
    *outer, queries, _ = query.shape
    keys = key.shape[-2]
    query, key, value = (t.reshape(-1, t.shape[-2], t.shape[-1]) for t in (query, key, value))
    bias = query.new_empty(1, 1, 1)
    if is_causal:
        attn_mask = torch.ones(queries, keys, dtype=torch.bool, device=query.device).tril()
    if attn_mask is not None:
        if attn_mask.dtype == torch.bool:
            attn_mask = torch.zeros_like(attn_mask, dtype=query.dtype).masked_fill_(~attn_mask, -math.inf)
        if attn_mask.dim() > 2:
            attn_mask = attn_mask.expand(*outer, queries, keys)
        bias = attn_mask.reshape(-1, queries, keys)
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    scores = torch.baddbmm(bias, query, key.transpose(1, 2), beta=float(attn_mask is not None), alpha=scale)
    probabilities = scores.softmax(dim=-1)
    del scores
    return torch.bmm(probabilities, value).view(*outer, queries, value.shape[-1])


@contextlib.contextmanager
def chosen(choice, device):
    """All attention in here is computed that way.  A CPU has no backends to choose from."""
    original = functional.scaled_dot_product_attention
    if choice == "baseline":
        functional.scaled_dot_product_attention = attention_written_out
    backends = None
    if choice in BACKENDS and device != "cpu":
        backends = [BACKENDS[choice], *(SUBSTITUTES if choice != "math" else ())]
        backends = list(dict.fromkeys(backends))
    try:
        with sdpa_kernel(backends, set_priority=True) if backends else contextlib.nullcontext():
            yield
    finally:
        functional.scaled_dot_product_attention = original
