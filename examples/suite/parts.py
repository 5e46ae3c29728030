# SPDX-License-Identifier: Apache-2.0
"""What workloads are put together from: their settings, models, prompts, and the denoising loop."""

import dataclasses
import importlib

import torch

import attention
import weights

DTYPES = {"fp16": torch.float16, "bf16": torch.bfloat16, "fp32": torch.float32}


@dataclasses.dataclass
class Settings:
    """What is generated and how.  Each workload has its own defaults; None: it has no such thing."""

    size: tuple = None  # height and width in pixels
    steps: int = None  # of denoising, or tokens to generate
    frames: int = None
    tokens: int = None  # of the prompt
    guidance: float = None
    batch: int = 1
    layers: int = None  # None: as many as the model has
    dtype: str = "fp16"
    attention: str = "sdpa"
    compile: bool = False
    channels_last: bool = False
    weights: str = None
    prompt: str = "a photograph of an astronaut riding a horse"
    seed: int = 0
    device: str = "cuda"
    tiny: bool = False

    @property
    def torch_dtype(self):
        return DTYPES[self.dtype]

    @property
    def text_dtype(self):
        """T5's activations leave the range of fp16."""
        return torch.bfloat16 if self.dtype == "fp16" else self.torch_dtype


def class_of(path):
    module, name = path.rsplit(".", 1)
    try:
        return getattr(importlib.import_module(module), name)
    except ImportError as why:
        raise SystemExit(f"this workload needs {module.split('.')[0]}: {why}") from why


class Builder:
    """Makes models: of random weights, or loaded from the parts of a repository in diffusers' layout.

    Random weights have no memory until place().
    """

    def __init__(self, settings):
        self.settings = settings
        self.without_memory = []  # (model, dtype)

    def _finish(self, model, repeats):
        model.eval().requires_grad_(False)
        if self.settings.channels_last and self.settings.weights:
            model.to(memory_format=torch.channels_last)
        if repeats and self.settings.compile:
            model.compile()
        return model

    def _random(self, make, dtype):
        with weights.weights_without_memory(dtype):
            model = make()
        self.without_memory.append((model, dtype))
        return model

    def place(self):
        """Puts all random weights where they are used."""
        for model, dtype in self.without_memory:
            weights.place(model, self.settings.device, dtype, self.settings.channels_last)
        self.without_memory = []

    def _loaded(self, model_class, folder, dtype, **more):
        where = dict(subfolder=folder) if folder else {}
        model = model_class.from_pretrained(self.settings.weights, torch_dtype=dtype, **where, **more)
        return model.to(self.settings.device)

    def diffusers(self, name, config, folder, repeats=False):
        """A model of diffusers; repeats: it is called in each step."""
        settings, model_class = self.settings, class_of(f"diffusers.{name}")
        if settings.weights:
            model = self._loaded(model_class, folder, settings.torch_dtype)
        else:
            arguments = config.sized(settings.tiny, settings.layers if repeats else None)
            model = self._random(lambda: model_class(**arguments), settings.torch_dtype)
        return self._finish(model, repeats)

    def transformers(self, name, config, folder, repeats=False):
        """A model of transformers: a text encoder, or a language model that repeats."""
        settings, model_class = self.settings, class_of(f"transformers.{name}")
        dtype = settings.text_dtype if "T5" in name else settings.torch_dtype
        how = "eager" if settings.attention == "baseline" else "sdpa"
        if settings.weights:
            model = self._loaded(model_class, folder, dtype, attn_implementation=how)
        else:
            arguments = config.sized(settings.tiny, settings.layers if repeats else None)
            made = model_class.config_class(**arguments, attn_implementation=how)
            model = self._random(lambda: model_class(made), dtype)
        return self._finish(model, repeats)

    def own(self, model_class, config, repeats=False):
        """A model of this folder, which has no published weights."""
        if self.settings.weights:
            raise SystemExit(f"there are no published weights of {model_class.__name__}")
        arguments = config.sized(self.settings.tiny, self.settings.layers if repeats else None)
        return self._finish(
            self._random(lambda: model_class(**arguments), self.settings.torch_dtype), repeats
        )

    def prompt(self, vocabulary, length, folder="tokenizer", batch=None):
        """Token ids of the prompt; without a tokenizer random ones, which are the same work."""
        settings, batch = self.settings, batch or self.settings.batch
        if settings.weights:
            where = dict(subfolder=folder) if folder else {}
            tokenizer = class_of("transformers.AutoTokenizer").from_pretrained(settings.weights, **where)
            if tokenizer.pad_token is None:
                tokenizer.pad_token = tokenizer.eos_token
            words = tokenizer(
                [settings.prompt] * batch,
                padding="max_length",
                max_length=length,
                truncation=True,
                return_tensors="pt",
            )
            return words.input_ids.to(settings.device)
        draw = torch.Generator().manual_seed(settings.seed + 1)
        return torch.randint(vocabulary, (batch, length), generator=draw).to(settings.device)


class Workload:
    """One generation of one model; DEFAULTS are of its Settings."""

    DEFAULTS = {}
    WHAT = ""

    def __init__(self, settings):
        """Builds the models."""
        self.settings = settings
        self.build = Builder(settings)

    def generate(self):
        """The whole of it, from token ids to pixels or tokens: a tensor."""
        raise NotImplementedError

    def run(self):
        """generate(), with attention as it is wanted."""
        with torch.inference_mode(), attention.chosen(self.settings.attention, self.settings.device):
            return self.generate()

    def generator(self):
        return torch.Generator(self.settings.device).manual_seed(self.settings.seed)

    def noise(self, *shape):
        s = self.settings
        return torch.randn(shape, generator=self.generator(), device=s.device, dtype=s.torch_dtype)

    def both(self, encode):
        """The empty prompt and the prompt, encoded one after the other, as guidance has them: in one batch."""
        return torch.cat([encode(), encode()])


def guided(prediction, scale):
    """Of a batch that has the empty prompt first."""
    empty, prompt = prediction.chunk(2)
    return empty + scale * (prompt - empty)


def denoise(predict, latents, scheduler, steps, guidance):
    """The loop of diffusion: predict(latents twice, timestep) is the model's, without learned variance."""
    scheduler.set_timesteps(steps, device=latents.device)
    latents = latents * scheduler.init_noise_sigma
    for timestep in scheduler.timesteps:
        twice = scheduler.scale_model_input(torch.cat([latents, latents]), timestep)
        noise = guided(predict(twice, timestep), guidance)
        latents = scheduler.step(noise, timestep, latents).prev_sample.to(latents.dtype)
    return latents


def as_pixels(decoded):
    """From -1 ... 1 to 0 ... 1."""
    return (decoded / 2 + 0.5).clamp(0, 1)
