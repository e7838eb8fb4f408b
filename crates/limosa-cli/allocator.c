/* The allocator gives memory back to the system that has been free for so many milliseconds. Its own default of a second is longer than most
   runs last, so that what reading thousands of files left free would count as in use to their end. MIMALLOC_PURGE_DELAY wins. */

#include <mimalloc.h>

__attribute__((constructor)) static void give_back_soon(void) {
  mi_option_set_default(mi_option_purge_delay, 10);
}
