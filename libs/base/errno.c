// SPDX-License-Identifier: Apache-2.0
// Names of error numbers.
#include <lib/errno.h>
#include <lib/macros.h>

static const struct {
    int err;
    const char *name;
} names[] = {
    {0, "no error"},
    {EPERM, "EPERM (not permitted)"},
    {ENOENT, "ENOENT (no such entry)"},
    {EINTR, "EINTR (interrupted)"},
    {EIO, "EIO (input/output error)"},
    {ENXIO, "ENXIO (no such device or address)"},
    {E2BIG, "E2BIG (too many or too long)"},
    {ENOEXEC, "ENOEXEC (not in an executable format)"},
    {EBADF, "EBADF (bad handle)"},
    {EAGAIN, "EAGAIN (try again)"},
    {ENOMEM, "ENOMEM (out of memory)"},
    {EACCES, "EACCES (access denied)"},
    {EFAULT, "EFAULT (bad address)"},
    {EBUSY, "EBUSY (in use)"},
    {EEXIST, "EEXIST (exists already)"},
    {ENODEV, "ENODEV (no such device)"},
    {EINVAL, "EINVAL (invalid argument)"},
    {ENFILE, "ENFILE (too many in use)"},
    {ENOSPC, "ENOSPC (no space left)"},
    {EROFS, "EROFS (read-only)"},
    {EPIPE, "EPIPE (other end closed)"},
    {ERANGE, "ERANGE (out of range)"},
    {EDEADLK, "EDEADLK (would deadlock)"},
    {ENAMETOOLONG, "ENAMETOOLONG (name too long)"},
    {ENOSYS, "ENOSYS (not implemented)"},
    {EPROTO, "EPROTO (protocol error)"},
    {EBADMSG, "EBADMSG (damaged data)"},
    {EOVERFLOW, "EOVERFLOW (value too large)"},
    {EILSEQ, "EILSEQ (illegal byte sequence)"},
    {EMSGSIZE, "EMSGSIZE (message too long)"},
    {EOPNOTSUPP, "EOPNOTSUPP (not supported)"},
    {EADDRINUSE, "EADDRINUSE (address in use)"},
    {ETIMEDOUT, "ETIMEDOUT (timed out)"},
    {EALREADY, "EALREADY (already under way)"},
    {EINPROGRESS, "EINPROGRESS (now in progress)"},
    {ECANCELED, "ECANCELED (cancelled)"},
};

const char *error_name(int err)
{
    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (err == names[i].err || err == -names[i].err) {
            return names[i].name;
        }
    }
    return "unknown error";
}
