# SPDX-License-Identifier: Apache-2.0
"""A small part of a diffusion model for the PyTorch programs: residual block, then a transformer."""

import argparse
import zlib

import torch
import torch.nn.functional as F
from torch import nn


def parse_arguments(what):
    parser = argparse.ArgumentParser(description=what)
    parser.add_argument("--device", default="cuda")
    parser.add_argument("--tiny", action="store_true", help="small tensors and few repetitions")
    return parser.parse_args()


class UNetBlock(nn.Module):
    def __init__(self, channels, heads=8):
        super().__init__()
        self.heads = heads
        self.norm1 = nn.GroupNorm(32, channels)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = nn.GroupNorm(32, channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm3 = nn.LayerNorm(channels)
        self.qkv = nn.Linear(channels, 3 * channels, bias=False)
        self.out = nn.Linear(channels, channels)
        self.mlp = nn.Sequential(
            nn.Linear(channels, 4 * channels), nn.GELU(), nn.Linear(4 * channels, channels)
        )

    def forward(self, x):
        x = x + self.conv2(F.silu(self.norm2(self.conv1(F.silu(self.norm1(x))))))
        b, c, h, w = x.shape
        tokens = x.flatten(2).transpose(1, 2)
        qkv = self.qkv(self.norm3(tokens)).view(b, h * w, 3, self.heads, c // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        attended = F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, h * w, c)
        tokens = tokens + self.out(attended)
        tokens = tokens + self.mlp(tokens)
        return tokens.transpose(1, 2).reshape(b, c, h, w)


def block_and_input(args):
    """A block and an input for it, both from seed 0, fp16 on a GPU."""
    channels, side = (64, 8) if args.tiny else (320, 64)
    dtype = torch.float16 if args.device == "cuda" else torch.float32
    torch.manual_seed(0)
    with torch.device(args.device):
        block = UNetBlock(channels).to(dtype).eval().requires_grad_(False)
        x = torch.randn(2, channels, side, side).to(dtype)
    return block, x


def checksum(x):
    return f"{zlib.crc32(x.float().cpu().contiguous().numpy().tobytes()):08x}"
