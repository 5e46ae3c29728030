/* SPDX-License-Identifier: Apache-2.0 */
#include "architecture.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "presets.h"

enum { DEPTH_MAX = 64, BOUND_MAX = 128, LIST_MAX = 64, SPATIAL_MAX = 3, PATH_MAX_ = 256 };
/* Of one walk, repeated ones each time, and characters of their expressions: seconds of work. */
enum { LAYERS_MAX = 4000000, CHARACTERS_MAX = 1000000000 };

/* A name of the scope: parameters of the description, arguments of a block, counters of loops. */
struct bound {
	const char *name;
	size_t name_size;
	size_t nr;
	int is_list;
	double values[LIST_MAX];
};

struct architecture {
	json_t *root;
	struct bound *bound; /* BOUND_MAX */
	size_t nr_bound;     /* the parameters first */
	size_t nr_parameters;
	size_t first_local;   /* bound behind the parameters and before this is another block's */
	json_t *given;        /* by architecture_set() and architecture_find() */
	json_t *included;     /* descriptions whose blocks are known here too */
	size_t nr_characters; /* of expressions, since the walk began */
};

struct walk {
	struct architecture *a;
	layer_visit visit;
	void *data;
	struct diag *diag;
	struct layer layer; /* what all layers of the part have */
	bool has_weights;   /* those of the part are its own */
	uint64_t nr_layers;
	int depth;
	char path[PATH_MAX_]; /* of the blocks around, with a slash behind each */
};

static const char *const kind_names[] = {
#define LAYER(kind, operator_) #kind,
#include "layers.def"
#undef LAYER
};

static const enum operator kind_operators[] = {
#define LAYER(kind, operator_) OPERATOR_##operator_,
#include "layers.def"
#undef LAYER
};

const char *layer_kind_name(enum layer_kind kind)
{
	return kind_names[kind];
}

enum operator layer_operator(enum layer_kind kind)
{
	return kind_operators[kind];
}

/* --- names ------------------------------------------------------------------------------------ */

static int look_up(void *scope, const char *name, size_t size, struct operand *ret)
{
	const struct architecture *a = scope;

	for (size_t i = a->nr_bound; i-- > 0;) {
		const struct bound *b = &a->bound[i];

		if (i >= a->nr_parameters && i < a->first_local)
			continue;
		if (b->name_size != size || memcmp(b->name, name, size) != 0)
			continue;
		*ret = (struct operand){ b->values, b->nr, b->is_list };
		return 0;
	}
	return -ENOENT;
}

static int number(struct architecture *a, const json_t *value, double *ret, struct diag *diag)
{
	if (json_is_number(value)) {
		*ret = json_number_value(value);
		return 0;
	}
	if (json_is_boolean(value)) {
		*ret = json_is_true(value);
		return 0;
	}
	if (json_is_string(value)) {
		a->nr_characters += json_string_length(value);
		if (a->nr_characters > CHARACTERS_MAX)
			return diag_set(diag, -EINVAL, "this is too much work");
		return expression_value(json_string_value(value), look_up, a, ret, diag);
	}
	return diag_set(diag, -EINVAL, "a number or an expression is wanted");
}

/* A number, a list, or the name of one. */
static int quantity(struct architecture *a, const json_t *value, struct bound *ret,
		    struct diag *diag)
{
	struct operand q;
	const char *text = json_string_value(value);
	int r = 0;

	if (text && look_up(a, text, strlen(text), &q) == 0) {
		ret->is_list = q.is_list;
		ret->nr = q.nr;
		memcpy(ret->values, q.values, q.nr * sizeof(*q.values));
		return 0;
	}
	ret->is_list = json_is_array(value);
	if (!ret->is_list) {
		ret->nr = 1;
		return number(a, value, &ret->values[0], diag);
	}
	ret->nr = json_array_size(value);
	if (ret->nr > LIST_MAX)
		return diag_set(diag, -EINVAL, "a list of more than %d", LIST_MAX);
	for (size_t i = 0; i < ret->nr && r == 0; i++)
		r = number(a, json_array_get(value, i), &ret->values[i], diag);
	return r;
}

static int bind(struct architecture *a, const char *name, const struct bound *value,
		struct diag *diag)
{
	if (a->nr_bound == BOUND_MAX)
		return diag_set(diag, -EINVAL, "more than %d names at once", BOUND_MAX);
	a->bound[a->nr_bound] = *value;
	a->bound[a->nr_bound].name = name;
	a->bound[a->nr_bound++].name_size = strlen(name);
	return 0;
}

static int bind_all(struct architecture *a, json_t *names, struct diag *diag)
{
	const char *name;
	json_t *value;

	json_object_foreach(names, name, value)
	{
		struct bound bound;
		int r = quantity(a, value, &bound, diag);

		if (r == 0)
			r = bind(a, name, &bound, diag);
		if (r < 0)
			return r;
	}
	return 0;
}

/* What is wrong stands in diag already; where, is put before it, as long as there is room for both.
 */
static int said_of(struct diag *diag, int r, const char *what, const char *name)
{
	char inner[sizeof(diag->message)];

	memcpy(inner, diag->message, sizeof(inner));
	if (strlen(inner) + strlen(what) + strlen(name) + 4 > sizeof(inner))
		return r;
	return diag_set(diag, r, "%s%s%s: %s", what, *what && *name ? " " : "", name, inner);
}

/* Each may refer to those before it. */
static int bind_parameters(struct architecture *a, struct diag *diag)
{
	json_t *parameters = json_object_get(a->root, "parameters"), *value;
	const char *name;

	a->nr_bound = a->nr_parameters = a->first_local = a->nr_characters = 0;
	json_object_foreach(parameters, name, value)
	{
		json_t *given = json_object_get(a->given, name);
		struct bound bound;
		int r = quantity(a, given ? given : value, &bound, diag);

		if (r == 0)
			r = bind(a, name, &bound, diag);
		if (r < 0)
			return said_of(diag, r, "parameter", name);
	}
	a->nr_parameters = a->first_local = a->nr_bound;
	return 0;
}

/* --- fields of a layer ------------------------------------------------------------------------ */

/* Sizes: what a program could not allocate is a mistake, or hostile. */
#define SIZE_MAX_ 1e15

static int field(struct walk *w, const json_t *layer, const char *name, double standard,
		 double *ret)
{
	const json_t *value = json_object_get(layer, name);
	int r;

	if (!value && isnan(standard))
		return diag_set(w->diag, -EINVAL, "\"%s\" is missing", name);
	*ret = standard;
	if (!value)
		return 0;
	r = number(w->a, value, ret, w->diag);
	if (r == 0 && (*ret < 0 || *ret > SIZE_MAX_))
		return diag_set(w->diag, -EINVAL, "\"%s\" is %g", name, *ret);
	return r;
}

/* A list of `nr` numbers, or one number for all; 0 is the standard of a missing one. */
static int list_field(struct walk *w, const json_t *layer, const char *name, size_t nr, double *ret)
{
	const json_t *value = json_object_get(layer, name);
	struct bound b;
	int r = quantity(w->a, value, &b, w->diag);

	if (r < 0)
		return r;
	if (b.is_list && b.nr != nr)
		return diag_set(w->diag, -EINVAL, "\"%s\" has %zu numbers, not %zu", name, b.nr,
				nr);
	for (size_t i = 0; i < nr; i++) {
		ret[i] = b.values[b.is_list ? i : 0];
		if (ret[i] < 0 || ret[i] > SIZE_MAX_)
			return diag_set(w->diag, -EINVAL, "\"%s\" has %g", name, ret[i]);
	}
	return 0;
}

#define NEEDED NAN
#define FIELD(name, standard)                                               \
	do {                                                                \
		const int field_r = field(w, json, #name, standard, &name); \
		if (field_r < 0)                                            \
			return field_r;                                     \
	} while (0)

/* --- layers ----------------------------------------------------------------------------------- */

static double element_bytes(const struct layer *l)
{
	return type_bytes(l->type);
}

static void moved(struct layer *l, double elements)
{
	l->cost.bytes = element_bytes(l) * elements;
	l->cost.type = l->type;
}

static int make_linear(struct walk *w, const json_t *json, struct layer *l)
{
	double rows, in, out, bias, batch, weights;

	FIELD(rows, NEEDED);
	FIELD(in, NEEDED);
	FIELD(out, NEEDED);
	FIELD(bias, 1);
	FIELD(batch, 1);
	FIELD(weights, 1);
	l->weights = weights != 0 ? batch * (in * out + (bias != 0 ? out : 0)) : 0;
	l->input = batch * rows * in;
	l->output = batch * rows * out;
	moved(l, l->input + batch * in * out + l->output);
	l->cost.flops = 2 * batch * rows * in * out;
	l->cost.parameter_bytes = element_bytes(l) * batch * in * out;
	return 0;
}

static size_t spatial_dims(const struct walk *w, const json_t *json)
{
	const json_t *size = json_object_get(json, "size");
	struct operand q;
	const char *text = json_string_value(size);

	if (text && look_up(w->a, text, strlen(text), &q) == 0 && q.is_list)
		return q.nr;
	return json_is_array(size) ? json_array_size(size) : 0;
}

/* Every pixel of the output reads a window; of a transposed one every pixel of the input writes it.
 */
static int make_conv(struct walk *w, const json_t *json, struct layer *l)
{
	double size[SPATIAL_MAX], kernel[SPATIAL_MAX], stride[SPATIAL_MAX] = { 1, 1, 1 };
	double padding[SPATIAL_MAX], batch, in, out, groups, bias, transposed;
	double pixels_in = 1, pixels_out = 1, window = 1;
	const size_t nr = spatial_dims(w, json);
	int r;

	if (!nr || nr > SPATIAL_MAX)
		return diag_set(w->diag, -EINVAL, "\"size\" must be a list of 1 to 3 numbers");
	FIELD(batch, NEEDED);
	FIELD(in, NEEDED);
	FIELD(out, NEEDED);
	FIELD(groups, 1);
	FIELD(bias, 1);
	FIELD(transposed, 0);
	r = list_field(w, json, "size", nr, size);
	if (r == 0)
		r = list_field(w, json, "kernel", nr, kernel);
	if (r == 0 && json_object_get(json, "stride"))
		r = list_field(w, json, "stride", nr, stride);
	for (size_t i = 0; i < nr; i++)
		padding[i] = floor(kernel[i] / 2);
	if (r == 0 && json_object_get(json, "padding"))
		r = list_field(w, json, "padding", nr, padding);
	if (r < 0)
		return r;
	for (size_t i = 0; i < nr; i++) {
		const double steps = size[i] + 2 * padding[i] - kernel[i];

		if (stride[i] < 1 || groups < 1 || (transposed == 0 && steps < 0))
			return diag_set(w->diag, -EINVAL, "the window is larger than the image");
		pixels_in *= size[i];
		pixels_out *= transposed != 0
				      ? (size[i] - 1) * stride[i] + kernel[i] - 2 * padding[i]
				      : floor(steps / stride[i]) + 1;
		window *= kernel[i];
	}
	l->weights = in / groups * out * window + (bias != 0 ? out : 0);
	l->input = batch * in * pixels_in;
	l->output = batch * out * pixels_out;
	moved(l, l->input + in / groups * out * window + l->output);
	l->cost.flops = 2 * batch * (transposed != 0 ? pixels_in : pixels_out) * out *
			(in / groups) * window;
	l->cost.parameter_bytes = element_bytes(l) * in / groups * out * window;
	return 0;
}

static enum role role_by_name(const char *name)
{
	for (int i = 0; name && i < NR_ROLES; i++)
		if (!strcmp(role_name((enum role)i), name))
			return (enum role)i;
	return NR_ROLES;
}

static int make_attention(struct walk *w, const json_t *json, struct layer *l)
{
	double batch, heads, kv_heads, q, k, size, value_size, causal;

	FIELD(batch, 1);
	FIELD(heads, NEEDED);
	FIELD(kv_heads, heads);
	FIELD(q, NEEDED);
	FIELD(k, q);
	FIELD(size, NEEDED);
	FIELD(value_size, size);
	FIELD(causal, 0);
	l->attention = (struct attention){
		.b = (uint64_t)batch,
		.h = (uint64_t)heads,
		.h_kv = (uint64_t)kv_heads,
		.s_q = (uint64_t)q,
		.s_k = (uint64_t)k,
		.d = (uint64_t)size,
		.d_v = (uint64_t)value_size,
		.causal = causal != 0,
		.type = l->type,
		.exactness = EXACTNESS_exact,
	};
	if (!cost_of_attention(&l->attention, PART_none, &l->cost))
		return diag_set(w->diag, -EINVAL, "an attention without queries, keys or heads");
	l->input = batch * (heads * q * size + kv_heads * k * (size + value_size));
	l->output = batch * heads * q * value_size;
	return 0;
}

/* Norms, softmax, elementwise, copies: elements read and written. */
static int make_elements(struct walk *w, const json_t *json, struct layer *l)
{
	double elements, channels, inputs, outputs, bias;

	FIELD(elements, NEEDED);
	FIELD(channels, 0);
	FIELD(inputs, 1);
	FIELD(outputs, 1);
	FIELD(bias, 1);
	l->input = inputs * elements;
	l->output = outputs * elements;
	l->weights = channels * (l->kind == LAYER_rms_norm || bias == 0 ? 1 : 2);
	moved(l, l->input + l->output + l->weights);
	return 0;
}

static int make_embedding(struct walk *w, const json_t *json, struct layer *l)
{
	double rows, size, vocabulary;

	FIELD(rows, NEEDED);
	FIELD(size, NEEDED);
	FIELD(vocabulary, 0);
	l->weights = vocabulary * size;
	l->input = l->output = rows * size;
	moved(l, 2 * rows * size);
	return 0;
}

static int (*const makers[NR_LAYER_KINDS])(struct walk *w, const json_t *json, struct layer *l) = {
	[LAYER_linear] = make_linear,
	[LAYER_conv] = make_conv,
	[LAYER_attention] = make_attention,
	[LAYER_embedding] = make_embedding,
};

static int visit_layer(struct walk *w, enum layer_kind kind, const json_t *json)
{
	struct layer l = w->layer;
	const char *name = json_string_value(json_object_get(json, "name"));
	const char *role = json_string_value(json_object_get(json, "role"));
	double cache;
	int r;

	l.kind = kind;
	l.name = name ? name : layer_kind_name(kind);
	l.path = w->path;
	r = (makers[kind] ? makers[kind] : make_elements)(w, json, &l);
	if (r == 0)
		r = field(w, json, "cache", 0, &cache);
	if (r < 0)
		return r;
	l.cache = cache;
	if (kind == LAYER_attention)
		l.role = role ? role_by_name(role) : attention_role(&l.attention);
	if (l.role == NR_ROLES)
		return diag_set(w->diag, -EINVAL, "there is no role \"%s\"", role);
	if (!w->has_weights)
		l.weights = 0;
	return w->visit(w->data, &l, w->diag);
}

/* --- structure -------------------------------------------------------------------------------- */

static int walk_layers(struct walk *w, const json_t *layers);

static int count_layer(struct walk *w)
{
	return w->nr_layers++ < LAYERS_MAX
		       ? 0
		       : diag_set(w->diag, -EINVAL, "more than %d layers", LAYERS_MAX);
}

/* "down[1]/" behind the path; what is too long is cut. */
static void enter(struct walk *w, const char *name, int index)
{
	const size_t size = strlen(w->path);

	if (index < 0)
		snprintf(w->path + size, sizeof(w->path) - size, "%s/", name);
	else
		snprintf(w->path + size, sizeof(w->path) - size, "%s[%d]/", name, index);
}

static int walk_repeat(struct walk *w, const json_t *json)
{
	const char *counter = json_string_value(json_object_get(json, "as"));
	const char *name = json_string_value(json_object_get(json, "name"));
	const json_t *layers = json_object_get(json, "layers");
	struct architecture *a = w->a;
	const size_t nr_bound = a->nr_bound, path_size = strlen(w->path);
	struct bound b = { .nr = 1 };
	double times;
	int r = field(w, json, "repeat", NEEDED, &times);

	for (uint64_t i = 0; r == 0 && (double)i < times; i++) {
		r = count_layer(w);
		if (r < 0)
			break;
		b.values[0] = (double)i;
		r = bind(a, counter ? counter : "i", &b, w->diag);
		if (name)
			enter(w, name, (int)i);
		if (r == 0)
			r = walk_layers(w, layers);
		a->nr_bound = nr_bound;
		w->path[path_size] = '\0';
	}
	return r;
}

static int walk_when(struct walk *w, const json_t *json)
{
	double is_so;
	const int r = number(w->a, json_object_get(json, "when"), &is_so, w->diag);
	const json_t *other = json_object_get(json, "else");

	if (r < 0)
		return r;
	if (is_so != 0)
		return walk_layers(w, json_object_get(json, "layers"));
	return other ? walk_layers(w, other) : 0;
}

static int walk_let(struct walk *w, const json_t *json)
{
	struct architecture *a = w->a;
	const size_t nr_bound = a->nr_bound;
	int r = bind_all(a, json_object_get(json, "let"), w->diag);

	if (r == 0)
		r = walk_layers(w, json_object_get(json, "layers"));
	a->nr_bound = nr_bound;
	return r;
}

/* Arguments are known by the caller's names, layers by the block's own. */
static int bind_arguments(struct walk *w, const json_t *json, json_t *arguments)
{
	struct architecture *a = w->a;
	const size_t nr_bound = a->nr_bound, first_local = a->first_local;
	const char *name;
	json_t *standard;

	json_object_foreach(arguments, name, standard)
	{
		const json_t *value = json_object_get(json, name);
		struct bound b;
		int r;

		if (!value && json_is_null(standard))
			return diag_set(w->diag, -EINVAL, "argument \"%s\" is missing", name);
		/* A standard may be made of the arguments before it. */
		a->first_local = value ? first_local : nr_bound;
		r = quantity(a, value ? value : standard, &b, w->diag);
		a->first_local = first_local;
		if (r == 0)
			r = bind(a, name, &b, w->diag);
		if (r < 0)
			return r;
	}
	return 0;
}

/* Of the description itself, else of one that it includes. */
static json_t *find_block(const struct architecture *a, const char *name)
{
	json_t *block = json_object_get(json_object_get(a->root, "blocks"), name), *other;
	size_t i;

	json_array_foreach(a->included, i, other)
	{
		if (!block)
			block = json_object_get(json_object_get(other, "blocks"), name);
	}
	return block;
}

static int walk_use(struct walk *w, const json_t *json)
{
	struct architecture *a = w->a;
	const char *name = json_string_value(json_object_get(json, "use"));
	const char *own = json_string_value(json_object_get(json, "name"));
	json_t *block = name ? find_block(a, name) : NULL;
	const size_t nr_bound = a->nr_bound, first_local = a->first_local;
	const size_t path_size = strlen(w->path);
	int r;

	if (!block)
		return diag_set(w->diag, -EINVAL, "there is no block \"%s\"", name ? name : "");
	r = bind_arguments(w, json, json_object_get(block, "arguments"));
	if (r == 0) {
		a->first_local = nr_bound;
		enter(w, own ? own : name, -1);
		r = walk_layers(w, json_object_get(block, "layers"));
		w->path[path_size] = '\0';
	}
	a->nr_bound = nr_bound;
	a->first_local = first_local;
	return r;
}

/* What a later layer needs stays in memory until then. */
static int walk_hold(struct walk *w, const json_t *json, const char *word, double sign)
{
	double elements;
	const int r = field(w, json, word, NEEDED, &elements);

	if (r == 0)
		w->layer.held = fmax(0, w->layer.held + sign * elements);
	return r;
}

static int walk_one(struct walk *w, const json_t *json)
{
	const int r = count_layer(w);

	if (r < 0)
		return r;
	if (!json_is_object(json))
		return diag_set(w->diag, -EINVAL, "a layer must be an object");
	if (json_object_get(json, "use"))
		return walk_use(w, json);
	if (json_object_get(json, "repeat"))
		return walk_repeat(w, json);
	if (json_object_get(json, "when"))
		return walk_when(w, json);
	if (json_object_get(json, "let"))
		return walk_let(w, json);
	if (json_object_get(json, "hold"))
		return walk_hold(w, json, "hold", 1);
	if (json_object_get(json, "release"))
		return walk_hold(w, json, "release", -1);
	for (int k = 0; k < NR_LAYER_KINDS; k++) {
		const json_t *fields = json_object_get(json, kind_names[k]);

		if (fields)
			return visit_layer(w, (enum layer_kind)k, fields);
	}
	return diag_set(w->diag, -EINVAL, "a layer of no known kind");
}

/* The innermost place says what is wrong, those around it where. */
static int place(struct walk *w, int r, const json_t *json, size_t index)
{
	const char *name;
	char where[96];
	json_t *value;

	if (r >= 0)
		return r;
	json_object_foreach((json_t *)json, name, value)
	{
		const char *text = json_string_value(value);

		snprintf(where, sizeof(where), "layers[%zu] %s", index, name);
		return said_of(w->diag, r, where, text ? text : "");
	}
	return r;
}

static int walk_layers(struct walk *w, const json_t *layers)
{
	const json_t *layer;
	size_t i;
	int r = 0;

	if (!json_is_array(layers))
		return diag_set(w->diag, -EINVAL, "\"layers\" must be a list");
	if (w->depth == DEPTH_MAX)
		return diag_set(w->diag, -EINVAL, "nested too deep");
	w->depth++;
	json_array_foreach((json_t *)layers, i, layer)
	{
		r = place(w, walk_one(w, layer), layer, i);
		if (r != 0)
			break;
	}
	w->depth--;
	return r;
}

static int walk_part(struct walk *w, const json_t *part)
{
	const char *counter = json_string_value(json_object_get(part, "as"));
	const json_t *layers = json_object_get(part, "layers");
	const size_t nr_bound = w->a->nr_bound;
	struct bound b = { .nr = 1 };
	double times;
	int r = field(w, part, "times", 1, &times);

	/* Passes that nothing tells apart are one that counts so often. */
	w->has_weights = !json_object_get(part, "weights_of");
	w->layer.count = counter ? 1 : times;
	for (uint64_t t = 0; r == 0 && (double)t < (counter ? times : times > 0); t++) {
		w->layer.pass = t;
		w->layer.held = 0;
		b.values[0] = (double)t;
		r = count_layer(w);
		if (r == 0 && counter)
			r = bind(w->a, counter, &b, w->diag);
		if (r == 0)
			r = walk_layers(w, layers);
		w->a->nr_bound = nr_bound;
	}
	return r;
}

static enum type type_by_name(const char *name)
{
	for (int t = 1; t < NR_TYPES; t++)
		if (!strcmp(type_name((enum type)t), name))
			return (enum type)t;
	return TYPE_none;
}

static int part_type(struct walk *w, const json_t *part)
{
	const json_t *own = json_object_get(part, "type");
	const char *name = json_string_value(own ? own : json_object_get(w->a->root, "type"));

	w->layer.type = name ? type_by_name(name) : TYPE_f16;
	return w->layer.type ? 0 : diag_set(w->diag, -EINVAL, "there is no type \"%s\"", name);
}

int architecture_walk(struct architecture *a, layer_visit visit, void *data, struct diag *diag)
{
	struct walk w = { .a = a, .visit = visit, .data = data, .diag = diag };
	const json_t *part;
	size_t i;
	int r = bind_parameters(a, diag);

	json_array_foreach(json_object_get(a->root, "parts"), i, part)
	{
		if (r != 0)
			break;
		w.layer = (struct layer){ .part = architecture_part(a, i), .part_index = i };
		r = part_type(&w, part);
		if (r == 0)
			r = walk_part(&w, part);
		if (r < 0)
			said_of(diag, r, w.layer.part, "");
	}
	return r;
}

/* --- the description -------------------------------------------------------------------------- */

static int load_text(struct architecture *a, const char *name, struct diag *diag)
{
	struct preset preset;
	const bool is_preset = preset_by_name(name, &preset);
	json_error_t error;

	a->root = is_preset ? json_loadb(preset.text, preset.size, JSON_REJECT_DUPLICATES, &error)
			    : json_load_file(name, JSON_REJECT_DUPLICATES, &error);
	if (!a->root && !is_preset && error.line < 0)
		return diag_set(diag, -ENOENT,
				"%s is neither a preset (--list) nor a file that can be read",
				name);
	if (!a->root)
		return diag_set(diag, -EINVAL, "%s, line %d: %s", name, error.line, error.text);
	if (!json_is_array(json_object_get(a->root, "parts")))
		return diag_set(diag, -EINVAL, "%s: \"parts\" must be a list", name);
	return 0;
}

static int load_included(struct architecture *a, struct diag *diag)
{
	const json_t *names = json_object_get(a->root, "include"), *value;
	size_t i;

	json_array_foreach((json_t *)names, i, value)
	{
		const char *name = json_string_value(value);
		struct preset preset;

		if (!name || !preset_by_name(name, &preset))
			return diag_set(diag, -EINVAL, "there is no preset \"%s\" to include",
					name ? name : "");
		if (json_array_append_new(a->included,
					  json_loadb(preset.text, preset.size, 0, NULL)) < 0)
			return diag_set(diag, -ENOMEM, "no memory");
	}
	return 0;
}

int architecture_load(const char *name, struct architecture **ret, struct diag *diag)
{
	struct architecture *a = calloc(1, sizeof(*a));
	int r;

	if (!a || !(a->bound = calloc(BOUND_MAX, sizeof(*a->bound))) ||
	    !(a->given = json_object()) || !(a->included = json_array())) {
		architecture_free(a);
		return diag_set(diag, -ENOMEM, "no memory");
	}
	r = load_text(a, name, diag);
	if (r == 0)
		r = load_included(a, diag);
	if (r == 0)
		r = bind_parameters(a, diag);
	if (r < 0) {
		architecture_free(a);
		return r;
	}
	*ret = a;
	return 0;
}

void architecture_free(struct architecture *a)
{
	if (!a)
		return;
	json_decref(a->root);
	json_decref(a->given);
	json_decref(a->included);
	free(a->bound);
	free(a);
}

/* A list, or an expression. */
static json_t *text_value(const char *text)
{
	return *text == '[' ? json_loads(text, 0, NULL) : json_string(text);
}

int architecture_set(struct architecture *a, const char *assignment, struct diag *diag)
{
	const char *equals = strchr(assignment, '=');
	char name[64];

	if (!equals || equals == assignment || (size_t)(equals - assignment) >= sizeof(name))
		return diag_set(diag, -EINVAL, "'%s' is not NAME=VALUE", assignment);
	memcpy(name, assignment, (size_t)(equals - assignment));
	name[equals - assignment] = '\0';
	if (!json_object_get(json_object_get(a->root, "parameters"), name))
		return diag_set(diag, -EINVAL, "%s has no parameter '%s'", architecture_name(a),
				name);
	if (json_object_set_new(a->given, name, text_value(equals + 1)) < 0)
		return diag_set(diag, -EINVAL, "'%s' is not understood", assignment);
	return bind_parameters(a, diag);
}

const char *architecture_name(const struct architecture *a)
{
	const char *name = json_string_value(json_object_get(a->root, "name"));

	return name ? name : "a model";
}

const char *architecture_note(const struct architecture *a)
{
	const char *note = json_string_value(json_object_get(a->root, "note"));

	return note ? note : "";
}

size_t architecture_nr_parts(const struct architecture *a)
{
	return json_array_size(json_object_get(a->root, "parts"));
}

const char *architecture_part(const struct architecture *a, size_t index)
{
	const json_t *part = json_array_get(json_object_get(a->root, "parts"), index);
	const char *name = json_string_value(json_object_get(part, "name"));

	return name ? name : "forward pass";
}

int architecture_find(struct architecture *a, expression_lookup known, void *scope,
		      struct diag *diag)
{
	json_t *found = json_object_get(a->root, "found"), *text;
	const char *name;

	json_object_foreach(found, name, text)
	{
		double value;

		/* What the run does not say stays as it is described; what the user says counts. */
		if (!json_object_get(json_object_get(a->root, "parameters"), name))
			return diag_set(diag, -EINVAL, "\"found\": there is no parameter \"%s\"",
					name);
		if (json_object_get(a->given, name) || !json_is_string(text) ||
		    expression_value(json_string_value(text), known, scope, &value, diag) < 0)
			continue;
		if (json_object_set_new(a->given, name, json_real(value)) < 0)
			return diag_set(diag, -ENOMEM, "no memory");
	}
	return bind_parameters(a, diag);
}

const char *architecture_phase(const struct architecture *a, size_t index)
{
	const json_t *part = json_array_get(json_object_get(a->root, "parts"), index);
	const char *name = json_string_value(json_object_get(part, "phase"));

	return name ? name : architecture_part(a, index);
}

const char *architecture_parameter_at(const struct architecture *a, size_t index, double *ret)
{
	if (index >= a->nr_parameters)
		return NULL;
	*ret = a->bound[index].is_list ? NAN : a->bound[index].values[0];
	return a->bound[index].name;
}

bool architecture_is_derived(const struct architecture *a, const char *name)
{
	return !json_object_get(a->given, name) &&
	       !json_is_number(json_object_get(json_object_get(a->root, "parameters"), name));
}

json_t *architecture_json(const struct architecture *a)
{
	return json_deep_copy(a->root);
}
