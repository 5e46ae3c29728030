# SPDX-License-Identifier: Apache-2.0
import configs
from layers import MaskGitSuperRes, MaskGitTransformer, unmask
from parts import Workload, as_pixels


class Generation(Workload):
    WHAT = "Muse: parallel decoding of 256 tokens, then of 4,096 in a third of the steps"
    DEFAULTS = dict(steps=24, guidance=10.0, tokens=77)

    def __init__(self, settings):
        super().__init__(settings)
        self.text_encoder = self.build.transformers("T5EncoderModel", configs.T5_XXL, "text_encoder")
        self.base = self.build.own(MaskGitTransformer, configs.MUSE_BASE, repeats=True)
        self.super_resolution = self.build.own(MaskGitSuperRes, configs.MUSE_SUPER_RESOLUTION, repeats=True)
        self.vq = self.build.diffusers("VQModel", configs.MUSE_VQ, "vqvae")

    def _text(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids).last_hidden_state.to(self.settings.torch_dtype)

    def generate(self):
        s = self.settings
        text, generator = self.both(self._text), self.generator()
        low = text.new_zeros((s.batch, configs.MUSE_BASE["tokens"]), dtype=int)
        low = unmask(self.base, low, text, s.steps, s.guidance, generator)
        high = low.new_zeros((s.batch, 256 if s.tiny else configs.MUSE_SUPER_RESOLUTION["tokens"]))
        steps = max(1, s.steps // 3)
        high = unmask(self.super_resolution, high, text, steps, s.guidance, generator, low_ids=low)
        side = round(high.shape[1] ** 0.5)
        shape = (s.batch, side, side, self.vq.config.latent_channels)
        return as_pixels(self.vq.decode(high, force_not_quantize=True, shape=shape).sample)
