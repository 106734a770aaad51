/* replay.c - runs a fuzz target over files, without the fuzzer: replay FILE|FOLDER... Each file is
 * one input. io */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned long inputs;

static int replay_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	if (!f) {
		perror(path);
		return 1;
	}
	static uint8_t data[1 << 20];
	size_t n = fread(data, 1, sizeof data, f);
	fclose(f);
	/* An exact copy, so that the sanitizer sees a read past the end. */
	uint8_t *copy = malloc(n ? n : 1);
	if (!copy)
		return 1;
	for (size_t i = 0; i < n; i++)
		copy[i] = data[i];
	LLVMFuzzerTestOneInput(copy, n);
	free(copy);
	inputs++;
	return 0;
}

static int replay(const char *path)
{
	struct stat st;
	if (stat(path, &st)) {
		perror(path);
		return 1;
	}
	if (!S_ISDIR(st.st_mode))
		return replay_file(path);
	DIR *dir = opendir(path);
	int failed = dir == NULL;
	for (struct dirent *e; dir && (e = readdir(dir));) {
		char name[4096];
		if (e->d_name[0] == '.')
			continue;
		snprintf(name, sizeof name, "%s/%s", path, e->d_name);
		failed |= replay_file(name);
	}
	if (dir)
		closedir(dir);
	return failed;
}

int main(int argc, char **argv)
{
	int failed = 0;
	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	printf("%lu inputs\n", inputs);
	return failed || inputs == 0;
}
