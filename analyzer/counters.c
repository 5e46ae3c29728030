/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

static const struct {
	const char *name, *meaning;
	int loss;
} counters[TTI_COUNTER_LIMIT] = {
#define TTI_COUNTER(id, NAME, name, loss, what) [id] = { name, what, loss },
#include "ttitrace/enums.def"
#undef TTI_COUNTER
};

const char *counter_name(enum tti_counter counter)
{
	return counters[counter].name;
}

const char *counter_meaning(enum tti_counter counter)
{
	return counters[counter].meaning;
}

bool counter_is_loss(enum tti_counter counter)
{
	return counters[counter].loss != 0;
}

bool counter_is_loss_of_rows(enum tti_counter counter)
{
	return counters[counter].loss == 1;
}
