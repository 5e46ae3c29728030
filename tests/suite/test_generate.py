# SPDX-License-Identifier: Apache-2.0
"""Every workload of examples/suite generates something on a CPU, as a toy.  Skips without PyTorch."""

import importlib.util
import pathlib
import re
import subprocess
import sys

import pytest

SUITE = pathlib.Path(__file__).resolve().parents[2] / "examples/suite"
sys.path.insert(0, str(SUITE))
import workloads

TIMEOUT_S = 300
MISSING = [name for name in ("torch", "transformers", "diffusers") if importlib.util.find_spec(name) is None]

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")


def generate(*words):
    command = [sys.executable, SUITE / "generate.py", *words, "--device", "cpu", "--tiny"]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_S)


@pytest.mark.parametrize("name", workloads.NAMES)
def test_a_toy_generates(name):
    done = generate(name)
    assert done.returncode == 0, done.stderr[-2000:]
    deviation = re.search(r"deviation ([\d.e+-]+)", done.stdout)
    assert deviation and float(deviation[1]) > 0, done.stdout


@pytest.mark.parametrize("name", ["stable_diffusion", "phenaki", "llama2"])
def test_attention_written_out_gives_the_same(name):
    """phenaki has causal attention, llama2 a cache."""
    means = []
    for attention in ("sdpa", "baseline"):
        done = generate(name, "--attention", attention, "--steps", "1")
        assert done.returncode == 0, done.stderr[-2000:]
        means.append(float(re.search(r"mean ([\d.e+-]+)", done.stdout)[1]))
    assert means[0] == pytest.approx(means[1], rel=1e-3)


def test_what_a_workload_has_not_is_refused():
    assert generate("llama2", "--frames", "3").returncode == 2


def test_weights_are_loaded_from_a_folder(tmp_path):
    import tokenizers
    import transformers

    config = transformers.LlamaConfig(
        vocab_size=100, hidden_size=32, intermediate_size=64, num_hidden_layers=1, num_attention_heads=2
    )
    transformers.LlamaForCausalLM(config).save_pretrained(tmp_path)
    words = {word: number for number, word in enumerate(["[UNK]", "[PAD]", "a", "horse"])}
    model = tokenizers.models.WordLevel(words, unk_token="[UNK]")
    tokenizer = transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizers.Tokenizer(model), unk_token="[UNK]", pad_token="[PAD]"
    )
    tokenizer.save_pretrained(tmp_path)
    done = generate("llama2", "--weights", str(tmp_path), "--tokens", "4", "--steps", "2")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "output (1, 6)" in done.stdout
