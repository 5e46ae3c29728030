/* SPDX-License-Identifier: Apache-2.0 */
#include "perfetto_packets.h"

#include <errno.h>
#include <stdlib.h>

enum {
	SEQUENCE = 1,
	STATE_CLEARED = 1, /* of sequence_flags: what was interned before does not count */
	NEEDS_STATE = 2,
	CLOCK_OF_REAL_TIME = 1,
	CLOCK_OF_HOST_TIMES = 3, /* CLOCK_MONOTONIC */
	CLOCK_OF_BOOT = 6,       /* what Perfetto shows times in */
	SMALL = 4096,            /* an event has numbers only */
};

/* Field 1 of Trace, a message. */
static void put_packet(struct packets *p, const Perfetto__Packet *packet)
{
	const ProtobufCMessage *message = &packet->base;
	const size_t room =
		packet->track_event ? SMALL : protobuf_c_message_get_packed_size(message);
	uint8_t small[SMALL], prefix[12] = { 1 << 3 | 2 };
	uint8_t *bytes = room <= SMALL ? small : malloc(room);
	size_t size, at = 1;

	if (!bytes) {
		p->err = -ENOMEM;
		return;
	}
	size = protobuf_c_message_pack(message, bytes);
	for (size_t left = size; at == 1 || left; left >>= 7)
		prefix[at++] = (uint8_t)((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
	fwrite_unlocked(prefix, 1, at, p->out);
	fwrite_unlocked(bytes, 1, size, p->out);
	if (bytes != small)
		free(bytes);
}

static Perfetto__Packet new_packet(void)
{
	Perfetto__Packet packet = PERFETTO__PACKET__INIT;

	packet.has_trusted_packet_sequence_id = 1;
	packet.trusted_packet_sequence_id = SEQUENCE;
	packet.has_sequence_flags = 1;
	packet.sequence_flags = NEEDS_STATE;
	return packet;
}

static void put_clocks(struct packets *p, uint64_t monotonic_ns, uint64_t realtime_ns)
{
	static const uint32_t ids[] = { CLOCK_OF_HOST_TIMES, CLOCK_OF_BOOT, CLOCK_OF_REAL_TIME };
	Perfetto__Clock clocks[3], *pointers[3];
	Perfetto__ClockSnapshot snapshot = PERFETTO__CLOCK_SNAPSHOT__INIT;
	Perfetto__Packet packet = new_packet();

	for (size_t i = 0; i < 3; i++) {
		clocks[i] = (Perfetto__Clock)PERFETTO__CLOCK__INIT;
		clocks[i].has_clock_id = clocks[i].has_timestamp = 1;
		clocks[i].clock_id = ids[i];
		clocks[i].timestamp = ids[i] == CLOCK_OF_REAL_TIME ? realtime_ns : monotonic_ns;
		pointers[i] = &clocks[i];
	}
	snapshot.n_clocks = realtime_ns ? 3 : 2;
	snapshot.clocks = pointers;
	packet.clock_snapshot = &snapshot;
	put_packet(p, &packet);
}

void packets_begin(struct packets *p, FILE *out, uint64_t monotonic_ns, uint64_t realtime_ns)
{
	Perfetto__Defaults defaults = PERFETTO__DEFAULTS__INIT;
	Perfetto__Packet packet = new_packet();

	*p = (struct packets){ .out = out };
	defaults.has_timestamp_clock_id = 1;
	defaults.timestamp_clock_id = CLOCK_OF_HOST_TIMES;
	packet.trace_packet_defaults = &defaults;
	packet.has_first_packet_on_sequence = packet.first_packet_on_sequence = 1;
	packet.sequence_flags = STATE_CLEARED;
	put_packet(p, &packet);
	put_clocks(p, monotonic_ns, realtime_ns);
}

void packets_clear(struct packets *p)
{
	for (int i = 0; i < NR_INTERNS; i++)
		id_map_free(&p->interned[i]);
}

static void put_interned(struct packets *p, enum packet_intern sort, uint64_t iid, const char *text)
{
	Perfetto__Interned row = PERFETTO__INTERNED__INIT, *rows[] = { &row };
	Perfetto__InternedData data = PERFETTO__INTERNED_DATA__INIT;
	Perfetto__Packet packet = new_packet();

	row.has_iid = 1;
	row.iid = iid;
	row.name = (char *)text;
	switch (sort) {
	case INTERN_category:
		data.n_event_categories = 1;
		data.event_categories = rows;
		break;
	case INTERN_name:
		data.n_event_names = 1;
		data.event_names = rows;
		break;
	case INTERN_annotation:
		data.n_debug_annotation_names = 1;
		data.debug_annotation_names = rows;
		break;
	case INTERN_text:
	case NR_INTERNS:
		data.n_debug_annotation_string_values = 1;
		data.debug_annotation_string_values = rows;
		break;
	}
	packet.interned_data = &data;
	put_packet(p, &packet);
}

uint64_t packets_intern(struct packets *p, enum packet_intern sort, const char *text)
{
	uint32_t iid = id_map_find(&p->interned[sort], (uintptr_t)text);

	if (iid)
		return iid;
	iid = ++p->nr_interned[sort];
	if (id_map_add(&p->interned[sort], (uintptr_t)text, iid) < 0) {
		p->err = -ENOMEM;
		return 0;
	}
	put_interned(p, sort, iid, text);
	return iid;
}

uint64_t packets_track(struct packets *p, Perfetto__TrackDescriptor *track)
{
	Perfetto__Packet packet = new_packet();

	track->has_uuid = 1;
	track->uuid = ++p->nr_tracks;
	packet.track_descriptor = track;
	put_packet(p, &packet);
	return track->uuid;
}

void packets_event(struct packets *p, uint64_t time_ns, Perfetto__Event *event)
{
	Perfetto__Packet packet = new_packet();

	packet.has_timestamp = 1;
	packet.timestamp = time_ns;
	packet.track_event = event;
	put_packet(p, &packet);
}
