/* Lets the k-th call that touches files below a folder fail, once or from then on: loaded before the C library.
   arm(folder, k, error, lasting) begins; count() gives how many calls there were. Used by test_faults.py. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[4096];
static volatile long calls, fail_at;
static int error_number, lasting;

void arm(const char *below, long k, int error, int forever) {
    strncpy(folder, below, sizeof folder - 1);
    calls = 0; fail_at = k; error_number = error; lasting = forever;
}
long count(void) { return calls; }

static int hit(const char *path) {
    if (!folder[0] || !path || strncmp(path, folder, strlen(folder))) return 0;
    long now = __sync_add_and_fetch(&calls, 1);
    if (fail_at && (now == fail_at || (lasting && now > fail_at))) { errno = error_number; return 1; }
    return 0;
}
static int hit_file(int file) {
    char link[64], path[4096];
    if (!folder[0]) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return hit(path);
}
#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)

#define OPEN(name) int name(const char *path, int flags, ...) { \
    REAL(name); va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    return hit(path) ? -1 : real(path, flags, mode); }
OPEN(open)
OPEN(open64)
ssize_t read(int f, void *b, size_t n) { REAL(read); return hit_file(f) ? -1 : real(f, b, n); }
ssize_t write(int f, const void *b, size_t n) { REAL(write); return hit_file(f) ? -1 : real(f, b, n); }
ssize_t pread(int f, void *b, size_t n, off_t o) { REAL(pread); return hit_file(f) ? -1 : real(f, b, n, o); }
ssize_t pread64(int f, void *b, size_t n, off64_t o) { REAL(pread64); return hit_file(f) ? -1 : real(f, b, n, o); }
ssize_t pwrite(int f, const void *b, size_t n, off_t o) { REAL(pwrite); return hit_file(f) ? -1 : real(f, b, n, o); }
ssize_t pwrite64(int f, const void *b, size_t n, off64_t o) { REAL(pwrite64); return hit_file(f) ? -1 : real(f, b, n, o); }
int fsync(int f) { REAL(fsync); return hit_file(f) ? -1 : real(f); }
int fdatasync(int f) { REAL(fdatasync); return hit_file(f) ? -1 : real(f); }
int ftruncate(int f, off_t n) { REAL(ftruncate); return hit_file(f) ? -1 : real(f, n); }
int ftruncate64(int f, off64_t n) { REAL(ftruncate64); return hit_file(f) ? -1 : real(f, n); }
int unlink(const char *path) { REAL(unlink); return hit(path) ? -1 : real(path); }
