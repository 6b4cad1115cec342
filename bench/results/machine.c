#include "bench/results/machine.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

static void
set_cpu(json_t *machine)
{
	char line[256];
	FILE *file = fopen("/proc/cpuinfo", "re");
	while (file && fgets(line, sizeof line, file)) {
		/* "model name" on x86, "Model" or nothing elsewhere. */
		char *value = strncmp(line, "model name", 10) == 0 ? strchr(line, ':') : NULL;
		if (!value)
			continue;
		value += 1 + strspn(value + 1, " \t");
		value[strcspn(value, "\n")] = '\0';
		json_object_set_new(machine, "cpu", json_string(value));
		break;
	}
	if (file)
		fclose(file);
}

json_t *
bench_machine_json(void)
{
	struct utsname names;
	struct sysinfo memory;
	double load;
	json_t *machine = json_object();
	set_cpu(machine);
	json_object_set_new(machine, "cores", json_integer(get_nprocs()));
	if (uname(&names) == 0) {
		json_object_set_new(machine, "kernel", json_sprintf("%s %s", names.sysname, names.release));
		json_object_set_new(machine, "architecture", json_string(names.machine));
	}
	if (sysinfo(&memory) == 0)
		json_object_set_new(machine, "memory_mib",
			json_integer((json_int_t)((uint64_t)memory.totalram * memory.mem_unit >> 20)));
	if (getloadavg(&load, 1) == 1)
		json_object_set_new(machine, "load_before", json_real(load));
	return machine;
}

void
bench_machine_set_libraries(json_t *versions)
{
	json_object_set_new(versions, "libmicrohttpd", json_string(MICROHTTPD_VERSION));
	json_object_set_new(versions, "openssl", json_string(CRYPTO_VERSION));
	json_object_set_new(versions, "jansson", json_string(jansson_version_str()));
}
