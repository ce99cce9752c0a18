/* A small libnvidia-ml.so.1. The file named by FAKE_NVML says what it answers:
 *   <result of nvmlInit> <result of every figure> <driver version> <number of devices>
 *   <uuid> <name without spaces> <busy percent, -1: not supported> <used bytes> <total bytes>     (one line a device)
 * It is read again at every call, so that a test can change it. With -1 for the first number no call returns until it
 * has changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { HANGS = -1, SUCCESS = 0, INVALID_ARGUMENT = 2, NOT_SUPPORTED = 3, MAX_DEVICES = 8 };

typedef struct { char uuid[96], name[96]; int busy; unsigned long long used, total; } device_t;
typedef struct { unsigned long long total, free, used; } memory_t;
typedef struct { unsigned int gpu, memory; } utilization_t;

static int init_result, result, count, calls;
static char driver[80];
static device_t devices[MAX_DEVICES];

static int load_once(void) {
    FILE *file = fopen(getenv("FAKE_NVML"), "r");
    if (!file) abort();
    if (fscanf(file, "%d %d %79s %d", &init_result, &result, driver, &count) != 4 || count > MAX_DEVICES) abort();
    for (int i = 0; i < count; i++) {
        device_t *d = &devices[i];
        if (fscanf(file, "%95s %95s %d %llu %llu", d->uuid, d->name, &d->busy, &d->used, &d->total) != 5) abort();
    }
    fclose(file);
    return result;
}

static int load(void) {
    while (load_once(), init_result == HANGS) usleep(1000);
    return result;
}

int nvmlInitWithFlags(unsigned int flags) { (void)flags; load(); return init_result; }
int nvmlShutdown(void) { return SUCCESS; }
const char *nvmlErrorString(int code) { return code == 18 ? "Driver/library version mismatch" : "Fake error"; }

int nvmlSystemGetDriverVersion(char *version, unsigned int length) {
    load();
    snprintf(version, length, "%s", driver);
    return SUCCESS;
}

int nvmlDeviceGetCount_v2(unsigned int *number) { load(); *number = (unsigned int)count; return SUCCESS; }

int nvmlDeviceGetHandleByIndex_v2(unsigned int index, device_t **device) {
    if (index >= (unsigned int)count) return INVALID_ARGUMENT;
    *device = &devices[index];
    return SUCCESS;
}

int nvmlDeviceGetUUID(device_t *device, char *uuid, unsigned int length) {
    snprintf(uuid, length, "%s", device->uuid);
    return SUCCESS;
}

int nvmlDeviceGetName(device_t *device, char *name, unsigned int length) {
    snprintf(name, length, "%s", device->name);
    return SUCCESS;
}

int nvmlDeviceGetMemoryInfo(device_t *device, memory_t *memory) {
    calls++;
    if (load() != SUCCESS) return result;
    memory->total = device->total;
    memory->used = device->used;
    memory->free = device->total - device->used;
    return SUCCESS;
}

int nvmlDeviceGetUtilizationRates(device_t *device, utilization_t *utilization) {
    if (load() != SUCCESS) return result;
    if (device->busy < 0) return NOT_SUPPORTED;
    utilization->gpu = (unsigned int)device->busy;
    utilization->memory = 0;
    return SUCCESS;
}

int fake_calls(void) { return calls; }
