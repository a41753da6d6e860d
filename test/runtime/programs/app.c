// An app, or an exec probe, that makes zombies in a known way and says "ready" when all of them are there.
//
//   app sleep              makes none
//   app children N         starts N children and never waits for them
//   app supervisor N       starts `app children N`, and waits for what it has started
//   app orphans N          N processes end, and a child of each has ended before that
//   app orphans-at-usr1 N  the same, after the signal SIGUSR1
//   app orphans-and-end N  the same at once, and ends itself
//   app odd-names          two children whose names look like the rest of a line of /proc/PID/stat
//   app nested N           starts PID 1 of a PID namespace of its own, which does as `app orphans N`
//   app leaderless         starts a process whose first thread ends while another one runs on
//   app churn N            N processes start child after child, and wait for each when it has been dead for a moment
//   app hang               its child writes a file /hung.PID, and dies when it dies; both sleep until then
//
// Nothing here depends on who is faster: a process that is waited for with WNOWAIT is a zombie from then on.
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  _exit(1);
}

static pid_t start(void) {
  pid_t pid = fork();
  if (pid < 0) fail("fork");
  return pid;
}

static pid_t zombie(const char *name) {
  pid_t pid = start();
  if (pid == 0) {
    prctl(PR_SET_NAME, name);
    _exit(0);
  }
  siginfo_t info;
  if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) != 0) fail("waitid");
  return pid;
}

static void orphan(void) {
  pid_t pid = start();
  if (pid == 0) {
    zombie("orphan");
    _exit(0);
  }
  if (waitpid(pid, NULL, 0) != pid) fail("waitpid");
}

static void await_usr1(void) {
  sigset_t set;
  int signal;
  sigemptyset(&set);
  sigaddset(&set, SIGUSR1);
  sigprocmask(SIG_BLOCK, &set, NULL);
  puts("waiting");
  fflush(stdout);
  sigwait(&set, &signal);
}

static void nested(int count) {
  if (unshare(CLONE_NEWPID) != 0) fail("unshare");
  pid_t pid = start();
  if (pid == 0) {
    for (int i = 0; i < count; i++) orphan();
    puts("ready");
    fflush(stdout);
    for (;;) pause();
  }
  exit(waitpid(pid, NULL, 0) == pid ? 0 : 1);
}

static void *run_on(void *nothing) {
  for (;;) pause();
  return nothing;
}

static char state_of(pid_t pid) {
  char path[64], line[512];
  snprintf(path, sizeof path, "/proc/%d/stat", pid);
  int fd = open(path, O_RDONLY);
  ssize_t length = fd < 0 ? -1 : read(fd, line, sizeof line - 1);
  if (length < 0) fail(path);
  close(fd);
  line[length] = '\0';
  return strrchr(line, ')')[2];
}

static void leaderless(void) {
  pid_t pid = start();
  if (pid == 0) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, run_on, NULL) != 0) fail("pthread_create");
    pthread_exit(NULL);
  }
  while (state_of(pid) != 'Z') usleep(1000);
}

static void churn(void) {
  for (;;) {
    pid_t pid = zombie("short-lived");
    usleep(20000);
    if (waitpid(pid, NULL, 0) != pid) fail("waitpid");
  }
}

static void hang(void) {
  pid_t parent = getpid();
  if (start() == 0) {
    prctl(PR_SET_NAME, "left-over");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    // The signal does not come where its parent had died before it asked for it.
    if (getppid() != parent) _exit(0);
    char path[64];
    snprintf(path, sizeof path, "/hung.%d", getpid());
    if (open(path, O_CREAT | O_WRONLY, 0600) < 0) fail(path);
    for (;;) pause();
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int count = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(what, "children") == 0) {
    for (int i = 0; i < count; i++) zombie("child");
  } else if (strcmp(what, "odd-names") == 0) {
    zombie(") Z 1 1 (");
    zombie("a\n1 (b) S 0");
  } else if (strcmp(what, "nested") == 0) {
    nested(count);
  } else if (strcmp(what, "churn") == 0) {
    for (int i = 0; i < count; i++) {
      if (start() == 0) churn();
    }
  } else if (strcmp(what, "leaderless") == 0) {
    leaderless();
  } else if (strcmp(what, "supervisor") == 0) {
    pid_t pid = start();
    if (pid == 0) {
      execv(argv[0], (char *[]){argv[0], "children", argv[2], NULL});
      fail("execv");
    }
    return waitpid(pid, NULL, 0) == pid ? 0 : 1;
  } else if (strncmp(what, "orphans", 7) == 0) {
    if (strcmp(what, "orphans-at-usr1") == 0) await_usr1();
    for (int i = 0; i < count; i++) orphan();
  } else if (strcmp(what, "hang") == 0) {
    hang();
  } else if (strcmp(what, "sleep") != 0) {
    fprintf(stderr, "app: what is \"%s\"?\n", what);
    return 2;
  }
  puts("ready");
  fflush(stdout);
  if (strcmp(what, "orphans-and-end") == 0) return 0;
  for (;;) pause();
}
