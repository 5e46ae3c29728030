# SPDX-License-Identifier: Apache-2.0
"""Layers of the models that no library has: transformers with text beside them, MaskGIT, decoders."""

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """Of x to itself, or to other tokens of context_size."""

    def __init__(self, size, heads, context_size=None, causal=False):
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.to_q = nn.Linear(size, size, bias=False)
        self.to_kv = nn.Linear(context_size or size, 2 * size, bias=False)
        self.to_out = nn.Linear(size, size, bias=False)

    def _split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, context=None):
        query = self._split(self.to_q(x))
        key, value = map(self._split, self.to_kv(x if context is None else context).chunk(2, dim=-1))
        out = functional.scaled_dot_product_attention(query, key, value, is_causal=self.causal)
        return self.to_out(out.transpose(1, 2).flatten(2))


class CrossAttention(Attention):
    """Of x to text."""


class FeedForward(nn.Sequential):
    def __init__(self, size, inner):
        super().__init__(nn.Linear(size, inner), nn.GELU(), nn.Linear(inner, size))


class TransformerBlock(nn.Module):
    def __init__(self, size, heads, inner, text_size=None, causal=False):
        super().__init__()
        self.norm1 = nn.LayerNorm(size)
        self.attention = Attention(size, heads, causal=causal)
        if text_size:
            self.norm2 = nn.LayerNorm(size)
            self.cross_attention = CrossAttention(size, heads, text_size)
        self.norm3 = nn.LayerNorm(size)
        self.feed_forward = FeedForward(size, inner)

    def forward(self, x, text=None):
        x = x + self.attention(self.norm1(x))
        if text is not None:
            x = x + self.cross_attention(self.norm2(x), text)
        return x + self.feed_forward(self.norm3(x))


class Transformer(nn.Module):
    def __init__(self, size, depth, heads, inner, **more):
        super().__init__()
        self.blocks = nn.ModuleList(TransformerBlock(size, heads, inner, **more) for _ in range(depth))

    def forward(self, x, text=None):
        for block in self.blocks:
            x = block(x, text)
        return x


class SpatialTransformer(Transformer):
    """Over the tokens of one frame."""


class TemporalTransformer(Transformer):
    """Over the frames of one place."""


class MaskGitTransformer(nn.Module):
    """Predicts all masked tokens of an image or video at once, from those that are not and from text."""

    def __init__(self, tokens, vocabulary, size, depth, heads, mlp, text_size, low_tokens=0):
        super().__init__()
        self.mask_id = vocabulary
        self.embedding = nn.Embedding(vocabulary + 1, size)
        self.places = nn.Parameter(torch.zeros(tokens, size))
        self.text_projection = nn.Linear(text_size, size)
        self.low_embedding = nn.Embedding(vocabulary, size) if low_tokens else None
        self.layers = Transformer(size, depth, heads, mlp, text_size=size)
        self.norm = nn.LayerNorm(size)
        self.to_logits = nn.Linear(size, vocabulary, bias=False)

    def forward(self, ids, text, low_ids=None):
        context = self.text_projection(text)
        if low_ids is not None:
            context = torch.cat([context, self.low_embedding(low_ids)], dim=1)
        x = self.embedding(ids) + self.places[: ids.shape[1]]
        return self.to_logits(self.norm(self.layers(x, context)))


class MaskGitSuperRes(MaskGitTransformer):
    """The same over the tokens of a larger image, with those of the small one beside the text."""


def unmask(model, ids, text, steps, guidance, generator, low_ids=None):
    """MaskGIT's loop: all is masked at first; each step keeps what it is surest of, by a cosine's plan."""
    batch, length = ids.shape
    ids = torch.full_like(ids, model.mask_id)
    low_twice = None if low_ids is None else torch.cat([low_ids, low_ids])
    for step in range(steps):
        empty, prompt = model(torch.cat([ids, ids]), text, low_twice).float().chunk(2)
        odds = (empty + guidance * (prompt - empty)).softmax(dim=-1)
        drawn = torch.multinomial(odds.flatten(0, 1), 1, generator=generator).view(batch, length)
        masked = ids == model.mask_id
        sure = odds.gather(-1, drawn[..., None])[..., 0].masked_fill(~masked, 2.0)
        ids = torch.where(masked, drawn, ids)
        fraction = torch.cos(torch.tensor((step + 1) / steps * torch.pi / 2)).item()
        still_masked = int(fraction * length)
        if still_masked and step + 1 < steps:
            least_sure = sure.topk(still_masked, largest=False).indices
            ids = ids.scatter(1, least_sure, model.mask_id)
    return ids


class ViTVQDecoder(nn.Module):
    """Parti's image decoder: from a square of tokens to pixels by a transformer."""

    def __init__(self, vocabulary, code_size, size, depth, heads, mlp, patch=8):
        super().__init__()
        self.patch = patch
        self.codebook = nn.Embedding(vocabulary, code_size)
        self.projection = nn.Linear(code_size, size)
        self.transformer = Transformer(size, depth, heads, mlp)
        self.norm = nn.LayerNorm(size)
        self.to_pixels = nn.Linear(size, 3 * patch * patch)

    def forward(self, ids):
        side = round(ids.shape[1] ** 0.5)
        x = self.to_pixels(self.norm(self.transformer(self.projection(self.codebook(ids)))))
        x = x.view(-1, side, side, 3, self.patch, self.patch)
        return x.permute(0, 3, 1, 4, 2, 5).reshape(-1, 3, side * self.patch, side * self.patch)


class CViViTDecoder(nn.Module):
    """Phenaki's video decoder: causal attention in time, then attention in space.

    The first layer of tokens is one frame; each further one is frames_per_token frames.
    """

    def __init__(self, size, patch, frames_per_token, spatial_depth, temporal_depth, heads, codebook):
        super().__init__()
        self.patch, self.frames_per_token = patch, frames_per_token
        self.codebook = nn.Embedding(codebook, size)
        self.temporal = TemporalTransformer(size, temporal_depth, heads, 4 * size, causal=True)
        self.spatial = SpatialTransformer(size, spatial_depth, heads, 4 * size)
        self.norm = nn.LayerNorm(size)
        self.to_first_frame = nn.Linear(size, 3 * patch * patch)
        self.to_frames = nn.Linear(size, 3 * patch * patch * frames_per_token)

    def _pixels(self, x, frames, side):
        x = x.view(*x.shape[:2], side, side, frames, 3, self.patch, self.patch)
        x = x.permute(0, 1, 4, 5, 2, 6, 3, 7)  # batch, time, frame, colour, row, y, column, x
        return x.reshape(x.shape[0], -1, 3, side * self.patch, side * self.patch)

    def forward(self, ids):
        """ids: (batch, time, side * side); frames as (batch, frames, 3, height, width)"""
        batch, time, places = ids.shape
        side = round(places**0.5)
        x = self.codebook(ids).transpose(1, 2).flatten(0, 1)
        x = self.temporal(x).unflatten(0, (batch, places)).transpose(1, 2).flatten(0, 1)
        x = self.norm(self.spatial(x)).unflatten(0, (batch, time))
        first = self._pixels(self.to_first_frame(x[:, :1]), 1, side)
        rest = self._pixels(self.to_frames(x[:, 1:]), self.frames_per_token, side)
        return torch.cat([first, rest], dim=1)
