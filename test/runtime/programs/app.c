// An app, or an exec probe, that makes zombies in a known way and says "ready" when all of them are there.
//
//   app sleep              makes none
//   app children N         starts N children and never waits for them
//   app supervisor N       starts `app children N`, and waits for what it has started
//   app orphans N          N processes end, and a child of each has ended before that
//   app orphans-at-usr1 N  the same, after the signal SIGUSR1
//   app orphans-and-end N  the same at once, and ends itself
//   app hang               its child dies when it dies; both sleep until then
//
// Nothing here depends on who is faster: a process that is waited for with WNOWAIT is a zombie from then on.
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

static void zombie(const char *name) {
  pid_t pid = start();
  if (pid == 0) {
    prctl(PR_SET_NAME, name);
    _exit(0);
  }
  siginfo_t info;
  if (waitid(P_PID, pid, &info, WEXITED | WNOWAIT) != 0) fail("waitid");
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

static void hang(void) {
  // Its parent cannot die before the child has asked for the signal: the kernel tells at once where it did.
  pid_t parent = getpid();
  if (start() == 0) {
    prctl(PR_SET_NAME, "left-over");
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(0);
    for (;;) pause();
  }
}

int main(int argc, char **argv) {
  const char *what = argc > 1 ? argv[1] : "";
  int count = argc > 2 ? atoi(argv[2]) : 0;
  if (strcmp(what, "children") == 0) {
    for (int i = 0; i < count; i++) zombie("child");
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
