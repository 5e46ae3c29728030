# SPDX-License-Identifier: Apache-2.0
"""Imagen's UNets over pixels: text and image are keys and values of the same attention."""

import math

import torch
from torch import nn
from torch.nn import functional

TEXT_SIZE = 2048  # inside the UNet; an assumption


class ResBlock(nn.Module):
    def __init__(self, inner, outer, time_size):
        super().__init__()
        self.norm1 = nn.GroupNorm(32, inner)
        self.conv1 = nn.Conv2d(inner, outer, 3, padding=1)
        self.time = nn.Linear(time_size, 2 * outer)
        self.norm2 = nn.GroupNorm(32, outer)
        self.conv2 = nn.Conv2d(outer, outer, 3, padding=1)
        self.skip = nn.Conv2d(inner, outer, 1) if inner != outer else nn.Identity()

    def forward(self, x, time):
        h = self.conv1(functional.silu(self.norm1(x)))
        scale, shift = self.time(functional.silu(time))[:, :, None, None].chunk(2, dim=1)
        h = self.norm2(h) * (1 + scale) + shift
        return self.skip(x) + self.conv2(functional.silu(h))


class AttentionBlock(nn.Module):
    def __init__(self, channels, head_size, text_size):
        super().__init__()
        self.heads = channels // head_size
        self.norm = nn.GroupNorm(32, channels)
        self.to_qkv = nn.Linear(channels, 3 * channels)
        self.text_to_kv = nn.Linear(text_size, 2 * channels)
        self.to_out = nn.Linear(channels, channels)

    def _split(self, x):
        return x.unflatten(-1, (self.heads, -1)).transpose(1, 2)

    def forward(self, x, text):
        tokens = self.norm(x).flatten(2).transpose(1, 2)
        query, key, value = self.to_qkv(tokens).chunk(3, dim=-1)
        text_key, text_value = self.text_to_kv(text).chunk(2, dim=-1)
        key, value = torch.cat([text_key, key], dim=1), torch.cat([text_value, value], dim=1)
        out = functional.scaled_dot_product_attention(*map(self._split, (query, key, value)))
        out = self.to_out(out.transpose(1, 2).flatten(2))
        return x + out.transpose(1, 2).view_as(x)


class Level(nn.Module):
    """Blocks of one resolution, each with attention if the level has it."""

    def __init__(self, inputs, outer, time_size, attention):
        super().__init__()
        self.blocks = nn.ModuleList(ResBlock(inner, outer, time_size) for inner in inputs)
        self.attentions = nn.ModuleList(AttentionBlock(outer, *attention) for _ in inputs if attention)

    def forward(self, x, time, text, skips=None):
        """What each block makes, in order; skips: a list that blocks on the way up take theirs from."""
        made = []
        for i, block in enumerate(self.blocks):
            x = block(x if skips is None else torch.cat([x, skips.pop()], dim=1), time)
            if self.attentions:
                x = self.attentions[i](x, text)
            made.append(x)
        return made


class ImagenUNet(nn.Module):
    """conditioned: a small image, enlarged, stands beside the noisy one."""

    def __init__(
        self, channels, multipliers, blocks, attention_sides, side, head_size, text_size, conditioned=False
    ):
        super().__init__()
        widths = [channels * multiplier for multiplier in multipliers]
        sides = [side >> i for i in range(len(widths))]
        attentions = [(head_size, TEXT_SIZE) if s in attention_sides else None for s in sides]
        time_size = 4 * channels
        self.channels = channels
        self.first = nn.Conv2d(6 if conditioned else 3, channels, 3, padding=1)
        self.time = nn.Sequential(nn.Linear(channels, time_size), nn.SiLU(), nn.Linear(time_size, time_size))
        self.text = nn.Linear(text_size, TEXT_SIZE)
        self.text_norm = nn.LayerNorm(TEXT_SIZE)
        self.pooled_text = nn.Linear(TEXT_SIZE, time_size)
        self.down, self.smaller, self.up, self.larger = (nn.ModuleList() for _ in range(4))
        before = channels
        for i, width in enumerate(widths):
            inputs = [before if j == 0 else width for j in range(blocks[i])]
            self.down.append(Level(inputs, width, time_size, attentions[i]))
            if i + 1 < len(widths):
                self.smaller.append(nn.Conv2d(width, width, 3, stride=2, padding=1))
            before = width
        self.middle1 = ResBlock(before, before, time_size)
        self.middle_attention = AttentionBlock(before, head_size, TEXT_SIZE)
        self.middle2 = ResBlock(before, before, time_size)
        for i in reversed(range(len(widths))):
            width = widths[i]
            inputs = [(before if j == 0 else width) + width for j in range(blocks[i])]
            self.up.append(Level(inputs, width, time_size, attentions[i]))
            if i:
                self.larger.append(nn.Conv2d(width, width, 3, padding=1))
            before = width
        self.last_norm = nn.GroupNorm(32, before)
        self.last = nn.Conv2d(before, 3, 3, padding=1)

    def _time_embedding(self, timestep, like):
        half = self.channels // 2
        steps = torch.arange(half, device=like.device, dtype=torch.float32)
        angles = timestep.float() * torch.exp(-math.log(10000) * steps / half)
        waves = torch.cat([angles.sin(), angles.cos()]).to(like.dtype)
        return self.time(waves[None])

    def forward(self, x, timestep, text):
        text = self.text_norm(self.text(text))
        time = self._time_embedding(timestep, x) + self.pooled_text(text.mean(dim=1))
        x = self.first(x)
        skips = []
        for i, level in enumerate(self.down):
            skips += level(x, time, text)
            x = skips[-1]
            if i < len(self.smaller):
                x = self.smaller[i](x)
        x = self.middle2(self.middle_attention(self.middle1(x, time), text), time)
        for i, level in enumerate(self.up):
            x = level(x, time, text, skips)[-1]
            if i < len(self.larger):
                x = self.larger[i](functional.interpolate(x, scale_factor=2.0, mode="nearest"))
        return self.last(functional.silu(self.last_norm(x)))


class ImagenSuperResUNet(ImagenUNet):
    """Makes a larger image of a small one."""
