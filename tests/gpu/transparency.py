#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Other people's programs do the same with the library as without, bit by bit.

Every program runs twice bare and once with LD_PRELOAD. What both bare runs printed alike must be
printed by the third, at the same place, and the exit code must be the same; lines in which the bare
runs differ (times, addresses) say nothing. CuPy's own tests must have the same outcome one by one.

SOFTWARE (default local/software) has what is not ours: cuda-samples/ and cupy/; tests/gpu/README.md
says where from. What is not there is left out, and said.
"""

import argparse
import collections
import concurrent.futures
import dataclasses
import importlib.util
import json
import os
import pathlib
import re
import sys
import tempfile

from common import (
    BUILD,
    EXIT_SKIPPED,
    PROGRAMS,
    ROOT,
    TTITRACE,
    limit_time,
    python,
    run,
    skip_without_gpu,
    table,
    time_left,
    write_results,
)

TIME_LIMIT_S = 230
SOFTWARE = pathlib.Path(os.environ.get("SOFTWARE", ROOT / "local/software"))
LIBRARIES = "-lcuda -lcublas -lcusparse -lcusolver -lcufft -lcurand -lcudadevrt".split()

# Those of NVIDIA's samples that need no window, no second machine and no image files.
SAMPLES = """
asyncAPI clock fp16ScalarProduct matrixMul mergeSort simpleAssert simpleAtomicIntrinsics
simpleAttributes simpleAWBarrier simpleCallback simpleCooperativeGroups simpleCubemapTexture
simpleHyperQ simpleLayeredTexture simpleMultiCopy simpleMultiGPU simpleOccupancy
simplePitchLinearTexture simplePrintf simpleStreams simpleTemplates simpleVoteIntrinsics
simpleZeroCopy systemWideAtomics template vectorAdd convolutionSeparable convolutionTexture
eigenvalues histogram inlinePTX interval radixSortThrust reduction reductionMultiBlockCG scalarProd
scan segmentationTreeThrust shfl_scan sortingNetworks streamOrderedAllocation threadFenceReduction
StreamPriorities bf16TensorCoreGemm binaryPartitionCG cdpAdvancedQuicksort cdpSimplePrint
cdpSimpleQuicksort dmmaTensorCoreGemm globalToShmemAsyncCopy graphConditionalNodes
graphMemoryFootprint graphMemoryNodes immaTensorCoreGemm jacobiCudaGraphs newdelete simpleCudaGraphs
tf32TensorCoreGemm warpAggregatedAtomicsCG conjugateGradient conjugateGradientCudaGraphs
conjugateGradientMultiBlockCG conjugateGradientPrecond lineOfSight simpleCUBLAS batchCUBLAS
matrixMulCUBLAS simpleCUFFT randomFog cuSolverDn_LinearSolver BlackScholes MonteCarloMultiGPU
SobolQRNG binomialOptions fastWalshTransform quasirandomGenerator
""".split()

# The larger part of CuPy's tests, without those that take minutes to compile kernels.
CUPY_TESTS = """
binary_tests creation_tests/test_basic.py creation_tests/test_from_data.py
creation_tests/test_matrix.py creation_tests/test_ranges.py core_tests/test_array_function.py
core_tests/test_core.py core_tests/test_dlpack.py core_tests/test_elementwise.py
core_tests/test_flags.py core_tests/test_function.py core_tests/test_internal.py
core_tests/test_ndarray.py core_tests/test_ndarray_adv_indexing.py
core_tests/test_ndarray_contiguity.py core_tests/test_ndarray_copy_and_view.py
core_tests/test_ndarray_cuda_array_interface.py core_tests/test_ndarray_indexing.py
core_tests/test_ndarray_owndata.py core_tests/test_ndarray_reduction.py
core_tests/test_ndarray_scatter.py core_tests/test_ndarray_unary_op.py core_tests/test_raw.py
core_tests/test_scan.py core_tests/test_syncdetect.py core_tests/test_userkernel.py
cuda_tests/test_compiler.py cuda_tests/test_cublas.py cuda_tests/test_device.py
cuda_tests/test_driver.py cuda_tests/test_graph.py cuda_tests/test_memory.py
cuda_tests/test_memory_hook.py cuda_tests/test_profile.py cuda_tests/test_runtime.py
cuda_tests/test_stream.py cuda_tests/test_texture.py cuda_tests/test_nvrtc.py
fft_tests/test_cache.py indexing_tests io_tests linalg_tests/test_decomposition.py
linalg_tests/test_eigenvalue.py linalg_tests/test_norms.py linalg_tests/test_solve.py
logic_tests/test_comparison.py logic_tests/test_content.py logic_tests/test_truth.py
manipulation_tests math_tests/test_explog.py math_tests/test_hyperbolic.py
math_tests/test_matmul.py math_tests/test_rounding.py math_tests/test_trigonometric.py
padding_tests random_tests/test_permutations.py random_tests/test_sample.py
sorting_tests/test_count.py sorting_tests/test_sort.py statistics_tests/test_correlation.py
statistics_tests/test_histogram.py statistics_tests/test_meanvar.py test_cublas.py test_numpy_interop.py
""".split()

OUTCOME = re.compile(r"^(\S+\.py::.+?) (PASSED|FAILED|ERROR|SKIPPED|XFAIL|XPASS)\b", re.MULTILINE)


@dataclasses.dataclass
class Item:
    """Something to run and how it went."""

    name: str
    command: list
    timeout_s: int = 100
    directory: pathlib.Path = ROOT
    is_cupy: bool = False
    faults: list = dataclasses.field(default_factory=list)
    compared: int = 0
    failures: int = 0  # of the program itself, the same with and without
    launches: int = 0
    coverage: str = "-"
    is_late: bool = False  # there was no time to finish it: says nothing


def run_in(item, environment):
    command = ["env", "-C", item.directory, *item.command]
    return run(command, item.timeout_s, environment)


def read_traces(item, directory):
    traces = sorted(directory.glob("*.ttt"))
    if not traces:
        item.coverage = "no trace"
        return
    finished = run([TTITRACE, "report", "--json", *traces], time_left(60))
    try:
        coverage = json.loads(finished.stdout)["coverage"]
    except ValueError:
        item.faults.append("the trace cannot be read")
        return
    item.launches = coverage["launches"] + coverage["graph_launches"]
    item.coverage = "complete" if coverage["complete"] else "NOT complete"


def run_traced(item):
    with tempfile.TemporaryDirectory() as name:
        environment = {
            "LD_PRELOAD": str(BUILD / "libttitrace.so"),
            "TTITRACE_OUTPUT": name,
        }
        finished = run_in(item, environment)
        read_traces(item, pathlib.Path(name))
        return finished


def stable_lines(first, second):
    """{number: line} of the lines that two runs have in common, where both have as many."""
    one, two = first.splitlines(), second.splitlines()
    if len(one) != len(two):
        return None
    return {i: line for i, line in enumerate(one) if line == two[i]}


def compare_text(item, what, bare, traced):
    stable = stable_lines(*bare)
    lines = traced.splitlines()
    if stable is None:
        return
    item.compared += len(stable)
    different = [i for i, line in stable.items() if i >= len(lines) or lines[i] != line]
    if different:
        i = different[0]
        got = lines[i] if i < len(lines) else "nothing"
        item.faults.append(f"{what} line {i + 1}: '{stable[i][:70]}' became '{got[:70]}'")


def compare_program(item):
    first, second = run_in(item, {}), run_in(item, {})
    traced = run_traced(item)
    if first.code != second.code:
        item.faults.append(f"bare it ends with {first.code} or {second.code}: says nothing")
        return
    item.failures = int(first.code != 0)
    if traced.code != first.code:
        item.faults.append(f"exit code {first.code} became {traced.code}: {traced.tail(3)}")
    compare_text(item, "stdout", (first.stdout, second.stdout), traced.stdout)
    compare_text(item, "stderr", (first.stderr, second.stderr), traced.stderr)


def outcomes(finished):
    return dict(OUTCOME.findall(finished.stdout))


def compare_tests(item):
    """Tests that end differently are run again both ways: some are a matter of luck."""
    bare, traced = run_in(item, {}), run_traced(item)
    one, two = outcomes(bare), outcomes(traced)
    both = one.keys() & two.keys()
    item.compared = len(both)
    item.failures = sum(one[t] in ("FAILED", "ERROR") for t in both)
    if bare.code != traced.code and -9 not in (bare.code, traced.code):
        item.faults.append(f"exit code {bare.code} became {traced.code}: {traced.tail(3)}")
    if not both:
        item.faults.append(f"no test ran: {bare.stdout[-300:]} {bare.tail(5)}")
    different = sorted(t for t in both if one[t] != two[t])
    if not different:
        return
    item.faults.clear()
    again = dataclasses.replace(item, command=item.command[:-1] + different[:20])
    lucky = {t for t, o in outcomes(run_in(again, {})).items() if o != one[t]}
    steady = outcomes(run_traced(again))
    for test in different[:20]:
        if test not in lucky and steady.get(test) == two[test]:
            item.faults.append(f"{test}: {one[test]} became {two[test]}")


def compare(item):
    if time_left(item.timeout_s) > 5:
        (compare_tests if item.is_cupy else compare_program)(item)
    if time_left(item.timeout_s) < 5:
        item.is_late = True
        item.faults.clear()
    return item


def verdict(item):
    if item.is_late:
        return "no time left"
    return "DIFFERENT" if item.faults else "same"


def build_sample(source, output):
    """False, with nvcc's words in a file beside it: not every toolkit builds every sample."""
    sources = sorted([*source.glob("*.cu"), *source.glob("*.cpp"), *source.glob("src/*.c*")])
    home = pathlib.Path(os.environ.get("CUDA_HOME", "/usr/local/cuda"))
    nvcc = home / "bin/nvcc" if (home / "bin/nvcc").exists() else "nvcc"
    include = [f"-I{d}" for d in (SOFTWARE / "cuda-samples/Common", source, source / "inc")]
    flags = ["-O1", "-std=c++17", "-arch=native", "-rdc=true", "-Xcompiler", "-fopenmp"]
    finished = run([nvcc, *flags, *include, "-o", output, *sources, *LIBRARIES], 100)
    output.with_suffix(".log").write_text(finished.stdout + finished.stderr)
    return finished.code == 0


def sample_items(directory, pool, patterns):
    sources = {path.name: path for path in (SOFTWARE / "cuda-samples/Samples").glob("*/*")}
    wanted = [name for name in SAMPLES if name in sources and is_wanted(f"sample {name}", patterns)]
    built = pool.map(lambda name: build_sample(sources[name], directory / name), wanted)
    for name, is_built in zip(wanted, built):
        if is_built:
            yield Item(f"sample {name}", [directory / name], 40, sources[name])
        else:
            print(f"sample {name}: does not build here", flush=True)


def cupy_items():
    tests = SOFTWARE / "cupy/tests"
    if not tests.is_dir():
        print(f"CuPy's tests are left out: not in {tests}")
        return
    for name in CUPY_TESTS:
        path = f"tests/cupy_tests/{name}"
        if not (SOFTWARE / "cupy" / path).exists():
            continue
        options = "-v --tb=no -p no:cacheprovider -p no:xdist".split()
        if importlib.util.find_spec("pytest_timeout"):
            options.append("--timeout=60")
        command = [sys.executable, "-m", "pytest", *options, "-m", "not slow and not multi_gpu", path]
        yield Item(f"cupy {name}", command, 100, SOFTWARE / "cupy", is_cupy=True)


def our_items():
    for name in (
        "transformers_generate diffusers_image torch_training torch_compile cuda_graph jax_training"
    ).split():
        yield Item(name, python(PROGRAMS / "same_results.py", name))


def is_wanted(name, patterns):
    return not patterns or any(re.search(p, name) for p in patterns)


def say(items):
    rows = [
        (i.name, i.compared, i.failures, i.launches, i.coverage, verdict(i))
        for i in items
    ]
    lines = table(("what", "compared", "failing", "launches", "coverage", "with ttitrace"), rows)
    lines += [f"{i.name}: {fault}" for i in items for fault in i.faults]
    kinds = collections.Counter(map(verdict, items))
    tests = sum(i.compared for i in items if i.is_cupy)
    lines.append(
        f"{len(items)} programs: {kinds['same']} the same, {kinds['DIFFERENT']} different, "
        f"{kinds['no time left']} without time; {tests} of CuPy's tests one by one, {sum(i.failures for i in items if i.is_cupy)} of them "
        "fail either way"
    )
    print("\n".join(lines))
    data = [dict(dataclasses.asdict(i), command=None, directory=None, verdict=verdict(i)) for i in items]
    write_results("transparency", lines, data)
    return kinds["DIFFERENT"]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("patterns", nargs="*", help="only what matches, such as ^cupy or ^sample")
    parser.add_argument("--jobs", type=int, default=min(14, os.cpu_count()))
    args = parser.parse_args()
    skip_without_gpu()
    limit_time(TIME_LIMIT_S)
    os.environ["CUPY_CACHE_DIR"] = tempfile.mkdtemp(prefix="cupy-")
    with tempfile.TemporaryDirectory() as name, concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        # What takes longest first; samples are short and fill the gaps.
        items = [i for i in (*our_items(), *cupy_items()) if is_wanted(i.name, args.patterns)]
        items += sample_items(pathlib.Path(name), pool, args.patterns)
        if not items:
            sys.exit(EXIT_SKIPPED)
        done = list(pool.map(compare, items))
    sys.exit(1 if say(done) else 0)


if __name__ == "__main__":
    main()
