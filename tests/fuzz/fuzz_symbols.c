/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_symbols.c - the same bytes as a file of symbols, as an ELF object, and as a symbol. */
#include "tests/fuzz/input.h"

#include <stdlib.h>
#include <string.h>

#include "analyzer/elf_symbols.h"
#include "analyzer/function_name.h"
#include "analyzer/symbol_file.h"

/* Every build-id of one byte, and none: so that what is behind it is reached. */
static void read_object(const char *path)
{
	struct elf_symbols *symbols;

	for (int id = -1; id < 2; id++) {
		const uint8_t byte = (uint8_t)id;

		if (elf_symbols_open(path, &byte, id >= 0, &symbols) < 0)
			continue;
		for (uint64_t address = 0; address < 0x3000; address += 7)
			elf_symbol(symbols, address);
		elf_symbol(symbols, UINT64_MAX);
		elf_symbols_free(symbols);
	}
}

static void read_file(const char *path)
{
	struct symbol_file *file = symbol_file_new();
	struct diag diag;

	if (!file)
		exit(1);
	symbol_file_read(file, path, &diag);
	symbol_file_find(file, SYMBOL_FILE_ABSOLUTE, 16);
	symbol_file_free(file);
}

static void shorten(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	char *name = text ? function_name(text) : NULL;

	if (!name || strlen(name) > strlen(text))
		exit(1);
	free(name);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = input_file(data, size);

	read_object(path);
	read_file(path);
	shorten(data, size);
	return 0;
}
