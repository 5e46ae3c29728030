# SPDX-License-Identifier: Apache-2.0
"""Every workload of examples/suite generates something on a CPU, as a toy.  Skips without PyTorch."""

import pathlib
import re
import sys

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")
pytest.importorskip("diffusers")

sys.path.append(str(pathlib.Path(__file__).resolve().parents[2] / "examples/suite"))
import generate
import torch
import workloads


@pytest.fixture
def toy(capsys):
    """toy(words of the command line ...) generates on the CPU and returns the line that is printed."""
    torch.set_num_threads(1)

    def make(*words):
        generate.main([*words, "--device", "cpu", "--tiny"])
        return capsys.readouterr().out

    return make


def number(line, name):
    return float(re.search(rf"{name} (-?[\d.]+(e[+-]\d+)?)", line)[1])


@pytest.mark.parametrize("name", workloads.NAMES)
def test_a_toy_generates(toy, name):
    assert number(toy(name), "deviation") > 0


@pytest.mark.parametrize("name", ["stable_diffusion", "phenaki"])
def test_attention_written_out_gives_the_same(toy, name):
    """In phenaki's decoder it is causal."""
    means = [number(toy(name, "--steps", "1", "--attention", how), "mean") for how in ("sdpa", "baseline")]
    assert means[0] == pytest.approx(means[1], rel=1e-3)


def test_what_a_workload_has_not_is_refused(toy):
    with pytest.raises(SystemExit) as end:
        toy("llama2", "--frames", "3")
    assert end.value.code == 2


def test_weights_are_loaded_from_a_folder(toy, tmp_path):
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
    line = toy("llama2", "--weights", str(tmp_path), "--tokens", "4", "--steps", "2")
    assert "output (1, 6)" in line
