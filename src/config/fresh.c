/* fresh.c - a first installation: the folder, a configuration, a random secret. io */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/err.h"
#include "base/rand.h"
#include "config/config.h"

#define SECRET_BYTES 32

static const char *variable(char *const *env, const char *name)
{
	size_t n = strlen(name);
	for (size_t i = 0; env && env[i]; i++) {
		if (strncmp(env[i], name, n) == 0 && env[i][n] == '=' && env[i][n + 1])
			return env[i] + n + 1;
	}
	return NULL;
}

int config_state_directory(char *const *env, char *out, size_t size)
{
	const char *state = variable(env, "STATE_DIRECTORY");
	const char *xdg = variable(env, "XDG_STATE_HOME");
	const char *home = variable(env, "HOME");
	int n;
	if (state)
		n = snprintf(out, size, "%.*s", (int)strcspn(state, ":"), state);
	else if (xdg)
		n = snprintf(out, size, "%s/gavel", xdg);
	else if (home)
		n = snprintf(out, size, "%s/.local/state/gavel", home);
	else
		return ERR_NOTFOUND;
	return n > 0 && (size_t)n < size ? ERR_OK : ERR_LIMIT;
}

bool config_make_folder(const char *path)
{
	char part[1024];
	size_t n = strlen(path);
	if (n >= sizeof part)
		return false;
	for (size_t i = 1; i <= n; i++) {
		if (i < n && path[i] != '/')
			continue;
		memcpy(part, path, i);
		part[i] = 0;
		/* those above keep what the system gives them; ours is private */
		if (mkdir(part, i == n ? 0700 : 0755) && errno != EEXIST)
			return false;
	}
	return true;
}

static bool write_all(int fd, struct str s)
{
	while (s.n) {
		ssize_t n = write(fd, s.p, s.n);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		s = str_sub(s, (size_t)n, s.n);
	}
	return true;
}

/* Written beside and renamed, so that nobody ever reads half a file. */
static bool write_file(const char *path, mode_t mode, struct str text)
{
	char temporary[1200];
	int n = snprintf(temporary, sizeof temporary, "%s.new", path);
	if (n < 0 || (size_t)n >= sizeof temporary)
		return false;
	unlink(temporary);
	int fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);
	if (fd < 0)
		return false;
	bool fine = write_all(fd, text) && fsync(fd) == 0;
	fine = close(fd) == 0 && fine && rename(temporary, path) == 0;
	if (!fine)
		unlink(temporary);
	return fine;
}

static bool write_secret(const char *path)
{
	uint8_t bytes[SECRET_BYTES];
	struct buf text;
	if (access(path, F_OK) == 0)
		return true;
	if (!rand_bytes(bytes, sizeof bytes))
		return false;
	buf_init(&text, 200);
	base64url_encode(str_from((const char *)bytes, sizeof bytes), &text);
	buf_putc(&text, '\n');
	bool fine = !text.failed && write_file(path, 0600, buf_view(&text));
	explicit_bzero(bytes, sizeof bytes);
	if (text.p)
		explicit_bzero(text.p, text.cap);
	buf_done(&text);
	return fine;
}

static const char fresh_text[] =
        "# Gavel's configuration, written at the first start. Change it freely; all keys: "
        "docs/gavel.example.yaml\n"
        "\n"
        "auth: jwt                    # people bring a token\n"
        "app_id: gavel                # iss of the tokens\n"
        "app_secret_file: app_secret  # beside this file; random, never logged\n"
        "require_exp: true            # tokens must end\n"
        "domain_verification: true    # sub must be domain or public_host\n"
        "allow_guests: false          # true: people without a token get in, never as moderators\n"
        "room_create: authenticated   # guests wait until somebody with a token is there\n"
        "role_mode: token             # only the token makes moderators\n";

int config_write_fresh(const char *folder, char *path_out, size_t path_size)
{
	char secret[1100];
	int n = snprintf(path_out, path_size, "%s/gavel.yaml", folder);
	int m = snprintf(secret, sizeof secret, "%s/app_secret", folder);
	if (n < 0 || (size_t)n >= path_size || m < 0 || (size_t)m >= sizeof secret)
		return ERR_LIMIT;
	if (!config_make_folder(folder))
		return ERR_IO;
	if (access(path_out, F_OK) == 0)
		return ERR_OK;
	if (!write_secret(secret) ||
	        !write_file(path_out, 0600, str_from(fresh_text, sizeof fresh_text - 1)))
		return ERR_IO;
	return ERR_OK;
}
