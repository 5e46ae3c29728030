# SPDX-License-Identifier: Apache-2.0
import configs
import torch
from layers import ViTVQDecoder
from parts import Workload, as_pixels, class_of, guided

IMAGE_TOKENS = 1024
BEGIN_TOKEN = 2


class Generation(Workload):
    WHAT = "Parti 3B: an encoder-decoder that makes 1,024 tokens of an image, one at a time, with guidance"
    DEFAULTS = dict(steps=IMAGE_TOKENS, guidance=1.2, tokens=128)

    def __init__(self, settings):
        super().__init__(settings)
        if settings.weights:
            raise SystemExit("there are no published weights of Parti")
        self.model = self.build.transformers(
            "BartForConditionalGeneration", configs.PARTI_3B, "", repeats=True
        )
        self.image_decoder = self.build.own(ViTVQDecoder, configs.PARTI_VQ)

    def generate(self):
        """Fewer steps leave the rest of the image at token 0."""
        s = self.settings
        ids = self.both(lambda: self.build.prompt(self.model.config.vocab_size, s.tokens))
        encoded = self.model.get_encoder()(ids)
        cache_class = class_of("transformers.EncoderDecoderCache")
        dynamic = class_of("transformers.DynamicCache")
        cache = cache_class(dynamic(), dynamic())
        token = ids.new_full((s.batch, 1), BEGIN_TOKEN)
        image = ids.new_zeros((s.batch, IMAGE_TOKENS))
        generator = self.generator()
        nr_image_tokens = configs.PARTI_VQ["vocabulary"]
        for step in range(s.steps):
            made = self.model(
                encoder_outputs=encoded,
                decoder_input_ids=torch.cat([token, token]),
                past_key_values=cache,
                use_cache=True,
            )
            odds = guided(made.logits[:, -1, :nr_image_tokens].float(), s.guidance).softmax(dim=-1)
            token = torch.multinomial(odds, 1, generator=generator)
            image[:, step] = token[:, 0]
        return as_pixels(self.image_decoder(image))
