/* SPDX-License-Identifier: Apache-2.0 */
/* Classes -> phases, launches -> periods, words of users -> phases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "analyzer/phase_survey.h"
#include "analyzer/phases.h"

static void classes_are_of_their_phase(void **state)
{
	static const struct {
		const char *class_name;
		enum phase_kind kind;
	} rows[] = {
		{ "CLIPTextModelWithProjection", PHASE_text },
		{ "transformers.T5EncoderModel", PHASE_text },
		{ "UNet2DConditionModel", PHASE_denoise },
		{ "UNet3DConditionModel", PHASE_denoise },
		{ "SD3Transformer2DModel", PHASE_denoise },
		{ "UVit2DModel", PHASE_denoise },
		{ "ImagenUnet", PHASE_denoise },
		{ "UNetBlock", PHASE_gap },
		{ "MaskGitTransformer", PHASE_denoise },
		{ "ImagenSuperResUNet", PHASE_upscale },
		{ "ViTVQDecoder", PHASE_vae },
		{ "BartEncoder", PHASE_text },
		{ "Transformer2DModel", PHASE_gap }, /* a part of a UNet */
		{ "AutoencoderKLWan", PHASE_vae },
		{ "LlamaForCausalLM", PHASE_language },
		{ "LlamaModel", PHASE_gap },
		{ "StableDiffusionUpscalePipeline", PHASE_upscale },
		{ "ControlNetModel", PHASE_control },
		{ "Linear", PHASE_gap },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (phase_kind_of_class(rows[i].class_name) != rows[i].kind)
			fail_msg("%s", rows[i].class_name);
}

enum { TEMPLATES = 16 };

/* launches: a letter each */
static const struct recurrence *anchor_of(struct recurrence *rows, const char *launches)
{
	uint64_t nr = 0;

	for (size_t i = 0; i < TEMPLATES; i++)
		rows[i] = (struct recurrence){ .id = 'a' + i };
	for (; launches[nr]; nr++)
		recurrence_add(&rows[launches[nr] - 'a'], nr);
	return recurrence_anchor(rows, TEMPLATES, nr);
}

static void the_first_launch_of_a_loop_is_its_anchor(void **state)
{
	struct recurrence rows[TEMPLATES];

	(void)state;
	assert_int_equal(anchor_of(rows, "kabcabcabcabcl")->id, 'a');
	assert_int_equal(anchor_of(rows, "kabcccabcccabcccabccc")->id, 'a');
}

static void steps_that_skip_are_steps(void **state)
{
	struct recurrence rows[TEMPLATES];
	const struct recurrence *anchor =
		anchor_of(rows, "kabcdefghabhabhabcdefghabhabhabcdefghabhabh");

	(void)state;
	assert_int_equal(anchor->id, 'a');
	assert_int_equal(anchor->count, 9);
}

static void what_never_comes_again_has_no_period(void **state)
{
	struct recurrence rows[TEMPLATES];

	(void)state;
	assert_null(anchor_of(rows, "abcdefgh"));
	assert_null(anchor_of(rows, "abab"));
	assert_null(anchor_of(rows, ""));
}

static void phases_are_chosen_by_number_or_name(void **state)
{
	struct phase_choice c;

	(void)state;
	assert_true(phase_choice_parse("3..5", &c));
	assert_int_equal(c.first, 3);
	assert_int_equal(c.last, 5);
	assert_string_equal(c.name, "");
	assert_true(phase_choice_parse("7", &c));
	assert_int_equal(c.last, 7);
	assert_true(phase_choice_parse("step:2..", &c));
	assert_string_equal(c.name, "step");
	assert_int_equal(c.first, 2);
	assert_true(c.last == UINT64_MAX);
	assert_true(phase_choice_parse("VAE decode", &c));
	assert_string_equal(c.name, "VAE decode");
	assert_false(phase_choice_parse("", &c));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(classes_are_of_their_phase),
		cmocka_unit_test(the_first_launch_of_a_loop_is_its_anchor),
		cmocka_unit_test(steps_that_skip_are_steps),
		cmocka_unit_test(what_never_comes_again_has_no_period),
		cmocka_unit_test(phases_are_chosen_by_number_or_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
