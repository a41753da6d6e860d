// The first process of a pod. With -DREAPS it waits for what falls to it, as Kubernetes' pause does since 3.1; without,
// as pause 3.0 it does not.
#include <signal.h>
#include <stddef.h>
#include <sys/wait.h>
#include <unistd.h>

static void end(int signal) {
  (void)signal;
  _exit(0);
}

#ifdef REAPS
static void reap(int signal) {
  (void)signal;
  while (waitpid(-1, NULL, WNOHANG) > 0) {
  }
}
#endif

int main(void) {
  // PID 1 of a namespace gets only those signals that it has a handler for.
  struct sigaction action = {.sa_handler = end};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
#ifdef REAPS
  action.sa_handler = reap;
  action.sa_flags = SA_NOCLDSTOP;
  sigaction(SIGCHLD, &action, NULL);
#endif
  for (;;) pause();
}
