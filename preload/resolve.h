/* SPDX-License-Identifier: Apache-2.0 */
/* resolve.h - how entry points are looked up, by the application and by us. */
#ifndef PRELOAD_RESOLVE_H
#define PRELOAD_RESOLVE_H

/* dlsym as libc has it: in `library`, a dlopen handle.  Our own exports are never the answer. */
void *resolve_real(void *library, const char *symbol);

#endif
