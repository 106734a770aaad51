/* faults.c - builds for tests only: another process says which allocation of this one fails. io */
#include "cli/faults.h"

#ifdef GAVEL_MEM_FAULTS
#include <fcntl.h>
#include <jansson.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include <uv.h>

#include "base/mem.h"

void __sanitizer_print_stack_trace(void);

static void *ssl_alloc(size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return mem_alloc(n);
}

static void *ssl_realloc(void *p, size_t n, const char *file, int line)
{
	(void)file, (void)line;
	return mem_realloc(p, n);
}

static void ssl_free(void *p, const char *file, int line)
{
	(void)file, (void)line;
	mem_free(p);
}

static void *zeroed(size_t n, size_t size)
{
	return size && n > SIZE_MAX / size ? NULL : mem_zalloc(n * size);
}

bool faults_begin(void)
{
	const char *path = getenv("GAVEL_MEM_FAULTS");
	if (!path)
		return true;
	int fd = open(path, O_RDWR | O_CLOEXEC);
	void *page = MAP_FAILED;
	if (fd >= 0) {
		page = mmap(
		        NULL, sizeof(struct mem_faults), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		close(fd);
	}
	json_set_alloc_funcs(mem_alloc, mem_free);
	if (page == MAP_FAILED || !CRYPTO_set_mem_functions(ssl_alloc, ssl_realloc, ssl_free) ||
	        uv_replace_allocator(mem_alloc, mem_realloc, zeroed, mem_free) != 0) {
		perror("gavel: GAVEL_MEM_FAULTS");
		return false;
	}
	mem_faults_share(page, __sanitizer_print_stack_trace);
	return true;
}
#endif
