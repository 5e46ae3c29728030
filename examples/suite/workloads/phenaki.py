# SPDX-License-Identifier: Apache-2.0
import configs
from layers import CViViTDecoder, MaskGitTransformer, unmask
from parts import Workload, as_pixels

SIDE = 16  # tokens of a frame's side: 128 pixels


class Generation(Workload):
    WHAT = "Phenaki: parallel decoding of a video's tokens, then a decoder with causal attention in time"
    DEFAULTS = dict(steps=24, frames=11, guidance=10.0, tokens=77)

    def __init__(self, settings):
        super().__init__(settings)
        frames_per_token = configs.CVIVIT["frames_per_token"]
        self.time = 1 + (settings.frames - 1) // frames_per_token
        config = configs.Config(configs.PHENAKI, tokens=self.time * SIDE**2)
        self.text_encoder = self.build.transformers("T5EncoderModel", configs.T5_XXL, "text_encoder")
        self.transformer = self.build.own(MaskGitTransformer, config, repeats=True)
        self.video_decoder = self.build.own(CViViTDecoder, configs.CVIVIT)

    def _text(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids).last_hidden_state.to(self.settings.torch_dtype)

    def generate(self):
        s = self.settings
        text = self.both(self._text)
        ids = text.new_zeros((s.batch, self.time * SIDE**2), dtype=int)
        ids = unmask(self.transformer, ids, text, s.steps, s.guidance, self.generator())
        return as_pixels(self.video_decoder(ids.unflatten(1, (self.time, SIDE**2))))
