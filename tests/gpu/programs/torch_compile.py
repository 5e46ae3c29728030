#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""torch.compile in reduce-overhead mode: Triton kernels, replayed many times by CUDA graphs."""

import torch
import torch._inductor.config as inductor
from unet_block import block_and_input, checksum, parse_arguments


@torch.inference_mode()
def main():
    args = parse_arguments(__doc__)
    # Choosing kernels by their measured time would make results vary from run to run.
    if hasattr(inductor, "deterministic"):
        inductor.deterministic = True
    block, x = block_and_input(args)
    step = torch.compile(block, mode="reduce-overhead")
    for _ in range(5 if args.tiny else 200):
        torch.compiler.cudagraph_mark_step_begin()
        x = step(x).clone() * 0.5
    print("checksum", checksum(x))


if __name__ == "__main__":
    main()
