/* SPDX-License-Identifier: Apache-2.0 */
/* page_text.S - the page of report --html as it was put together from analyzer/html/; page.c. */
	.section .rodata
	.globl page_text, page_text_end
	.balign 16
page_text:
	.incbin PAGE_FILE
page_text_end:
	.byte 0
	.section .note.GNU-stack, "", %progbits
