/* Records every call that changes files below a folder, in order: loaded before the C library. Used by power.py.
   record(folder, log) begins; note(text) adds a line of the program's own.
   A record is: kind (1 byte), descriptor (i32), offset (i64), length (i64), and so many bytes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static char folder[4096];
static int out = -1, known[4096]; /* known: descriptors of files below the folder */
static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
#define REAL(name) static __typeof__(name) *real; if (!real) real = dlsym(RTLD_NEXT, #name)
#define OURS(f) (out >= 0 && (f) >= 0 && (f) < 4096 && known[f])

static void raw(const void *data, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    const char *at = data;
    while (n) { ssize_t done = real(out, at, n); if (done <= 0) _exit(9); at += done; n -= done; }
}
static void put(char kind, int32_t file, int64_t offset, const void *data, int64_t n) {
    pthread_mutex_lock(&one);
    raw(&kind, 1); raw(&file, 4); raw(&offset, 8); raw(&n, 8); raw(data, n);
    pthread_mutex_unlock(&one);
}
static int below(const char *path) { return out >= 0 && !strncmp(path, folder, strlen(folder)); }

void record(const char *where, const char *log) {
    int file = open(log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    strncpy(folder, where, sizeof folder - 1);
    out = file;
}
void note(const char *text) { if (out >= 0) put('N', -1, 0, text, strlen(text)); }

static int opened(int file, const char *path, int flags, int there) {
    if (file < 0 || file >= 4096) return file;
    known[file] = below(path);
    if (known[file]) put(there ? (flags & O_TRUNC ? 'E' : 'O') : 'C', file, 0, path, strlen(path));
    return file;
}
#define OPEN(name) int name(const char *path, int flags, ...) { \
    REAL(name); va_list rest; va_start(rest, flags); mode_t mode = va_arg(rest, mode_t); va_end(rest); \
    struct stat seen; int there = !below(path) || !stat(path, &seen); \
    return opened(real(path, flags, mode), path, flags, there); }
OPEN(open)
OPEN(open64)
ssize_t write(int f, const void *b, size_t n) {
    REAL(write); if (OURS(f)) put('W', f, lseek(f, 0, SEEK_CUR), b, n); return real(f, b, n); }
#define PWRITE(name, type) ssize_t name(int f, const void *b, size_t n, type o) { \
    REAL(name); if (OURS(f)) put('W', f, o, b, n); return real(f, b, n, o); }
PWRITE(pwrite, off_t)
PWRITE(pwrite64, off64_t)
#define CUT(name, type) int name(int f, type n) { REAL(name); if (OURS(f)) put('T', f, n, "", 0); return real(f, n); }
CUT(ftruncate, off_t)
CUT(ftruncate64, off64_t)
/* Only what has returned is on the disk. */
#define SYNC(name) int name(int f) { \
    REAL(name); int done = real(f); if (OURS(f) && !done) put('S', f, 0, "", 0); return done; }
SYNC(fsync)
SYNC(fdatasync)
int unlink(const char *path) {
    REAL(unlink); int done = real(path); if (below(path) && !done) put('U', -1, 0, path, strlen(path)); return done; }
