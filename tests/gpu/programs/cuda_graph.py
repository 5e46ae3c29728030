#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""One CUDA graph, captured by hand and replayed.  Prints how many kernels the driver says it has."""

import ctypes

import torch
from unet_block import block_and_input, checksum, parse_arguments

NODE_KERNEL = 0  # CU_GRAPH_NODE_TYPE_KERNEL


def check(rc, what):
    if rc:
        raise SystemExit(f"{what}: error {rc}")


def count_nodes(raw_graph):
    """(nodes that are kernels, all nodes) of a cudaGraph_t"""
    driver = ctypes.CDLL("libcuda.so.1")
    graph, nr_nodes = ctypes.c_void_p(raw_graph), ctypes.c_size_t(0)
    check(driver.cuGraphGetNodes(graph, None, ctypes.byref(nr_nodes)), "cuGraphGetNodes")
    nodes = (ctypes.c_void_p * nr_nodes.value)()
    check(driver.cuGraphGetNodes(graph, nodes, ctypes.byref(nr_nodes)), "cuGraphGetNodes")
    nr_kernels = 0
    for node in nodes:
        kind = ctypes.c_int(-1)
        check(driver.cuGraphNodeGetType(ctypes.c_void_p(node), ctypes.byref(kind)), "cuGraphNodeGetType")
        nr_kernels += kind.value == NODE_KERNEL
    return nr_kernels, nr_nodes.value


def capture(block, x):
    """(graph, its output); warmed up on a side stream first, as PyTorch asks for."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            block(x)
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph(keep_graph=True)
    with torch.cuda.graph(graph):
        y = block(x)
    graph.instantiate()
    return graph, y


@torch.inference_mode()
def main():
    args = parse_arguments(__doc__)
    block, x = block_and_input(args)
    if args.device == "cpu":
        print("no graphs on a CPU, checksum", checksum(block(x)))
        return
    graph, y = capture(block, x)
    nr_kernels, nr_nodes = count_nodes(graph.raw_cuda_graph())
    nr_replays = 10 if args.tiny else 500
    for _ in range(nr_replays):
        graph.replay()
        x.copy_(y * 0.5)
    torch.cuda.synchronize()
    print(f"graph: {nr_kernels} kernels, {nr_nodes} nodes, {nr_replays} replays")
    print("checksum", checksum(x))


if __name__ == "__main__":
    main()
