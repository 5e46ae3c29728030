# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from parts import Workload, as_pixels, class_of, denoise

SUPER_RESOLUTION_GUIDANCE = 4.0
NOISE_LEVEL = 250


class Generation(Workload):
    WHAT = "DeepFloyd IF, Imagen's open twin: 64 then 256 pixels, half the steps for the second"
    DEFAULTS = dict(steps=100, guidance=7.0, tokens=77)

    def __init__(self, settings):
        super().__init__(settings)
        if settings.weights:
            raise SystemExit("deepfloyd_if: its two stages are two repositories; only random weights here")
        self.text_encoder = self.build.transformers("T5EncoderModel", configs.T5_XXL, "text_encoder")
        unet = "UNet2DConditionModel"
        self.base = self.build.diffusers(unet, configs.IF_I, "unet", repeats=True)
        self.super_resolution = self.build.diffusers(unet, configs.IF_II, "unet", repeats=True)

    def _text(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids).last_hidden_state.to(self.settings.torch_dtype)

    def _scheduler(self):
        return class_of("diffusers.DDPMScheduler")(beta_schedule="squaredcos_cap_v2", clip_sample=True)

    def generate(self):
        s = self.settings
        text = self.both(self._text)
        side = 16 if s.tiny else self.base.config.sample_size
        large = 4 * side
        colours = 3  # what the models make beside it is the noise's variance

        def base(x, t):
            return self.base(x, t, encoder_hidden_states=text).sample[:, :colours]

        image = denoise(base, self.noise(s.batch, 3, side, side), self._scheduler(), s.steps, s.guidance)
        enlarged = torch.nn.functional.interpolate(image, size=(large, large), mode="bilinear")
        beside = torch.cat([enlarged, enlarged])
        level = torch.full((2 * s.batch,), NOISE_LEVEL, device=s.device)

        def super_resolution(x, t):
            x = torch.cat([x, beside], dim=1)
            made = self.super_resolution(x, t, encoder_hidden_states=text, class_labels=level)
            return made.sample[:, :colours]

        image = denoise(
            super_resolution,
            self.noise(s.batch, 3, large, large),
            self._scheduler(),
            max(1, s.steps // 2),
            SUPER_RESOLUTION_GUIDANCE,
        )
        return as_pixels(image)
