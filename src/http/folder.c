/* folder.c - opens files below one folder. io */
#include "http/folder.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

bool folder_path_ok(struct str path)
{
	if (path.n < 2 || path.n >= FOLDER_PATH_MAX || path.p[0] != '/')
		return false;
	for (size_t i = 0; i < path.n; i++) {
		unsigned char c = (unsigned char)path.p[i];
		if (c < 0x20 || c == 0x7f)
			return false;
	}
	struct str rest = str_sub(path, 1, path.n);
	for (bool first = true; !str_absent(rest); first = false) {
		struct str segment = str_split(&rest, '/');
		bool known = first && str_eqc(segment, ".well-known") && !str_absent(rest);
		if (segment.n == 0 || segment.n > NAME_MAX || (segment.p[0] == '.' && !known))
			return false;
	}
	return true;
}

/* Where an open descriptor really is, as the kernel says. */
static bool real_path(int fd, char out[PATH_MAX])
{
	char link[64];
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	ssize_t n = readlink(link, out, PATH_MAX - 1);
	out[n > 0 ? n : 0] = '\0';
	return n > 0;
}

/* The question is asked of what was opened, not of a name that could mean something else by then.
 */
static bool is_inside(int folder, int fd)
{
	char outer[PATH_MAX], inner[PATH_MAX];
	if (!real_path(folder, outer) || !real_path(fd, inner))
		return false;
	size_t n = strlen(outer);
	return strncmp(outer, inner, n) == 0 && (inner[n] == '/' || outer[n - 1] == '/');
}

static int open_inside(const struct folder *f, struct str path, int flags)
{
	char name[FOLDER_PATH_MAX];
	if (!folder_path_ok(path))
		return -1;
	memcpy(name, path.p + 1, path.n - 1);
	name[path.n - 1] = '\0';
	int folder = open(f->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return -1;
	int fd = openat(folder, name, flags | O_CLOEXEC);
	if (fd >= 0 && !is_inside(folder, fd)) {
		close(fd);
		fd = -1;
	}
	close(folder);
	return fd;
}

int folder_open(const struct folder *f, struct str path, struct stat *st)
{
	/* O_NONBLOCK: a FIFO must not hold us */
	int fd = open_inside(f, path, O_RDONLY | O_NONBLOCK | O_NOCTTY);
	if (fd < 0)
		return -1;
	if (fstat(fd, st) == 0 && S_ISREG(st->st_mode))
		return fd;
	close(fd);
	return -1;
}

bool folder_has_directory(const struct folder *f, struct str path)
{
	int fd = open_inside(f, path, O_PATH | O_DIRECTORY);
	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static bool read_all(int fd, struct buf *text)
{
	for (;;) {
		if (!buf_reserve(text, 16384))
			return true;
		ssize_t n = read(fd, text->p + text->n, 16384);
		if (n < 0)
			return false;
		text->n += (size_t)n;
		text->p[text->n] = '\0';
		if (n == 0)
			return true;
	}
}

bool folder_read(const struct folder *f, struct str path, struct buf *text)
{
	struct stat st;
	int fd = folder_open(f, path, &st);
	bool read = fd >= 0 && read_all(fd, text);
	if (fd >= 0)
		close(fd);
	return read;
}

bool folder_read_file(const char *path, struct buf *text)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	bool read = fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && read_all(fd, text);
	if (fd >= 0)
		close(fd);
	return read;
}
