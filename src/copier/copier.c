/*
 * copier DIR [SOURCE]: puts tini into a volume, as DIR/tini.
 *
 * It runs as the first init container of a pod whose containers start their command through tini. It is linked
 * statically and needs no shell, no other file but tini, no environment and no particular user: whatever the pod's
 * securityContext makes of it, it can read its own image and write to the volume that is mounted at DIR.
 *
 * SOURCE is /tini, which lies beside it in the image; tests name another.
 *
 * Every failure is one line on stderr and exit code 1: `kubectl logs POD -c CONTAINER` shows it, and the pod waits in
 * Init:Error, instead of its containers failing with a bare 126 or 127 that names nobody.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char DEFAULT_SOURCE[] = "/tini";

/* Says what failed on which path, why, and what to do about it; then ends the program. */
static _Noreturn void fail(const char *what, const char *path, const char *why, const char *advice) {
    fprintf(stderr, "gravekeeper-copier: %s %s: %s; %s\n", what, path, why, advice);
    exit(1);
}

/* Advice by errno: what is wrong with the volume rather than with the copier. */
static const char *advice_for(int error) {
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return "mount a volume there, and name its mountPath as the first argument";
    case EACCES:
    case EPERM:
        return "the volume must let this user write; an emptyDir does";
    case EROFS:
        return "the copier must mount the volume without readOnly";
    case ENOSPC:
    case EDQUOT:
        return "the volume needs room for two copies of tini, 2 MiB: raise the sizeLimit of the emptyDir";
    case ENOMEM:
        return "raise the memory limit of this init container: the volume lies in memory";
    default:
        return "look at the volume that is mounted there";
    }
}

/* write(2) may take less than it is given, so ask until all of it is taken. Returns 0, or -1 with errno. */
static int write_all(int fd, const char *data, size_t length) {
    while (length > 0) {
        ssize_t taken = write(fd, data, length);
        if (taken < 0 && errno == EINTR) continue;
        if (taken < 0) return -1;
        data += taken;
        length -= (size_t)taken;
    }
    return 0;
}

/*
 * Copies `source` to `temporary`, mode 0555: no container that mounts the volume should be able to change the program
 * that another one starts through. Not fsynced, since the volume does not outlive the pod.
 */
static void copy(const char *source, const char *temporary) {
    static char buffer[64 * 1024];

    int in = open(source, O_RDONLY | O_CLOEXEC);
    if (in < 0) fail("cannot open", source, strerror(errno), "the image must hold tini there");

    /* A copier that was killed halfway leaves its file behind. If it cannot be removed, open says why. */
    (void)unlink(temporary);
    int out = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (out < 0) fail("cannot create", temporary, strerror(errno), advice_for(errno));

    for (;;) {
        ssize_t got = read(in, buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) fail("cannot read", source, strerror(errno), "the image must hold tini there");
        if (got == 0) break;
        if (write_all(out, buffer, (size_t)got) < 0)
            fail("cannot write", temporary, strerror(errno), advice_for(errno));
    }

    /* Not by the mode of open(2), which the umask would cut. */
    if (fchmod(out, 0555) < 0) fail("cannot make executable", temporary, strerror(errno), advice_for(errno));
    /* A file that is open for writing cannot be executed (ETXTBSY), and some file systems fail only here. */
    if (close(out) < 0) fail("cannot write", temporary, strerror(errno), advice_for(errno));
    close(in);
}

/*
 * Runs `program --version` and wants exit code 0. A volume that is mounted noexec, or a tini of another architecture,
 * shows here under a name, and not later as exit code 126 of somebody's container.
 */
static void check_runs(const char *program) {
    int report[2]; /* Carries errno of a failed exec; closed by a successful one. */
    if (pipe2(report, O_CLOEXEC) < 0) fail("cannot try", program, strerror(errno), "this is a fault of the node");

    pid_t child = fork();
    if (child < 0)
        fail("cannot try", program, strerror(errno), "the pod may have reached its limit of processes or memory");
    if (child == 0) {
        int null = open("/dev/null", O_WRONLY);
        if (null >= 0) dup2(null, STDOUT_FILENO);
        char *const argv[] = {(char *)program, "--version", NULL};
        execv(program, argv);
        int error = errno;
        (void)!write(report[1], &error, sizeof error);
        _exit(127);
    }
    close(report[1]);

    int error = 0;
    ssize_t got;
    while ((got = read(report[0], &error, sizeof error)) < 0 && errno == EINTR) continue;
    close(report[0]);
    int status;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) fail("cannot wait for", program, strerror(errno), "this is a fault of the node");

    if (got == (ssize_t)sizeof error) {
        if (error == EACCES || error == EPERM)
            fail("cannot run", program, strerror(error),
                 "the volume is mounted noexec, or a security profile forbids it; leave this pod to share-pid or none");
        if (error == ENOEXEC)
            fail("cannot run", program, strerror(error), "the image is of another architecture than the node");
        fail("cannot run", program, strerror(error), "the image may be damaged: pull it again");
    }
    if (WIFSIGNALED(status))
        fail("cannot run", program, strsignal(WTERMSIG(status)), "a limit or a security profile may have killed it");
    if (WEXITSTATUS(status) != 0) {
        char why[64];
        snprintf(why, sizeof why, "it ended with exit code %d when asked for its version", WEXITSTATUS(status));
        fail("cannot use", program, why, "the image must hold tini");
    }
}

/* Joins a directory and a name; the result lives as long as the program. */
static const char *join(const char *directory, const char *name) {
    size_t length = strlen(directory) + 1 + strlen(name) + 1;
    char *path = malloc(length);
    if (path == NULL) fail("cannot handle", directory, strerror(ENOMEM), advice_for(ENOMEM));
    snprintf(path, length, "%s/%s", directory, name);
    return path;
}

int main(int argc, char **argv) {
    if (argc < 2 || argc > 3 || argv[1][0] == '\0') {
        fputs("gravekeeper-copier: needs the directory that tini goes to; usage: copier DIR [SOURCE]\n", stderr);
        return 1;
    }
    const char *source = argc == 3 ? argv[2] : DEFAULT_SOURCE;
    const char *target = join(argv[1], "tini");
    const char *temporary = join(argv[1], ".tini.copying");

    copy(source, temporary);
    check_runs(temporary);
    /* Whole or not at all: nobody ever sees half a tini, and an old one is replaced even while it runs. */
    if (rename(temporary, target) < 0) fail("cannot create", target, strerror(errno), advice_for(errno));
    return 0;
}
