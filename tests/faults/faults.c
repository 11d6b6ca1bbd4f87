/* Faults at file operations: a library for LD_PRELOAD that counts the operations that change files below FAULTS_ROOT,
   in all processes of a command together, and at the one asked for stops the command or lets the disk refuse.

   FAULTS_STATE names a file that holds `struct state`, which tests/faults/harness.py writes and reads. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT, KILL, POWER, FULL, READ_ONLY, INTERRUPT, TERMINATE };

#define FILES 4096 /* whose bytes may not be on the disk yet */
#define DESCRIPTORS 65536

struct state {
    int64_t mode, at, count, lock;
    struct { int64_t device, inode; char path[1024]; } unsynced[FILES];
};

static struct state *state;
static char root[PATH_MAX];
static char watched[DESCRIPTORS];

#define REAL(name) ((__typeof__(&name))find_real(#name))

static void *find_real(const char *name) { return dlsym(RTLD_NEXT, name); }

__attribute__((constructor)) static void begin(void) {
    const char *folder = getenv("FAULTS_ROOT"), *file = getenv("FAULTS_STATE");
    if (!folder || !file || !realpath(folder, root)) return;
    int fd = REAL(open)(file, O_RDWR | O_CLOEXEC);
    if (fd < 0) return;
    void *held = mmap(NULL, sizeof(struct state), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    REAL(close)(fd);
    if (held != MAP_FAILED) state = held;
}

/* The absolute path of `path` below the folder `directory`; 1 where it lies below the root. */
static int find_path(int directory, const char *path, char *full) {
    char base[PATH_MAX] = "";
    if (!state || !path) return 0;
    if (path[0] != '/') {
        if (directory == AT_FDCWD) {
            if (!getcwd(base, sizeof base)) return 0;
        } else {
            char link[64];
            snprintf(link, sizeof link, "/proc/self/fd/%d", directory);
            ssize_t size = readlink(link, base, sizeof base - 1);
            if (size < 0) return 0;
            base[size] = 0;
        }
        snprintf(full, PATH_MAX, "%s/%s", base, path);
    } else {
        snprintf(full, PATH_MAX, "%s", path);
    }
    size_t size = strlen(root);
    return !strncmp(full, root, size) && (full[size] == '/' || !full[size]);
}

static void hold(void) { while (__sync_lock_test_and_set(&state->lock, 1)) usleep(10); }
static void let_go(void) { __sync_lock_release(&state->lock); }

static void note_written(const char *path) {
    struct stat found;
    if (stat(path, &found)) return;
    hold();
    int place = -1;
    for (int i = 0; i < FILES; i++) {
        if (!state->unsynced[i].path[0]) { if (place < 0) place = i; continue; }
        if (state->unsynced[i].inode == (int64_t)found.st_ino && state->unsynced[i].device == (int64_t)found.st_dev) { place = i; break; }
    }
    if (place >= 0) {
        state->unsynced[place].device = found.st_dev;
        state->unsynced[place].inode = found.st_ino;
        snprintf(state->unsynced[place].path, sizeof state->unsynced[place].path, "%s", path);
    }
    let_go();
}

static void note_synced(int fd) {
    struct stat found;
    if (!state || fstat(fd, &found)) return;
    hold();
    for (int i = 0; i < FILES; i++)
        if (state->unsynced[i].path[0] && state->unsynced[i].inode == (int64_t)found.st_ino
            && state->unsynced[i].device == (int64_t)found.st_dev) state->unsynced[i].path[0] = 0;
    let_go();
}

static void note_renamed(const char *from, const char *to) {
    hold();
    size_t size = strlen(from);
    for (int i = 0; i < FILES; i++) {
        char *path = state->unsynced[i].path, moved[2048];
        if (!strcmp(path, to)) path[0] = 0;
        if (path[0] && !strncmp(path, from, size) && (path[size] == '/' || !path[size])) {
            snprintf(moved, sizeof moved, "%s%s", to, path + size);
            snprintf(path, sizeof state->unsynced[i].path, "%s", moved);
        }
    }
    let_go();
}

/* The power fails: what was not on the disk is lost. */
static void lose_unsynced(void) {
    hold();
    for (int i = 0; i < FILES; i++) {
        struct stat found;
        const char *path = state->unsynced[i].path;
        if (path[0] && !stat(path, &found) && (int64_t)found.st_ino == state->unsynced[i].inode) REAL(truncate)(path, 0);
    }
    let_go();
}

/* One operation more: 0, or the error with which it fails. `writes`: it needs room on the disk. */
static int meet_fault(int writes, int fd, const void *bytes, size_t size) {
    int64_t number = __sync_add_and_fetch(&state->count, 1);
    int64_t mode = state->mode;
    if (mode == FULL && number >= state->at && writes) return ENOSPC;
    if (mode == READ_ONLY && number >= state->at) return EROFS;
    if (number != state->at) return 0;
    if (mode == KILL || mode == POWER) {
        if (bytes && size > 1 && REAL(write)(fd, bytes, size / 2) < 0) _exit(99); /* half of it arrives */
        if (mode == POWER) lose_unsynced();
        kill(0, SIGKILL);
        for (;;) pause();
    }
    if (mode == INTERRUPT) kill(0, SIGINT);
    if (mode == TERMINATE) kill(0, SIGTERM);
    return 0;
}

#define FAULT(writes, result) \
    do { int fault = meet_fault(writes, -1, NULL, 0); if (fault) { errno = fault; return result; } } while (0)
#define FAULT_BYTES(bytes, size) \
    do { int fault = meet_fault(1, fd, bytes, size); if (fault) { errno = fault; return -1; } } while (0)

static int is_watched(int fd) { return state && fd >= 0 && fd < DESCRIPTORS && watched[fd]; }

static int do_open(int directory, const char *path, int flags, mode_t mode) {
    char full[PATH_MAX];
    int changes = (flags & (O_CREAT | O_TRUNC)) || (flags & O_ACCMODE) != O_RDONLY;
    int ours = changes && find_path(directory, path, full);
    if (ours) FAULT(1, -1);
    int fd = REAL(openat)(directory, path, flags, mode);
    if (fd >= 0 && fd < DESCRIPTORS) {
        watched[fd] = ours;
        if (ours && (flags & (O_CREAT | O_TRUNC))) note_written(full);
    }
    return fd;
}

static mode_t read_mode(int flags, va_list rest) {
    return (flags & O_CREAT) || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(rest, mode_t) : 0;
}

#define OPEN(name) \
    int name(const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = read_mode(flags, rest); va_end(rest); \
        return do_open(AT_FDCWD, path, flags, mode); }
#define OPENAT(name) \
    int name(int directory, const char *path, int flags, ...) { \
        va_list rest; va_start(rest, flags); mode_t mode = read_mode(flags, rest); va_end(rest); \
        return do_open(directory, path, flags, mode); }
OPEN(open)
OPEN(open64)
OPENAT(openat)

int openat64(int directory, const char *path, int flags, ...) {
    va_list rest;
    va_start(rest, flags);
    mode_t mode = read_mode(flags, rest);
    va_end(rest);
    return do_open(directory, path, flags, mode);
}

int creat(const char *path, mode_t mode) { return do_open(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode); }

int close(int fd) {
    if (fd >= 0 && fd < DESCRIPTORS) watched[fd] = 0;
    return REAL(close)(fd);
}

ssize_t write(int fd, const void *bytes, size_t size) {
    if (is_watched(fd)) FAULT_BYTES(bytes, size);
    return REAL(write)(fd, bytes, size);
}

ssize_t pwrite(int fd, const void *bytes, size_t size, off_t place) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(pwrite)(fd, bytes, size, place);
}

ssize_t pwrite64(int fd, const void *bytes, size_t size, off64_t place) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(pwrite64)(fd, bytes, size, place);
}

ssize_t writev(int fd, const struct iovec *parts, int count) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(writev)(fd, parts, count);
}

ssize_t sendfile64(int fd, int from, off64_t *place, size_t size) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(sendfile64)(fd, from, place, size);
}

ssize_t copy_file_range(int from, off64_t *start, int fd, off64_t *place, size_t size, unsigned flags) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(copy_file_range)(from, start, fd, place, size, flags);
}

int fallocate(int fd, int mode, off_t start, off_t size) {
    if (is_watched(fd)) FAULT(1, -1);
    return REAL(fallocate)(fd, mode, start, size);
}

int ftruncate(int fd, off_t size) {
    if (is_watched(fd)) FAULT(0, -1);
    return REAL(ftruncate)(fd, size);
}

int ftruncate64(int fd, off64_t size) {
    if (is_watched(fd)) FAULT(0, -1);
    return REAL(ftruncate64)(fd, size);
}

/* A file may be synced through a descriptor that was opened to read. */
static int is_ours(int fd) {
    char link[64], path[PATH_MAX];
    if (!state) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t size = readlink(link, path, sizeof path - 1);
    if (size < 0) return 0;
    path[size] = 0;
    return !strncmp(path, root, strlen(root));
}

int fsync(int fd) {
    if (is_ours(fd)) FAULT(0, -1);
    int result = REAL(fsync)(fd);
    if (!result) note_synced(fd);
    return result;
}

int fdatasync(int fd) {
    if (is_ours(fd)) FAULT(0, -1);
    int result = REAL(fdatasync)(fd);
    if (!result) note_synced(fd);
    return result;
}

int renameat(int from_directory, const char *from, int to_directory, const char *to) {
    char source[PATH_MAX], target[PATH_MAX];
    int ours = find_path(from_directory, from, source) | find_path(to_directory, to, target);
    if (ours) FAULT(0, -1);
    int result = REAL(renameat)(from_directory, from, to_directory, to);
    if (ours && !result) note_renamed(source, target);
    return result;
}

int rename(const char *from, const char *to) { return renameat(AT_FDCWD, from, AT_FDCWD, to); }

int linkat(int from_directory, const char *from, int to_directory, const char *to, int flags) {
    char full[PATH_MAX];
    if (find_path(to_directory, to, full)) FAULT(1, -1);
    return REAL(linkat)(from_directory, from, to_directory, to, flags);
}

int link(const char *from, const char *to) { return linkat(AT_FDCWD, from, AT_FDCWD, to, 0); }

int symlinkat(const char *from, int directory, const char *to) {
    char full[PATH_MAX];
    if (find_path(directory, to, full)) FAULT(1, -1);
    return REAL(symlinkat)(from, directory, to);
}

int symlink(const char *from, const char *to) { return symlinkat(from, AT_FDCWD, to); }

int unlinkat(int directory, const char *path, int flags) {
    char full[PATH_MAX];
    if (find_path(directory, path, full)) FAULT(0, -1);
    return REAL(unlinkat)(directory, path, flags);
}

int unlink(const char *path) { return unlinkat(AT_FDCWD, path, 0); }
int rmdir(const char *path) { return unlinkat(AT_FDCWD, path, AT_REMOVEDIR); }

int mkdirat(int directory, const char *path, mode_t mode) {
    char full[PATH_MAX];
    if (find_path(directory, path, full)) FAULT(1, -1);
    return REAL(mkdirat)(directory, path, mode);
}

int mkdir(const char *path, mode_t mode) { return mkdirat(AT_FDCWD, path, mode); }
