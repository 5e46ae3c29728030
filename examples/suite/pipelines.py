# SPDX-License-Identifier: Apache-2.0
"""Workloads that diffusers has a pipeline for."""

from parts import Workload, class_of


class Pipeline(Workload):
    """parts() are the constructor's arguments, text() what a call takes for the encoded prompts."""

    PIPELINE = ""

    def __init__(self, settings):
        super().__init__(settings)
        pipeline_class = class_of(f"diffusers.{self.PIPELINE}")
        if settings.weights:
            loaded = pipeline_class.from_pretrained(settings.weights, torch_dtype=settings.torch_dtype)
            self.pipeline = loaded.to(settings.device)
        else:
            self.pipeline = pipeline_class(**self.parts())
        self.pipeline.set_progress_bar_config(disable=True)

    def parts(self):
        raise NotImplementedError

    def text(self):
        raise NotImplementedError

    def scheduler(self, name, **config):
        return class_of(f"diffusers.{name}")(**config)

    def encoded(self, encoder, tokens=None):
        model = getattr(self.pipeline, encoder)
        length = tokens or self.settings.tokens
        limit = getattr(model.config, "max_position_embeddings", None)
        ids = self.build.prompt(model.config.vocab_size, min(length, limit or length))
        return model(ids, output_hidden_states=True)

    def hidden(self, encoder, tokens=None):
        return self.encoded(encoder, tokens).last_hidden_state.to(self.settings.torch_dtype)

    def arguments(self):
        s = self.settings
        height, width = s.size
        prompts = dict(prompt=[s.prompt] * s.batch) if s.weights else self.text()
        return dict(
            prompts,
            height=height,
            width=width,
            num_inference_steps=s.steps,
            guidance_scale=s.guidance,
            generator=self.generator(),
            output_type="pt",
        )

    def generate(self):
        made = self.pipeline(**self.arguments())
        return made.frames if hasattr(made, "frames") else made.images
