#include "bus/nats_waste.h"

void
sl_nats_waste_add(struct sl_nats_waste *waste, natsMsg *message)
{
	waste->messages[waste->count++] = message;
	waste->bytes += (size_t)natsMsg_GetDataLength(message);
	if (waste->count == SL_NATS_WASTE_MAX || waste->bytes > SL_NATS_WASTE_BYTES_MAX)
		sl_nats_waste_empty(waste);
}

void
sl_nats_waste_empty(struct sl_nats_waste *waste)
{
	for (unsigned i = 0; i < waste->count; i++)
		natsMsg_Destroy(waste->messages[i]);
	waste->count = 0;
	waste->bytes = 0;
}
