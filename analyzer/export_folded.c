/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "export_formats.h"
#include "report_stacks.h"

int export_folded(const struct export *e)
{
	struct call_tree tree;
	int r = call_tree_make(&tree, &e->analysis->run, &e->analysis->profile, &e->stacks,
			       e->diag);

	if (r < 0)
		return r;
	r = stacks_folded(&tree, e->out);
	call_tree_clear(&tree);
	return r < 0 ? diag_set(e->diag, r, "no memory") : 0;
}
