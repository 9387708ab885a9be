/* Which BLAS is linked, what CPU it takes this one for, and whether large products are left to it. */
#if defined(__linux__)
#define _GNU_SOURCE /* RTLD_DEFAULT */
#endif
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ckernels.h"

/* What OpenBLAS says of itself. It is looked up at run time, so that another BLAS links as well. */
static const char *said_by_openblas(const char *function) {
  char *(*say)(void);
  void *symbol = dlsym(RTLD_DEFAULT, function);
  if (!symbol) return NULL;
  memcpy(&say, &symbol, sizeof say); /* (ISO C has no cast from an object to a function) */
  return say();
}

/* The configuration begins with the name and the version: "OpenBLAS 0.3.21 DYNAMIC_ARCH ...". */
const char *fk_blas_library(void) {
  static _Thread_local char name[64];
  const char *text = said_by_openblas("openblas_get_config");
  if (!text) return "unknown";
  const size_t first = strcspn(text, " "), length = text[first] ? first + 1 + strcspn(text + first + 1, " ") : first;
  if (length == 0 || length >= sizeof name) return "unknown";
  memcpy(name, text, length);
  name[length] = 0;
  return name;
}

const char *fk_blas_core(void) {
  const char *core = said_by_openblas("openblas_get_corename");
  return core && *core ? core : "unknown";
}

/* Those with vectors of 32 bytes but without fused multiply-adds, or with units half as wide, do the work of 16. */
int fk_blas_core_bytes(const char *core) {
  static const struct {
    int bytes;
    const char *names[24];
  } kinds[] = {
      {64, {"SkylakeX", "Cooperlake", "SapphireRapids"}},
      {32, {"Haswell", "Zen", "Excavator"}},
      {16, {"Sandybridge", "Bulldozer",  "Piledriver", "Steamroller", "Prescott", "Core2",        "Penryn",
            "Dunnington",  "Nehalem",    "Atom",       "Nano",        "Opteron",  "Barcelona",    "Bobcat",
            "Katmai",      "Coppermine", "Northwood",  "Banias",      "Athlon",   "Opteron_SSE3", "Generic"}},
  };
  for (size_t kind = 0; kind < sizeof kinds / sizeof kinds[0]; kind++)
    for (size_t i = 0; i < sizeof kinds[kind].names / sizeof kinds[kind].names[0] && kinds[kind].names[i]; i++)
      if (strcasecmp(core, kinds[kind].names[i]) == 0) return kinds[kind].bytes;
  return 0;
}

static _Thread_local fk_product_route selected_route = FK_PRODUCTS_AUTO;
static atomic_int process_route = FK_PRODUCTS_AUTO;
static atomic_int environment_route = -1, core_bytes = -1; /* not looked up yet */

static int is_route(fk_product_route route) { return route >= FK_PRODUCTS_AUTO && route <= FK_PRODUCTS_OWN; }

fk_status fk_set_product_route(fk_product_route route) {
  if (!is_route(route)) return FK_INVALID_ARGUMENT;
  atomic_store_explicit(&process_route, (int)route, memory_order_relaxed);
  return FK_OK;
}

fk_status fk_product_route_select(fk_product_route route) {
  if (!is_route(route)) return FK_INVALID_ARGUMENT;
  selected_route = route;
  return FK_OK;
}

static fk_product_route route_of_environment(void) {
  int route = atomic_load_explicit(&environment_route, memory_order_relaxed);
  if (route < 0) {
    const char *wanted = getenv("FISHERKIT_PRODUCTS");
    route = FK_PRODUCTS_AUTO;
    if (wanted && strcmp(wanted, "blas") == 0) route = FK_PRODUCTS_BLAS;
    if (wanted && strcmp(wanted, "own") == 0) route = FK_PRODUCTS_OWN;
    atomic_store_explicit(&environment_route, route, memory_order_relaxed);
  }
  return (fk_product_route)route;
}

fk_product_route fk_product_route_current(void) {
  fk_product_route route = selected_route;
  if (route == FK_PRODUCTS_AUTO) route = (fk_product_route)atomic_load_explicit(&process_route, memory_order_relaxed);
  if (route == FK_PRODUCTS_AUTO) route = route_of_environment();
  if (route != FK_PRODUCTS_AUTO) return route;
  int bytes = atomic_load_explicit(&core_bytes, memory_order_relaxed);
  if (bytes < 0) {
    bytes = fk_blas_core_bytes(fk_blas_core());
    atomic_store_explicit(&core_bytes, bytes, memory_order_relaxed);
  }
  return bytes > 0 && bytes < fk_level_bytes(fk_level_current()) ? FK_PRODUCTS_OWN : FK_PRODUCTS_BLAS;
}
