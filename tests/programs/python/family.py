# SPDX-License-Identifier: Apache-2.0
"""Python's ways to make processes; each that uses CUDA launches, the others do not.

    family.py fork|spawn|forkserver   multiprocessing: a pool of three, two of which launch
    family.py ranks                   four processes with RANK, as torchrun starts them
    family.py nested                  shells and Pythons around one that launches
    family.py launches N [_exit]      launches N kernels and ends, by os._exit if told to
"""

import ctypes
import multiprocessing
import os
import subprocess
import sys


def launch(n):
    cu = ctypes.CDLL("libcuda.so.1")
    context, module, function = (ctypes.c_void_p() for _ in range(3))
    numbers = (ctypes.c_int(7), ctypes.c_uint64(9))
    parameters = (ctypes.c_void_p * 2)(*(ctypes.addressof(x) for x in reversed(numbers)))
    calls = [
        (cu.cuInit, 0),
        (cu.cuDevicePrimaryCtxRetain, ctypes.byref(context), 0),
        (cu.cuCtxSetCurrent, context),
        (cu.cuModuleLoadData, ctypes.byref(module), b"kernel 8 4\n"),
        (cu.cuModuleGetFunction, ctypes.byref(function), module, b"kernel"),
    ]
    for call, *arguments in calls:
        # Arguments are read when their turn comes: the pointers are filled one by one.
        assert call(*arguments) == 0, call
    for i in range(n):
        assert cu.cuLaunchKernel(function, i + 1, 1, 1, 32, 1, 1, 0, None, parameters, None) == 0
    assert cu.cuCtxSynchronize() == 0
    return n


def work(n):
    return launch(n) if n else 0


def pool(method):
    context = multiprocessing.get_context(method)
    children = [context.Process(target=work, args=(n,)) for n in (0, 10, 20)]
    for child in children:
        child.start()
    for child in children:
        child.join()
    print([child.exitcode for child in children])


def again(*arguments, **variables):
    return subprocess.Popen(
        [sys.executable, __file__, *map(str, arguments)], env={**os.environ, **variables}
    )


def ranks():
    children = [again("launches", 10 + r, RANK=str(r), LOCAL_RANK=str(r)) for r in range(4)]
    print([child.wait() for child in children])


def nested():
    command = f"true | cat; {sys.executable} -c pass; {sys.executable} {__file__} launches 10"
    print(subprocess.call(["sh", "-c", command]), subprocess.call(["sh", "-c", "exit 3"]))


def main(what, *arguments):
    if what == "launches":
        launch(int(arguments[0]))
        if "_exit" in arguments:
            os._exit(15)
    elif what == "ranks":
        ranks()
    elif what == "nested":
        nested()
    else:
        pool(what)


if __name__ == "__main__":
    main(*sys.argv[1:])
