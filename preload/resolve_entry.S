/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve_entry.S - the exported dlsym and dlvsym.
 *
 * libc takes the caller from the return address (RTLD_NEXT, RTLD_DEFAULT, the namespace of a
 * handle), so what we do not answer must reach it by a jump, with every argument as it came.
 * The answering function returns 0 for that, and -1 for NULL.
 */
#if defined(__x86_64__)
.macro ENTRY name, answer, real
	.globl \name
	.type \name, @function
\name:
	.cfi_startproc
	endbr64
	pushq %rdi
	.cfi_adjust_cfa_offset 8
	pushq %rsi
	.cfi_adjust_cfa_offset 8
	pushq %rdx
	.cfi_adjust_cfa_offset 8
	call \answer
	popq %rdx
	.cfi_adjust_cfa_offset -8
	popq %rsi
	.cfi_adjust_cfa_offset -8
	popq %rdi
	.cfi_adjust_cfa_offset -8
	testq %rax, %rax
	jz 1f
	cmpq $-1, %rax
	jne 2f
	xorl %eax, %eax
2:	ret
1:	jmp *\real(%rip)
	.cfi_endproc
	.size \name, . - \name
.endm
#elif defined(__aarch64__)
.macro ENTRY name, answer, real
	.globl \name
	.type \name, %function
\name:
	.cfi_startproc
	stp x29, x30, [sp, #-48]!
	.cfi_def_cfa_offset 48
	.cfi_offset x29, -48
	.cfi_offset x30, -40
	stp x0, x1, [sp, #16]
	str x2, [sp, #32]
	bl \answer
	mov x16, x0
	ldp x0, x1, [sp, #16]
	ldr x2, [sp, #32]
	ldp x29, x30, [sp], #48
	.cfi_def_cfa_offset 0
	cbz x16, 1f
	cmn x16, #1
	csel x0, xzr, x16, eq
	ret
1:	adrp x16, \real
	ldr x16, [x16, :lo12:\real]
	br x16
	.cfi_endproc
	.size \name, . - \name
.endm
#else
#error "dlsym and dlvsym must be passed on by a jump: write ENTRY for this processor"
#endif

	.text
ENTRY dlsym, resolve_dlsym, resolve_libc_dlsym
ENTRY dlvsym, resolve_dlvsym, resolve_libc_dlvsym
	.section .note.GNU-stack, "", %progbits
