/* How many cores a control group lets its processes use: Linux shows the quota as files, and OpenMP does not look. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "internal/parallel.h"

#define FK_PATH 4096

int fk_quota_cores(const char *quota) {
  char *rest;
  const double time = strtod(quota, &rest);
  if (rest == quota || time <= 0) return 0; /* "max", or -1 in version 1 */
  const double period = strtod(rest, &rest);
  if (!(period > 0) || time / period > FK_MOST_THREADS) return 0;
  /* a thread that has to wait for its share holds up all others at every barrier */
  return time < period ? 1 : (int)(time / period);
}

/* The first line of folder/name, after what is in `text`; false where there is none. */
static int read_line(char *text, size_t size, const char *folder, const char *name) {
  char path[FK_PATH + 64];
  snprintf(path, sizeof path, "%s/%s", folder, name);
  FILE *file = fopen(path, "re");
  if (!file) return 0;
  const size_t start = strlen(text);
  const int is_read = fgets(text + start, (int)(size - start), file) != NULL;
  fclose(file);
  if (is_read) text[strcspn(text, "\n")] = 0;
  return is_read;
}

static int cores_of(const char *folder) {
  char text[128] = "";
  if (read_line(text, sizeof text, folder, "cpu.max")) return fk_quota_cores(text);
  *text = 0;
  if (!read_line(text, sizeof text, folder, "cpu.cfs_quota_us")) return 0;
  strcat(text, " ");
  return read_line(text, sizeof text, folder, "cpu.cfs_period_us") ? fk_quota_cores(text) : 0;
}

int fk_group_cores(const char *root, const char *membership) {
  static const char *const mounts[] = {"", "/unified", "/cpu", "/cpu,cpuacct"};
  int least = 0;
  for (const char *line = membership; line && *line;) {
    const char *path = strchr(line, ':'), *end = strchr(line, '\n');
    path = path ? strchr(path + 1, ':') : NULL;
    const int length = path && (!end || path < end) ? (int)((end ? end : path + strlen(path)) - path - 1) : 0;
    for (size_t i = 0; length > 0 && i < sizeof mounts / sizeof mounts[0]; i++) {
      char folder[FK_PATH];
      if (snprintf(folder, sizeof folder, "%s%s%.*s", root, mounts[i], length, path + 1) >= FK_PATH) continue;
      for (;;) { /* the group, and all that it is in */
        const int cores = cores_of(folder);
        if (cores > 0 && (least == 0 || cores < least)) least = cores;
        if (strlen(folder) <= strlen(root) + strlen(mounts[i])) break;
        *strrchr(folder, '/') = 0;
      }
    }
    line = end ? end + 1 : NULL;
  }
  return least;
}

int fk_quota_of_process(void) {
  static char membership[FK_PATH * 2];
  FILE *file = fopen("/proc/self/cgroup", "re");
  if (!file) return 0;
  const size_t count = fread(membership, 1, sizeof membership - 1, file);
  fclose(file);
  membership[count] = 0;
  return fk_group_cores("/sys/fs/cgroup", membership);
}
