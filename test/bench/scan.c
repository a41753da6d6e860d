/*
 * The two parts of bench:scan that are no Node.
 *
 *   scan make COUNT live|zombie   forks so many children, says "ready", and waits for the end of its input
 *   scan loop ROOT                for each line of input reads the stat of every process below ROOT, and answers
 *                                 milliseconds, processes and zombies
 */
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static int make(int count, int live) {
  char rest;
  for (int made = 0; made < count; made++) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
      if (!live) _exit(0);
      close(STDIN_FILENO);
      close(STDOUT_FILENO);
      for (;;) pause();
    }
  }
  puts("ready");
  fflush(stdout);
  while (read(STDIN_FILENO, &rest, 1) > 0) continue;
  return 0;
}

/* One look: the least that tells zombies. */
static void look(const char *root, int *processes, int *zombies) {
  static char path[512], line[4096];
  struct dirent *entry;
  DIR *folder = opendir(root);
  if (!folder) fail(root);
  *processes = *zombies = 0;
  while ((entry = readdir(folder))) {
    if (!isdigit((unsigned char)entry->d_name[0])) continue;
    snprintf(path, sizeof path, "%s/%s/stat", root, entry->d_name);
    int file = open(path, O_RDONLY);
    if (file < 0) continue;
    ssize_t length = read(file, line, sizeof line - 1);
    close(file);
    if (length <= 0) continue;
    line[length] = 0;
    char *name_end = strrchr(line, ')');
    if (!name_end) continue;
    ++*processes;
    if (name_end[2] == 'Z') ++*zombies;
  }
  closedir(folder);
}

static double milliseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1e3 + now.tv_nsec / 1e6;
}

static int loop(const char *root) {
  char request[64];
  while (fgets(request, sizeof request, stdin)) {
    int processes, zombies;
    double start = milliseconds();
    look(root, &processes, &zombies);
    printf("%f %d %d\n", milliseconds() - start, processes, zombies);
    fflush(stdout);
  }
  return 0;
}

int main(int argc, char **argv) {
  if (argc == 4 && !strcmp(argv[1], "make")) return make(atoi(argv[2]), !strcmp(argv[3], "live"));
  if (argc == 3 && !strcmp(argv[1], "loop")) return loop(argv[2]);
  fprintf(stderr, "usage: scan make COUNT live|zombie | scan loop ROOT\n");
  return 2;
}
