/* SPDX-License-Identifier: Apache-2.0 */
/* preamble.c - Runs in: the writer. */
#include "preamble.h"

#include <fcntl.h>
#include <link.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "cupti.h"
#include "driver.h"
#include "options.h"
#include "trace_path.h"
#include "ttitrace/ttitrace.h"

static uint64_t begin_ns, begin_realtime_ns;

/* Loaded objects whose versions explain a run. */
static const char *const telling[] = { "libcuda.so",       "libcudart.so", "libcublas.so",
				       "libcublasLt.so",   "libcudnn.so",  "libnccl.so",
				       "libtorch_cuda.so", "libcupti.so",  "libnvrtc.so" };

void preamble_remember_begin(void)
{
	begin_ns = clock_read_ns(CLOCK_MONOTONIC);
	begin_realtime_ns = clock_read_ns(CLOCK_REALTIME);
}

static struct tti_str text(const char *s)
{
	return (struct tti_str){ s, strlen(s) };
}

static void put_info(struct tti_buffer *b, const char *key, const char *value)
{
	const struct tti_info r = { .key = text(key), .value = text(value) };

	tti_put_record(b, TTI_RECORD_INFO, &r);
}

static void put_number(struct tti_buffer *b, const char *key, uint64_t value)
{
	char digits[24];
	char *d = digits + sizeof(digits);

	*--d = '\0';
	do
		*--d = (char)('0' + value % 10);
	while (value /= 10);
	put_info(b, key, d);
}

static size_t read_bytes(const char *path, char *out, size_t size)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = 0;

	if (fd >= 0) {
		n = read(fd, out, size);
		close(fd);
	}
	return n > 0 ? (size_t)n : 0;
}

static void put_process(struct tti_buffer *b, uint64_t ticks_per_second)
{
	static char command[65536];
	char host[256] = "", program[4096] = "";

	gethostname(host, sizeof(host) - 1);
	if (readlink("/proc/self/exe", program, sizeof(program) - 1) < 0)
		program[0] = '\0';
	tti_put_record(b, TTI_RECORD_PROCESS,
		       &(const struct tti_process){
			       .pid = (uint64_t)getpid(),
			       .parent_pid = (uint64_t)getppid(),
			       .begin_ns = begin_ns,
			       .begin_realtime_ns = begin_realtime_ns,
			       .ticks_per_second = clock_counter_is_steady ? ticks_per_second : 0,
			       .host = text(host),
			       .program = text(program),
			       .command = { command, read_bytes("/proc/self/cmdline", command,
								sizeof(command)) },
			       .rank = text(trace_path_rank()),
			       .version = text(TTI_VERSION),
		       });
}

/* The word of a choice: words are split at |. */
static void put_choice(struct tti_buffer *b, const char *key, const char *words, uint64_t index)
{
	struct tti_info r = { .key = text(key) };

	for (; index; index--)
		words += strcspn(words, "|") + 1;
	r.value = (struct tti_str){ words, strcspn(words, "|") };
	tti_put_record(b, TTI_RECORD_INFO, &r);
}

#define PUT_TEXT(key, words, value)   put_info(b, key, value)
#define PUT_NUMBER(key, words, value) put_number(b, key, value)
#define PUT_CHOICE(key, words, value) put_choice(b, key, words, value)

static void put_options(struct tti_buffer *b)
{
#define OPTION(field, TYPE, def, variable, option, argument, help) \
	PUT_##TYPE("option." #field, argument, options.field);
#include "ttitrace/options.def"
#undef OPTION
}

static int put_library(struct dl_phdr_info *object, size_t size, void *data)
{
	const char *slash = strrchr(object->dlpi_name, '/');
	const char *base = slash ? slash + 1 : object->dlpi_name;

	(void)size;
	for (size_t i = 0; i < sizeof(telling) / sizeof(telling[0]); i++)
		if (strncmp(base, telling[i], strlen(telling[i])) == 0)
			put_info(data, "library", object->dlpi_name);
	return 0;
}

/* The word that looks like 580.159.03: its place in the line depends on the flavour of module. */
static void put_driver_package(struct tti_buffer *b)
{
	char line[256];
	char *end;

	line[read_bytes("/proc/driver/nvidia/version", line, sizeof(line) - 1)] = '\0';
	for (char *word = line; *word; word = end + strspn(end, " ")) {
		end = word + strcspn(word, " \n");
		if (*word < '0' || *word > '9' || !memchr(word, '.', (size_t)(end - word))) {
			if (*end == '\n')
				return;
			continue;
		}
		*end = '\0';
		put_info(b, "driver.version", word);
		return;
	}
}

static void put_versions(struct tti_buffer *b)
{
	const char *path;
	uint32_t cupti_version;
	int driver_version = 0;

	if (driver.cuDriverGetVersion(&driver_version) == CUDA_SUCCESS)
		put_number(b, "driver.cuda_version", (uint64_t)driver_version);
	put_driver_package(b);
	if (cupti_describe(&path, &cupti_version)) {
		put_info(b, "cupti.path", path);
		put_number(b, "cupti.version", cupti_version);
	}
}

static void put_devices(struct tti_buffer *b)
{
	struct device_text strings;
	struct tti_device device;
	int n = 0;

	driver.cuDeviceGetCount(&n);
	for (int i = 0; i < n; i++)
		if (driver_describe(i, &device, &strings))
			tti_put_record(b, TTI_RECORD_DEVICE, &device);
}

void preamble_put(struct tti_buffer *b, uint64_t ticks_per_second)
{
	put_process(b, ticks_per_second);
	put_options(b);
	put_versions(b);
	dl_iterate_phdr(put_library, b);
	put_devices(b);
	tti_put_record(b, TTI_RECORD_CLOCK,
		       &(const struct tti_clock){
			       .monotonic_ns = clock_read_ns(CLOCK_MONOTONIC),
			       .realtime_ns = clock_read_ns(CLOCK_REALTIME),
		       });
}
