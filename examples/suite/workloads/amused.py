# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from layers import unmask
from parts import Workload, as_pixels


class Generation(Workload):
    WHAT = "aMUSEd, Muse's open twin, 512 pixels"
    DEFAULTS = dict(steps=12, guidance=10.0, tokens=77)

    def __init__(self, settings):
        super().__init__(settings)
        self.text_encoder = self.build.transformers(
            "CLIPTextModelWithProjection", configs.CLIP_L, "text_encoder"
        )
        self.transformer = self.build.diffusers(
            "UVit2DModel", configs.AMUSED_512, "transformer", repeats=True
        )
        self.vq = self.build.diffusers("VQModel", configs.AMUSED_VQ, "vqvae")
        self.mask_id = self.transformer.config.vocab_size - 1

    def _encoded(self):
        ids = self.build.prompt(self.text_encoder.config.vocab_size, self.settings.tokens)
        return self.text_encoder(ids, output_hidden_states=True)

    def __call__(self, ids, text, _):
        """What unmask() asks: logits of all tokens."""
        side = round(ids.shape[1] ** 0.5)
        logits = self.transformer(
            ids.unflatten(1, (side, side)),
            encoder_hidden_states=text,
            pooled_text_emb=self.pooled,
            micro_conds=self.micro_conditions,
        )
        return logits.flatten(2).transpose(1, 2)

    def generate(self):
        s = self.settings
        empty, prompt = self._encoded(), self._encoded()
        text = torch.cat([empty.hidden_states[-2], prompt.hidden_states[-2]])
        self.pooled = torch.cat([empty.text_embeds, prompt.text_embeds])
        side = 16 if s.tiny else self.transformer.config.sample_size
        pixels = 16 * side
        micro = torch.tensor([pixels, pixels, 0, 0, 6], device=s.device, dtype=s.torch_dtype)
        self.micro_conditions = micro.expand(2 * s.batch, 5)
        ids = text.new_zeros((s.batch, side * side), dtype=int)
        ids = unmask(self, ids, text, s.steps, s.guidance, self.generator())
        shape = (s.batch, side, side, self.vq.config.latent_channels)
        return as_pixels(self.vq.decode(ids, force_not_quantize=True, shape=shape).sample)
