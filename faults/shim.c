/* Makes a disk fail and a clock jump for one process, and for its children, while it runs.
 *
 * It is loaded with LD_PRELOAD. The driver and this file share a page of memory: the file that FAULTS_CONTROL names, which
 * driver/shim.py writes. Without that file every call goes to the kernel as it is. The monotonic clock is never touched.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

struct control {
    int32_t fsync_errno; /* what fsync and fdatasync fail with; 0 is no failure */
    int32_t write_errno; /* what writes fail with; 0 is no failure */
    int64_t clock_seconds; /* how far the wall clock is off */
    uint64_t failed; /* calls that were made to fail */
    char files[104]; /* which files: a pattern of fnmatch(3) for the whole path */
};

static volatile struct control *control;

__attribute__((constructor)) static void attach(void)
{
    const char *name = getenv("FAULTS_CONTROL");
    int fd = name ? open(name, O_RDWR | O_CLOEXEC) : -1;
    if (fd < 0)
        return;
    void *page = mmap(NULL, sizeof(struct control), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (page != MAP_FAILED)
        control = page;
    close(fd);
}

/* Whether a call on this file fails now. */
static int fails(int fd, int error)
{
    char link[32], path[4096];
    if (!error)
        return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, sizeof path - 1);
    if (length < 0)
        return 0;
    path[length] = 0;
    if (fnmatch((const char *)control->files, path, 0))
        return 0;
    __atomic_add_fetch(&control->failed, 1, __ATOMIC_RELAXED);
    return 1;
}

static int sync_file(int fd, long number)
{
    int error = control ? control->fsync_errno : 0;
    if (fails(fd, error)) {
        errno = error;
        return -1;
    }
    return (int)syscall(number, fd);
}

int fsync(int fd) { return sync_file(fd, SYS_fsync); }
int fdatasync(int fd) { return sync_file(fd, SYS_fdatasync); }

/* How much of a write is left to be done: all of it, or none (-1). A disk that fills up takes a part of every second write,
 * as a disk does, whose last free blocks are in the middle of one. */
static ssize_t left_to_write(int fd, size_t size)
{
    int error = control ? control->write_errno : 0;
    if (!fails(fd, error))
        return (ssize_t)size;
    if (error == ENOSPC && size > 1 && control->failed % 2)
        return (ssize_t)(size / 2);
    errno = error;
    return -1;
}

ssize_t write(int fd, const void *data, size_t size)
{
    ssize_t left = left_to_write(fd, size);
    return left < 0 ? -1 : syscall(SYS_write, fd, data, (size_t)left);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
    ssize_t left = left_to_write(fd, size);
    return left < 0 ? -1 : syscall(SYS_pwrite64, fd, data, (size_t)left, at);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { return pwrite64(fd, data, size, at); }

ssize_t writev(int fd, const struct iovec *parts, int count)
{
    /* Sockets are written by it, too. */
    ssize_t left = left_to_write(fd, 1);
    return left < 0 ? -1 : syscall(SYS_writev, fd, parts, count);
}

ssize_t pwritev64(int fd, const struct iovec *parts, int count, off64_t at)
{
    ssize_t left = left_to_write(fd, 1);
    return left < 0 ? -1 : syscall(SYS_pwritev, fd, parts, count, (long)at, 0L);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t at) { return pwritev64(fd, parts, count, at); }

static time_t offset(void) { return control ? (time_t)control->clock_seconds : 0; }

int clock_gettime(clockid_t clock, struct timespec *now)
{
    long failed = syscall(SYS_clock_gettime, clock, now);
    if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE))
        now->tv_sec += offset();
    return (int)failed;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone)
{
    long failed = syscall(SYS_gettimeofday, now, zone);
    if (!failed)
        now->tv_sec += offset();
    return (int)failed;
}

time_t time(time_t *to)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (to)
        *to = now.tv_sec;
    return now.tv_sec;
}
