#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kernels written in Triton, launched by Triton's own launcher."""

import os

from unet_block import checksum, parse_arguments

ARGS = parse_arguments(__doc__)
if ARGS.device == "cpu":
    os.environ["TRITON_INTERPRET"] = "1"  # read when a kernel is declared

import torch
import triton
import triton.language as tl


@triton.jit
def softmax_rows(x_ptr, y_ptr, nr_columns, BLOCK: tl.constexpr):
    row = tl.program_id(0)
    columns = tl.arange(0, BLOCK)
    mask = columns < nr_columns
    x = tl.load(x_ptr + row * nr_columns + columns, mask=mask, other=-float("inf"))
    e = tl.exp(x - tl.max(x, axis=0))
    tl.store(y_ptr + row * nr_columns + columns, e / tl.sum(e, axis=0), mask=mask)


@triton.jit
def add_scaled(x_ptr, y_ptr, factor, n, BLOCK: tl.constexpr):
    i = tl.program_id(0) * BLOCK + tl.arange(0, BLOCK)
    x = tl.load(x_ptr + i, mask=i < n)
    y = tl.load(y_ptr + i, mask=i < n)
    tl.store(x_ptr + i, x + factor * y, mask=i < n)


def main():
    rows, columns, steps = (4, 50, 2) if ARGS.tiny else (4096, 1000, 500)
    torch.manual_seed(0)
    x = torch.randn(rows, columns, device=ARGS.device)
    y = torch.empty_like(x)
    for _ in range(steps):
        softmax_rows[(rows,)](x, y, columns, BLOCK=triton.next_power_of_2(columns))
        add_scaled[(triton.cdiv(x.numel(), 1024),)](x, y, 0.5, x.numel(), BLOCK=1024)
    print("checksum", checksum(x))


if __name__ == "__main__":
    main()
