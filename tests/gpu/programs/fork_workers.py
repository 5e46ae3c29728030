#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""DataLoader workers, forked while the parent is using the GPU.  The workers never touch it."""

import torch
from torch.utils.data import DataLoader, Dataset
from unet_block import block_and_input, checksum, parse_arguments


class Noise(Dataset):
    def __init__(self, shape, length):
        self.shape = shape
        self.length = length

    def __len__(self):
        return self.length

    def __getitem__(self, index):
        return torch.randn(self.shape, generator=torch.Generator().manual_seed(index))


@torch.inference_mode()
def main():
    args = parse_arguments(__doc__)
    block, x = block_and_input(args)
    x = block(x)
    on_gpu = args.device == "cuda"
    for _ in range(2):  # each pass forks its own workers, with kernels of the parent in flight
        loader = DataLoader(
            Noise(tuple(x.shape[1:]), 8 if args.tiny else 64),
            batch_size=2,
            num_workers=4,
            multiprocessing_context="fork",
            pin_memory=on_gpu,
        )
        for batch in loader:
            x = x * 0.5 + block(batch.to(device=x.device, dtype=x.dtype, non_blocking=True))
    print("checksum", checksum(x))


if __name__ == "__main__":
    main()
