/* SPDX-License-Identifier: Apache-2.0 */
/* span.c - Runs in: the application's thread, while its stack is unwound. */
#include "span.h"

#include <unwind.h>

/* As span_entry.S calls it. */
_Unwind_Reason_Code span_unwound(int version, _Unwind_Action actions,
				 _Unwind_Exception_Class exception_class,
				 struct _Unwind_Exception *exception,
				 struct _Unwind_Context *context);

/*
 * A call inside of another one that is left this way closes the outer one too: then the rest of its
 * launches carry none, which is not wrong.
 */
_Unwind_Reason_Code span_unwound(int version, _Unwind_Action actions,
				 _Unwind_Exception_Class exception_class,
				 struct _Unwind_Exception *exception,
				 struct _Unwind_Context *context)
{
	(void)version, (void)exception_class, (void)exception, (void)context;
	if (actions & _UA_CLEANUP_PHASE)
		tls.call = 0;
	return _URC_CONTINUE_UNWIND;
}
