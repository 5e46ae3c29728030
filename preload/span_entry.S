/* SPDX-License-Identifier: Apache-2.0 */
/*
 * span_entry.S - the personality routine of span.h by the name that its assembler text uses: one
 * that optimising the library as a whole neither renames nor drops.
 */
	.text
	.globl span_personality
	.hidden span_personality
#if defined(__x86_64__)
	.type span_personality, @function
span_personality:
	.cfi_startproc
	endbr64
	jmp span_unwound
	.cfi_endproc
#elif defined(__aarch64__)
	.type span_personality, %function
span_personality:
	.cfi_startproc
	b span_unwound
	.cfi_endproc
#else
#error "a jump to span_unwound: write it for this processor"
#endif
	.size span_personality, . - span_personality
	.section .note.GNU-stack, "", %progbits
