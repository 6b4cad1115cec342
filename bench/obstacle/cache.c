#include "bench/obstacle/cache.h"

#include <string.h>

void
ob_cache_finish(struct ob_cache *cache)
{
	for (unsigned i = 0; i < OB_CACHE_ENTRIES; i++) {
		sl_buffer_finish(&cache->entries[i].key);
		sl_buffer_finish(&cache->entries[i].answer);
	}
}

const struct ob_cache_entry *
ob_cache_find(const struct ob_cache *cache, struct sl_span key)
{
	for (unsigned i = 0; i < OB_CACHE_ENTRIES; i++) {
		const struct ob_cache_entry *entry = &cache->entries[i];
		if (entry->answer.len && entry->key.len == key.len
			&& memcmp(entry->key.bytes, key.bytes, key.len) == 0)
			return entry;
	}
	return NULL;
}

static struct ob_cache_entry *
take_place(struct ob_cache *cache, struct sl_span key)
{
	const struct ob_cache_entry *same = ob_cache_find(cache, key);
	if (same)
		return &cache->entries[same - cache->entries];
	struct ob_cache_entry *entry = &cache->entries[cache->next];
	cache->next = (cache->next + 1) % OB_CACHE_ENTRIES;
	return entry;
}

void
ob_cache_store(struct ob_cache *cache, struct sl_span key, struct sl_span answer, uint64_t now_ms)
{
	if (key.len == 0 || answer.len == 0 || key.len + answer.len > OB_CACHE_BYTES)
		return;
	struct ob_cache_entry *entry = take_place(cache, key);
	sl_buffer_clear(&entry->key);
	sl_buffer_clear(&entry->answer);
	sl_buffer_append(&entry->key, key.bytes, key.len);
	sl_buffer_append(&entry->answer, answer.bytes, answer.len);
	entry->stored_ms = now_ms;
	if (sl_buffer_status(&entry->key) != 0 || sl_buffer_status(&entry->answer) != 0)
		sl_buffer_clear(&entry->answer);
}
