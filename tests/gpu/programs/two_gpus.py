#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Data-parallel steps on two GPUs: a process each, or with --one-process both in one.

NCCL's kernels are the communication between them.
"""

import argparse
import os

import torch
import torch.distributed as dist
import torch.multiprocessing as mp


def step(model, x):
    with torch.no_grad():
        return model(x)


def one_rank(rank, size, steps, port):
    os.environ.update(RANK=str(rank), WORLD_SIZE=str(size), LOCAL_RANK=str(rank))
    os.environ.update(MASTER_ADDR="127.0.0.1", MASTER_PORT=str(port))
    os.environ.setdefault("NCCL_SOCKET_IFNAME", "lo")
    torch.cuda.set_device(rank)
    dist.init_process_group("nccl", device_id=torch.device("cuda", rank))
    torch.manual_seed(0)
    model = torch.nn.Linear(1024, 1024).cuda()
    x = torch.ones(64, 1024, device="cuda") * (rank + 1)
    for _ in range(steps):
        y = step(model, x)
        dist.all_reduce(y)
    torch.cuda.synchronize()
    total = y.sum().item()
    dist.destroy_process_group()
    print(f"rank {rank}: {total:.1f}", flush=True)


def one_process(steps):
    models = [torch.nn.Linear(1024, 1024, device=f"cuda:{i}") for i in range(2)]
    xs = [torch.ones(64, 1024, device=f"cuda:{i}") for i in range(2)]
    for _ in range(steps):
        for i in range(2):
            xs[i] = step(models[i], xs[i])
        xs[1] = xs[0].to("cuda:1") * 0 + xs[1]
    torch.cuda.synchronize(0)
    torch.cuda.synchronize(1)
    print("done")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--one-process", action="store_true")
    parser.add_argument("--port", type=int, default=20000 + os.getpid() % 20000)
    args = parser.parse_args()
    if torch.cuda.device_count() < 2:
        print("skipped: fewer than two GPUs")
        raise SystemExit(77)
    if args.one_process:
        one_process(args.steps)
    else:
        mp.spawn(one_rank, args=(2, args.steps, args.port), nprocs=2)


if __name__ == "__main__":
    main()
